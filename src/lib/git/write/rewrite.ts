// A tree with other files in it: only the trees on the way to them are made anew.
import git from 'isomorphic-git'
import type { MemoryFs } from '../memory-fs.ts'

/** Where the git library keeps its objects. */
export interface ObjectStore {
  readonly fs: MemoryFs
  readonly gitdir: string
  readonly dir: string
  readonly cache: object
}

/** The tree `oid` with new texts for some of its files (path → text), or the path that names no file of it. Modes stay. */
export async function rewriteTree(
  store: ObjectStore,
  oid: string,
  files: ReadonlyMap<string, string>,
): Promise<{ readonly oid: string } | { readonly missing: string }> {
  const { tree } = await git.readTree({ ...store, oid })
  const left = new Set(files.keys())
  const next: typeof tree = []
  for (const entry of tree) {
    const text = entry.type === 'blob' && isRegular(entry.mode) ? files.get(entry.path) : undefined
    if (text !== undefined) {
      left.delete(entry.path)
      next.push({ ...entry, oid: await git.writeBlob({ ...store, blob: Buffer.from(text) }) })
      continue
    }
    const below = entry.type === 'tree' ? filesBelow(files, entry.path) : undefined
    if (!below || below.size === 0) {
      next.push(entry)
      continue
    }
    const changed = await rewriteTree(store, entry.oid, below)
    if ('missing' in changed) return { missing: `${entry.path}/${changed.missing}` }
    for (const path of below.keys()) left.delete(`${entry.path}/${path}`)
    next.push({ ...entry, oid: changed.oid })
  }
  const [missing] = left
  return missing === undefined ? { oid: await git.writeTree({ ...store, tree: next }) } : { missing }
}

/** No link: its text is where it leads. */
function isRegular(mode: string): boolean {
  return mode.endsWith('100644') || mode.endsWith('100755')
}

function filesBelow(files: ReadonlyMap<string, string>, folder: string): ReadonlyMap<string, string> {
  const prefix = `${folder}/`
  return new Map([...files].filter(([path]) => path.startsWith(prefix)).map(([path, text]) => [path.slice(prefix.length), text]))
}
