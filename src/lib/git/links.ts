// Symbolic links of a repository, followed on paper: nothing on disk is touched.

const MAX_HOPS = 40

/**
 * Whether the link at `path` stays inside the repository, through all further links on its way; a link to nothing inside counts as staying.
 * `links` holds the targets of all links by path; paths are relative to the top, with `/`.
 */
export function staysInside(links: ReadonlyMap<string, string>, path: string): boolean {
  const start = path.split('/').slice(0, -1)
  const target = links.get(path)
  return target === undefined || walk(links, start, target)
}

function walk(links: ReadonlyMap<string, string>, from: readonly string[], target: string): boolean {
  const at = [...from]
  const todo = partsOf(target)
  if (isAbsolute(target)) return false
  for (let hops = 0; todo.length > 0; ) {
    const part = todo.shift()
    if (part === '..' && at.pop() === undefined) return false
    if (part === undefined || part === '' || part === '.' || part === '..') continue
    at.push(part)
    const next = links.get(at.join('/'))
    if (next === undefined) continue
    hops++
    if (hops > MAX_HOPS || isAbsolute(next)) return false
    at.pop()
    todo.unshift(...partsOf(next))
  }
  return true
}

function isAbsolute(target: string): boolean {
  return target.startsWith('/') || target.includes('\0')
}

function partsOf(target: string): string[] {
  return target.split('/')
}
