// Which files of a commit are written, and where: decided on the tree before the first byte goes to disk.
import { GitError } from './errors.ts'
import type { GitLimits } from './types.ts'
import { redactUrl } from './url.ts'

/** One line of a tree object as the git library reads it. */
export interface TreeEntry {
  readonly mode: string
  readonly path: string
  readonly oid: string
  readonly type: string
}

/** A file or link of the commit. */
export interface PlannedFile {
  /** Relative to the top, with `/`. */
  readonly path: string
  readonly oid: string
  readonly kind: 'file' | 'executable' | 'link'
}

export interface TreePlan {
  /** Parents before children. */
  readonly folders: readonly string[]
  readonly files: readonly PlannedFile[]
}

const MAX_DEPTH = 100

/** Walks the tree. Throws GitError `too-large` beyond the limits, `protocol` for names that could leave the folder. */
export async function planTree(
  root: string,
  readTree: (oid: string) => Promise<readonly TreeEntry[]>,
  wanted: (path: string, isFolder: boolean) => boolean,
  limits: GitLimits,
  url: string,
): Promise<TreePlan> {
  const folders: string[] = []
  const files: PlannedFile[] = []
  const seen = new Set<string>()

  async function visit(oid: string, prefix: string, depth: number): Promise<void> {
    if (depth > MAX_DEPTH)
      throw new GitError('too-large', `the repository ${redactUrl(url)} has folders more than ${MAX_DEPTH} levels deep`)
    for (const entry of await readTree(oid)) {
      const path = `${prefix}${checkedName(entry.path, url)}`
      const isFolder = entry.type === 'tree'
      if (!wanted(path, isFolder) || entry.type === 'commit') continue
      if (seen.has(path)) throw broken(url, path)
      seen.add(path)
      if (seen.size > limits.files)
        throw new GitError('too-large', `the repository ${redactUrl(url)} has more than ${limits.files} files; split it`)
      if (!isFolder) {
        files.push({ path, oid: entry.oid, kind: kindOf(entry.mode) })
        continue
      }
      folders.push(path)
      await visit(entry.oid, `${path}/`, depth + 1)
    }
  }

  await visit(root, '', 0)
  return { folders, files }
}

function kindOf(mode: string): PlannedFile['kind'] {
  if (mode.endsWith('120000')) return 'link'
  return mode.endsWith('100755') ? 'executable' : 'file'
}

function checkedName(name: string, url: string): string {
  if (name === '' || name === '.' || name === '..' || name.includes('/') || name.includes('\0') || name.toLowerCase() === '.git')
    throw broken(url, name)
  return name
}

function broken(url: string, name: string): GitError {
  return new GitError(
    'protocol',
    `the repository ${redactUrl(url)} holds a name that no file may have: ${JSON.stringify(name.slice(0, 100))}`,
  )
}

/** Tells of a path whether one of `paths` asks for it, for something above it or, if it is a folder, for something below. No paths: everything. */
export function wantedBy(paths: readonly string[] | undefined): (path: string, isFolder: boolean) => boolean {
  if (!paths || paths.length === 0) return () => true
  const fixed = paths.map(fixedPart)
  return (path, isFolder) => fixed.some((one) => isWithin(path, one) || (isFolder && isWithin(one, path)))
}

/** Up to the first component with a wildcard, without slashes at the ends; empty for the top. */
function fixedPart(path: string): string {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.')
  const wildcard = parts.findIndex((part) => /[*?[\\]/.test(part) || part === '..')
  return parts.slice(0, wildcard < 0 ? parts.length : wildcard).join('/')
}

function isWithin(path: string, folder: string): boolean {
  return folder === '' || path === folder || path.startsWith(`${folder}/`)
}
