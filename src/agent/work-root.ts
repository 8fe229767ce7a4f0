// The folder an agent works in. An agent that was killed leaves its folder, and maybe a helm process that still waits: the next one clears both away.
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Logger } from '../lib/controller/log.ts'

export interface WorkRoot {
  readonly path: string
  remove(): Promise<void>
}

const OWNER = 'owner.json'
/** Leftovers of one start that are looked at. */
const MAX_LEFTOVERS = 200

/** Makes a folder below `tempDir` for this process and clears away those of agents of the same namespace that live no more. */
export async function createWorkRoot(tempDir: string, namespace: string, log: Logger): Promise<WorkRoot> {
  const prefix = `fleet-agent-${namespace}-`
  const names = (await readdir(tempDir)).filter((name) => name.startsWith(prefix)).slice(0, MAX_LEFTOVERS)
  for (const name of names) await clearAway(join(tempDir, name), log)
  const path = await mkdtemp(join(tempDir, prefix))
  await writeFile(join(path, OWNER), JSON.stringify({ pid: process.pid, started: await startOf(process.pid) }), { mode: 0o600 })
  await mkdir(join(path, 'home'), { mode: 0o700 })
  return { path, remove: () => rm(path, { recursive: true, force: true, maxRetries: 3 }) }
}

async function clearAway(dir: string, log: Logger): Promise<void> {
  try {
    if (await isOwned(dir)) return
    for (const pid of await processesOf(dir)) {
      process.kill(pid, 'SIGKILL')
      log.warn({ pid }, 'stopped a process that an agent left behind')
    }
    await rm(dir, { recursive: true, force: true, maxRetries: 3 })
  } catch (error) {
    log.warn({ dir, err: error }, 'folder of an agent that lives no more cannot be removed')
  }
}

/** Whether the process that made the folder still runs; a number that went to another process does not count. */
async function isOwned(dir: string): Promise<boolean> {
  const text = await readFile(join(dir, OWNER), 'utf8').catch(() => undefined)
  if (text === undefined) return false
  const { pid, started } = JSON.parse(text) as { pid: number; started: string | undefined }
  return isRunning(pid) && (started === undefined || (await startOf(pid)) === started)
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM' // there, but not ours
  }
}

/** When a process was started, in ticks since boot; undefined where the system does not tell. */
async function startOf(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined)
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
}

/** Processes whose arguments name the folder: helm with its kubeconfig, kubectl with its kustomization. */
async function processesOf(dir: string): Promise<number[]> {
  const entries = await readdir('/proc').catch(() => [])
  const pids = entries.map(Number).filter((pid) => Number.isInteger(pid) && pid > 1 && pid !== process.pid)
  const owned = await Promise.all(
    pids.map(async (pid) =>
      (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0').some((argument) => argument.startsWith(`${dir}/`)),
    ),
  )
  return pids.filter((_, index) => owned[index])
}
