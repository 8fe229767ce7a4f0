// Writes the files of volumes into a private folder, and only those that differ.
import { randomBytes } from 'node:crypto'
import { chmod, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join, relative, sep } from 'node:path'
import type { VolumeFile } from './volumes.ts'

/**
 * Brings a folder to hold exactly these files; each file changes in one step. Files named in `keep` are left as they are.
 * @returns the paths that were written or removed, sorted
 */
export async function syncFolder(folder: string, files: readonly VolumeFile[], keep: readonly string[] = []): Promise<string[]> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const wanted = new Set([...files.map(({ path }) => path), ...keep])
  const existing = await listFiles(folder)
  const surplus = existing.filter((path) => !wanted.has(path))
  await Promise.all(surplus.map((path) => rm(join(folder, path), { force: true })))
  const written: string[] = []
  for (const file of files) {
    if (await writeIfChanged(folder, file)) written.push(file.path)
  }
  return [...surplus, ...written].sort()
}

async function listFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => !entry.isDirectory())
  return files.map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'))
}

/** Writes one file of a folder unless it has that content already. */
export async function writeIfChanged(folder: string, { path, content, mode }: VolumeFile): Promise<boolean> {
  const target = join(folder, path)
  const current = await readFile(target).catch(() => undefined)
  if (current?.equals(content)) return false
  await mkdir(dirname(target), { recursive: true, mode: 0o700 })
  const temporary = join(dirname(target), `.${randomBytes(6).toString('hex')}`)
  await writeFile(temporary, content, { mode })
  // The mode given at creation is reduced by the umask.
  await chmod(temporary, mode)
  await rename(temporary, target)
  return true
}
