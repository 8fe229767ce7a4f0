// The folder downloads are kept in while they are read. What a process that was killed left behind, credentials among it, goes with the next start.
import { randomBytes } from 'node:crypto'
import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'

export interface WorkFolder {
  /** Makes the folder when it is asked for first. */
  path(): Promise<string>
  remove(): Promise<void>
}

const FOLDER = /^fleet-charts-(\d+)-[0-9a-f]{12}$/

/** A folder below `parent` for the process `pid`, which has no other in there. */
export function createWorkFolder(parent: string, pid: number): WorkFolder {
  const own = join(parent, `fleet-charts-${pid}-${randomBytes(6).toString('hex')}`)
  let made: Promise<string> | undefined

  async function make(): Promise<string> {
    await removeLeftovers(parent, pid)
    await mkdir(own, { mode: 0o700 })
    return own
  }

  return {
    path() {
      made ??= make().catch((error: unknown) => {
        made = undefined
        throw error
      })
      return made
    },
    async remove() {
      await made?.catch(() => {}) // nothing to remove then
      await rm(own, { recursive: true, force: true, maxRetries: 3 })
    },
  }
}

async function removeLeftovers(parent: string, pid: number): Promise<void> {
  const owners = (await readdir(parent)).map((name) => ({ name, owner: Number(FOLDER.exec(name)?.[1]) }))
  // In a container every process has the same id, so a folder with ours is that of our predecessor.
  const left = owners.filter(({ owner }) => owner > 0 && (owner === pid || !isAlive(owner)))
  await Promise.all(left.map(({ name }) => rm(join(parent, name), { recursive: true, force: true, maxRetries: 3 }).catch(() => {}))) // that of another user stays
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM' // there, but not ours
  }
}
