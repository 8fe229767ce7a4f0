import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import type { BundleDraft } from '../../bundle/draft.ts'
import { TerminalError } from '../../lib/controller/errors.ts'
import type { Io } from '../io.ts'
import { formatObjects } from '../objects.ts'

/** Prints bundles, each with its image scans, as YAML documents to a file (folders are made for it), or to standard output for `-`. Throws TerminalError. */
export async function printDrafts(drafts: readonly BundleDraft[], output: string, { io, cwd }: { io: Io; cwd: string }): Promise<void> {
  const text = formatObjects(
    drafts.flatMap(({ bundle, scans }) => [bundle, ...scans]),
    'yaml',
  )
  if (output === '-') return io.print(text)
  try {
    const file = resolve(cwd, output)
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, text)
  } catch (error) {
    throw new TerminalError(`cannot write ${output}: ${(error as NodeJS.ErrnoException).code ?? 'unknown error'}`, { cause: error })
  }
}
