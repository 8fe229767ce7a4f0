// Builds kubelet, kube-scheduler and the program of pods from the Go module scripts/e2e, once into the user's cache.
import { spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { homedir, hostname } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { isAlive } from '../../../src/devcluster/leftovers.ts'
import { acquireLock } from '../control-plane/lock.ts'
import { hasGo } from '../control-plane/look.ts'
import { goDirective } from '../control-plane/plan.ts'
import { createProgressLine, formatMinutes, type ProgressLine } from '../control-plane/progress.ts'

const MODULE = join(import.meta.dirname, '..', '..', 'e2e')
const INPUTS = ['go.mod', 'go.sum', 'main.go', 'pause/main.go']
const NAMES = ['kubelet', 'kube-scheduler', 'pause']
const GO = 'go'
const LIMIT_MS = 60 * 60_000
const REFRESH_MS = 1000
const ERROR_LINES = 20
const ENV = { CGO_ENABLED: '0', GOFLAGS: '', GOWORK: 'off' }

/** True when nothing has to be compiled for a node, or can be. */
export async function canHaveNodePrograms(env: NodeJS.ProcessEnv = process.env): Promise<boolean> {
  const { target, goVersion } = planPrograms(env)
  return isComplete(target) || (await hasGo(MODULE, goVersion))
}

/** A folder with `kubelet`, `kube-scheduler` and `pause`. @throws Error with the last lines of the compiler's messages */
export async function ensureNodePrograms(env: NodeJS.ProcessEnv = process.env): Promise<string> {
  const { target, flags } = planPrograms(env)
  if (isComplete(target)) return target
  const progress = createProgressLine(process.stderr)
  const release = await acquireLock({
    file: `${target}.lock`,
    holder: { pid: process.pid, host: hostname(), token: randomBytes(8).toString('hex') },
    world: { now: () => Date.now(), sleep: (ms) => new Promise((done) => setTimeout(done, ms)), isAlive },
    limitMs: LIMIT_MS,
    onWait: (_, waitedMs) =>
      progress.update(`kubelet: waiting for another process that builds it (${formatMinutes(waitedMs)})`, Date.now()),
  })
  try {
    if (!isComplete(target)) await build(target, flags, progress)
  } finally {
    release()
  }
  return target
}

/** The version of Kubernetes that the module is made of, `v1.36.3`. */
export function kubernetesVersion(goMod: string): string {
  const version = goMod.match(/^\s*k8s\.io\/kubernetes (v\d+\.\d+\.\d+)$/m)?.[1]
  if (version === undefined) throw new Error('scripts/e2e/go.mod requires no version of k8s.io/kubernetes')
  return version
}

function planPrograms(env: NodeJS.ProcessEnv): { target: string; flags: string[]; goVersion: string } {
  const texts = INPUTS.map((name) => readFileSync(join(MODULE, name), 'utf8'))
  const [goMod = ''] = texts
  const flags = buildFlags(goMod)
  const key = createHash('sha256')
    .update([...texts, ...flags, process.arch].join('\0'))
    .digest('hex')
    .slice(0, 16)
  const cache = join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'fleet-node-programs')
  return { target: join(cache, key), flags, goVersion: goDirective(goMod) }
}

function buildFlags(goMod: string): string[] {
  const version = kubernetesVersion(goMod)
  const [major, minor] = version.slice(1).split('.')
  const stamps = { gitVersion: version, gitMajor: major, gitMinor: minor }
  const linker = Object.entries(stamps).map(([symbol, value]) => `-X k8s.io/component-base/version.${symbol}=${value}`)
  return ['-trimpath', '-buildvcs=false', '-ldflags', ['-s', '-w', ...linker].join(' ')]
}

function isComplete(folder: string): boolean {
  return NAMES.every((name) => existsSync(join(folder, name)))
}

async function build(target: string, flags: readonly string[], progress: ProgressLine): Promise<void> {
  const work = `${target}.tmp`
  rmSync(work, { recursive: true, force: true })
  mkdirSync(work, { recursive: true })
  const started = Date.now()
  try {
    await compile(work, flags, progress, started)
    renameSync(join(work, 'node'), join(work, 'kubelet'))
    symlinkSync('kubelet', join(work, 'kube-scheduler'))
    rmSync(target, { recursive: true, force: true })
    renameSync(work, target)
    progress.finish(`kubelet: built in ${formatMinutes(Date.now() - started)}, kept in ${target}`)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

function compile(work: string, flags: readonly string[], progress: ProgressLine, started: number): Promise<void> {
  const child = spawn(GO, ['build', '-v', ...flags, '-o', `${work}/`, '.', './pause'], {
    cwd: MODULE,
    env: { ...process.env, ...ENV },
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: LIMIT_MS,
    killSignal: 'SIGKILL',
  })
  const lines: string[] = []
  createInterface({ input: child.stderr }).on('line', (line) => lines.push(line))
  const show = () => {
    const now = Date.now()
    const what = lines.at(-1) ?? 'looking for what is to be compiled'
    const elapsed = formatMinutes(now - started)
    progress.update(`kubelet: ${lines.length} packages and modules, ${what} (${elapsed} elapsed, up to 5 minutes on two cores)`, now)
  }
  show()
  const timer = setInterval(show, REFRESH_MS)
  return new Promise((resolve, reject) => {
    child.once('error', (error) => reject(new Error(`go could not be started: ${error.message}`)))
    child.once('close', (code) => {
      clearInterval(timer)
      if (code === 0) resolve()
      else reject(new Error(`building the kubelet failed:\n${lines.slice(-ERROR_LINES).join('\n')}`))
    })
  })
}
