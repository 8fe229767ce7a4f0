import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * Runs `work` with a fresh folder below `parent` that only this user can enter, and removes it afterwards, however `work` ends.
 */
export async function withTempDir<T>(parent: string, prefix: string, work: (dir: string) => Promise<T>): Promise<T> {
  const dir = await mkdtemp(join(parent, prefix)) // mode 0700
  try {
    return await work(dir)
  } finally {
    await rm(dir, { recursive: true, force: true, maxRetries: 3 })
  }
}
