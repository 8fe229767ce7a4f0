import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join, posix } from 'node:path'
import type { ContentFile } from '../../bundle/read-contents.ts'
import { RenderError } from './render-error.ts'

/** Writes files below `dir`, readable by us alone. Names that lead out of it are refused. */
export async function writeFiles(dir: string, files: readonly ContentFile[]): Promise<void> {
  const folders = new Set(files.map(({ name }) => dirname(join(dir, safeName(name)))))
  for (const folder of folders) await mkdir(folder, { recursive: true, mode: 0o700 })
  for (const { name, content } of files) await writeFile(join(dir, safeName(name)), content, { mode: 0o600 })
}

/** The name in its shortest form. */
function safeName(name: string): string {
  const normal = posix.normalize(name)
  const leaves =
    normal.startsWith('/') || normal === '..' || normal.startsWith('../') || normal.includes('\0') || normal.endsWith('/') || normal === '.'
  if (leaves) throw new RenderError(`the file name ${JSON.stringify(name)} does not stay inside the bundle`, 'invalid-manifest')
  return normal
}
