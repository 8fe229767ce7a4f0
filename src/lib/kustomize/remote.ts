const LISTS = ['resources', 'bases', 'components', 'crds', 'generators', 'transformers', 'validators', 'configurations']
const REMOTE = /^(git@|git::|[a-z][a-z0-9+.-]*:\/\/)|^[\w.-]+\.[a-z]{2,}\/.+|\?ref=/i

/**
 * Entries of a kustomization that kustomize would fetch from the network. `isLocal` tells whether an entry is a file or folder beside the kustomization:
 * what is there is never fetched.
 */
export function remoteEntries(kustomization: unknown, isLocal: (entry: string) => boolean): string[] {
  if (typeof kustomization !== 'object' || kustomization === null) return []
  const fields = kustomization as Record<string, unknown>
  const entries = LISTS.flatMap((name) => (Array.isArray(fields[name]) ? fields[name] : []))
  return entries.filter((entry): entry is string => typeof entry === 'string' && REMOTE.test(entry) && !isLocal(entry))
}
