// Writes planned files into a fresh folder.
import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { GitError } from './errors.ts'
import { staysInside } from './links.ts'
import type { PlannedFile, TreePlan } from './tree.ts'
import type { GitLimits } from './types.ts'
import { redactUrl } from './url.ts'
import { describeWritten, type WrittenFiles } from './written-files.ts'

/** Where a link points instead, if it would lead out of the repository. Readers that need it fail and name the link; others are not bothered. */
export const NOWHERE = 'link-led-out-of-the-repository'

const MAX_LINK_BYTES = 4_096
const WRITES_AT_A_TIME = 4

export interface CheckoutOptions {
  readonly readBlob: (oid: string) => Promise<Uint8Array>
  readonly limits: GitLimits
  readonly url: string
  readonly signal: AbortSignal
}

/** Creates what the plan says in the empty folder `into`. Links come last, so that no write goes through one. Returns what is there now. */
export async function writeTree(into: string, plan: TreePlan, options: CheckoutOptions): Promise<WrittenFiles> {
  const { folders, files } = plan
  const { limits, url, signal } = options
  let bytes = 0

  async function read(file: PlannedFile): Promise<Uint8Array> {
    signal.throwIfAborted()
    const blob = await options.readBlob(file.oid)
    bytes += blob.byteLength
    if (bytes > limits.bytes || blob.byteLength > limits.fileBytes) throw tooLarge(url, limits)
    return blob
  }

  async function writeRegular(file: PlannedFile): Promise<void> {
    await writeFile(join(into, file.path), await read(file), { mode: file.kind === 'executable' ? 0o755 : 0o644, flag: 'wx' })
  }

  for (const folder of folders) await mkdir(join(into, folder))
  await inTurn(
    files.filter((file) => file.kind !== 'link'),
    writeRegular,
  )
  const links = new Map<string, string>()
  for (const file of files.filter((one) => one.kind === 'link')) links.set(file.path, linkTarget(await read(file)))
  const written = new Map([...links].map(([path, target]) => [path, staysInside(links, path) ? target : NOWHERE]))
  for (const [path, target] of written) await symlink(target, join(into, path))
  return describeWritten(plan, written)
}

/** An empty or endless target is no target. */
function linkTarget(blob: Uint8Array): string {
  const isUsable = blob.byteLength > 0 && blob.byteLength <= MAX_LINK_BYTES && !blob.includes(0)
  return isUsable ? Buffer.from(blob).toString('utf8') : NOWHERE
}

/** A few at a time. The first error lets nothing further start, and is thrown when nothing runs any more. */
async function inTurn<T>(items: readonly T[], act: (item: T) => Promise<void>): Promise<void> {
  const rest = items.values()
  let failed = false
  const lane = async (): Promise<void> => {
    for (const item of rest) {
      if (failed) return
      await act(item).catch((error: unknown) => {
        failed = true
        throw error
      })
    }
  }
  const lanes = await Promise.allSettled(Array.from({ length: WRITES_AT_A_TIME }, lane))
  const failure = lanes.find((one) => one.status === 'rejected')
  if (failure) throw failure.reason
}

function tooLarge(url: string, limits: GitLimits): GitError {
  const [all, one] = [limits.bytes, limits.fileBytes].map((bytes) => Math.ceil(bytes / 2 ** 20))
  return new GitError(
    'too-large',
    `the repository ${redactUrl(url)} has more than ${all} MiB of files, or a file of more than ${one} MiB; split it`,
  )
}
