// For a commit that changes nothing that the bundles of a GitRepo are made of: whether they still are as publishing has left them, and what there is to write.
import { createHash } from 'node:crypto'
import type { Bundle } from '../api/bundle.ts'
import { COMMIT_LABEL } from '../api/labels.ts'
import type { ValuesSecrets } from './store.ts'

/**
 * One sum over bundles that publishing has written or kept: which they are, and everything that it would put right again if somebody changed it, but for the label
 * with the commit. Undefined when one of them is to have that label from fleet.yaml.
 * @param commit what the label has to be; any when unset
 */
export function stateOf(bundles: readonly Bundle[], commit?: string): string | undefined {
  if (commit !== undefined && bundles.some(({ metadata }) => metadata.labels?.[COMMIT_LABEL] !== commit)) return undefined
  const states = bundles.map(({ metadata: { name, uid, generation, labels, annotations } }) => {
    const { [COMMIT_LABEL]: _commit, ...rest } = labels ?? {}
    return JSON.stringify([name, uid, generation, sorted(rest), sorted(annotations ?? {})])
  })
  return createHash('sha256').update(states.sort().join('\n')).digest('hex')
}

/** Whether the secret with the values of a bundle is there, and no other than that. */
export function hasItsValues({ metadata, spec }: Bundle, secrets: ValuesSecrets): boolean {
  const secret = secrets.get(metadata.name, metadata.namespace)
  if (!spec.valuesHash) return secret === undefined
  return secret?.digest === spec.valuesHash && (secret.metadata.ownerReferences ?? []).some(({ uid }) => uid === metadata.uid)
}

/** A merge patch, for exactly this object. */
export function commitPatch({ metadata: { uid } }: Bundle, commit: string): object {
  return { metadata: { ...(uid ? { uid } : {}), labels: { [COMMIT_LABEL]: commit } } }
}

function sorted(map: Readonly<Record<string, string>>): [string, string][] {
  return Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1))
}
