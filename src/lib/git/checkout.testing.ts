// Checkouts for tests, made of a few words by the code that makes the real ones.
import { createHash } from 'node:crypto'
import type { Dirent } from 'node:fs'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, posix, relative } from 'node:path'
import { expect } from 'vitest'
import { writeTree } from './checkout.ts'
import { type CommitFiles, openCommitFiles } from './commit-files.ts'
import type { PlannedFile } from './tree.ts'
import { DEFAULT_GIT_LIMITS } from './types.ts'
import type { WrittenFiles } from './written-files.ts'

/** Path → text, or `{ link }`: where a symbolic link points. */
export type TestFiles = Readonly<Record<string, string | { readonly link: string }>>

interface TestCheckout {
  readonly root: string
  readonly files: CommitFiles
  [Symbol.asyncDispose](): Promise<void>
}

/** Paths below a file or a link are left out. */
export async function writeTestCheckout(tree: TestFiles): Promise<TestCheckout> {
  const root = await mkdtemp(join(tmpdir(), 'checkout-'))
  const blobs = new Map<string, Uint8Array>()
  const files: PlannedFile[] = []
  const folders = new Set<string>()
  for (const [path, content] of Object.entries(tree).filter(([one]) => isFree(tree, one))) {
    for (let at = path.indexOf('/'); at >= 0; at = path.indexOf('/', at + 1)) folders.add(path.slice(0, at))
    const bytes = Buffer.from(typeof content === 'string' ? content : content.link)
    const oid = createHash('sha1').update(bytes).digest('hex')
    blobs.set(oid, bytes)
    files.push({ path, oid, kind: typeof content === 'string' ? 'file' : 'link' })
  }
  const plan = { folders: [...folders].sort(), files }
  const readBlob = async (oid: string): Promise<Uint8Array> => blobs.get(oid) ?? new Uint8Array()
  const options = { readBlob, limits: DEFAULT_GIT_LIMITS, url: 'https://git.example/a', signal: new AbortController().signal }
  const written = await writeTree(root, plan, options)
  return { root, files: openCommitFiles(written), [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }) }
}

function isFree(tree: TestFiles, path: string): boolean {
  return path.split('/').every((_, at, parts) => at === 0 || !(parts.slice(0, at).join('/') in tree))
}

/** An `onWritten` for a fetch, and a check that it told of exactly what lies on the disk. */
export function describedFetch(): { onWritten(written: WrittenFiles): void; check(root: string): Promise<CommitFiles> } {
  const told: WrittenFiles[] = []
  return {
    onWritten: (written) => void told.push(written),
    async check(root) {
      expect(told).toHaveLength(1)
      const files = openCommitFiles(told[0] ?? new Map())
      const entries = await readdir(root, { recursive: true, withFileTypes: true })
      const kindOf = (entry: Dirent): string => (entry.isSymbolicLink() ? 'link' : entry.isDirectory() ? 'folder' : 'file')
      const onDisk = entries.map((entry) => `${kindOf(entry)} ${relative(root, join(entry.parentPath, entry.name))}`)
      expect(below(files, '')).toEqual(onDisk.sort())
      return files
    },
  }
}

function below(files: CommitFiles, folder: string): string[] {
  const entries = files.list(folder || '.') ?? []
  const lines = entries.flatMap(({ name, kind }) => {
    const path = posix.join(folder, name)
    return [`${kind} ${path}`, ...(kind === 'folder' ? below(files, path) : [])]
  })
  return lines.sort()
}
