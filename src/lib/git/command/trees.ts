// Tree objects as git stores them.
import type { TreeEntry } from '../tree.ts'

const OID_BYTES = 20
const TYPES: Readonly<Record<string, string>> = { '40000': 'tree', '160000': 'commit' }

/** Reads a tree object; undefined for what is none. Names that are no UTF-8 come out with replacement characters, as in the other backend. */
export function parseTree(data: Buffer): TreeEntry[] | undefined {
  const entries: TreeEntry[] = []
  for (let at = 0; at < data.length; ) {
    const space = data.indexOf(32, at)
    const zero = data.indexOf(0, space)
    const end = zero + 1 + OID_BYTES
    if (space < 0 || zero < 0 || end > data.length) return undefined
    const mode = data.toString('latin1', at, space)
    entries.push({
      mode,
      path: data.toString('utf8', space + 1, zero),
      oid: data.toString('hex', zero + 1, end),
      type: TYPES[mode.replace(/^0+/, '')] ?? 'blob',
    })
    at = end
  }
  return entries
}
