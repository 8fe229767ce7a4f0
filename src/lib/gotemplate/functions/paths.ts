// Paths with slashes.
import { define, type FunctionTable } from './define.ts'

const base = define(['string'], baseName)
const dir = define(['string'], (path) => clean(path.slice(0, path.lastIndexOf('/') + 1)))
const cleaned = define(['string'], clean)
const ext = define(['string'], (path) => /\.[^./]*$/.exec(path)?.[0] ?? '')
const isAbs = define(['string'], (path) => path.startsWith('/'))

/** Functions of paths; those of the operating system are the same. */
export const PATHS: FunctionTable = {
  base,
  dir,
  clean: cleaned,
  ext,
  isAbs,
  osBase: base,
  osDir: dir,
  osClean: cleaned,
  osExt: ext,
  osIsAbs: isAbs,
}

/** The shortest path that means the same. Node's own function takes quadratic time. */
function clean(path: string): string {
  const rooted = path.startsWith('/')
  const kept: string[] = []
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue
    if (part !== '..') kept.push(part)
    else if (kept.length > 0 && kept.at(-1) !== '..') kept.pop()
    else if (!rooted) kept.push(part)
  }
  return (rooted ? '/' : '') + kept.join('/') || '.'
}

function baseName(path: string): string {
  if (path === '') return '.'
  let end = path.length
  while (end > 0 && path[end - 1] === '/') end--
  return path.slice(path.lastIndexOf('/', end - 1) + 1, end) || '/'
}
