// Builds the programs of a control plane from the Go module beside this folder, with Go or in a container that has it.
import { spawn } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { userInfo } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { isCompleteFolder } from './look.ts'
import type { BuildPlan } from './plan.ts'
import { DOCKER_OUT, goInDocker, PACKAGES, PROGRAMS } from './plan.ts'
import type { BuildState, ProgressLine } from './progress.ts'
import { describeBuild, estimateRemainingMs, formatMinutes } from './progress.ts'

export interface BuildOptions {
  readonly plan: BuildPlan
  /** Folder of go.mod. */
  readonly moduleDir: string
  /** The folder that appears when all is done. Its siblings with the same name and `.tmp-` are left over from aborted builds. */
  readonly target: string
  readonly with: 'go' | 'docker'
  readonly progress: ProgressLine
}

const STEP_LIMIT_MS = 60 * 60_000
const ERROR_LINES = 20
const REFRESH_MS = 1000

/**
 * Builds into a temporary sibling of the target and renames it at the end.
 * @throws Error with the last lines of the compiler's messages
 */
export async function buildControlPlane(options: BuildOptions): Promise<void> {
  const { target, progress } = options
  removeAborted(target)
  const work = `${target}.tmp-${process.pid}`
  mkdirSync(work, { recursive: true })
  const started = Date.now()
  const track = createTracker(progress, started)
  try {
    const stale = await listStale(options, work, track)
    await compile(options, work, stale, track)
    finishFolder(work, options.plan)
    publish(work, target)
    progress.finish(`control plane: built in ${formatMinutes(Date.now() - started)}, kept in ${target}`)
  } finally {
    track.stop()
    rmSync(work, { recursive: true, force: true })
  }
}

interface Tracker {
  set(state: BuildState): void
  stop(): void
}

function createTracker(progress: ProgressLine, started: number): Tracker {
  let state: BuildState = { phase: 'downloading', done: 0, total: 0, current: '' }
  let linkingSince: number | undefined
  function show(): void {
    const now = Date.now()
    const remaining = estimateRemainingMs(state, now - started, now - (linkingSince ?? now))
    progress.update(describeBuild(state, now - started, remaining), now)
  }
  show()
  const timer = setInterval(show, REFRESH_MS)
  return {
    set(next) {
      if (next.phase === 'linking') linkingSince ??= Date.now()
      state = next
    },
    stop: () => clearInterval(timer),
  }
}

// The packages that are not in the compiler's cache; fetches the modules on the way.
async function listStale(options: BuildOptions, work: string, track: Tracker): Promise<number> {
  let downloads = 0
  const format = '{{if .Stale}}{{.ImportPath}}{{end}}'
  const lines = await runGo(options, work, ['list', '-deps', '-f', format, ...options.plan.flags, ...PACKAGES], (line) => {
    const module = line.match(/^go: downloading (\S+)/)?.[1]
    if (module !== undefined) track.set({ phase: 'downloading', done: ++downloads, total: 0, current: module })
  })
  return lines.filter((line) => line !== '').length
}

async function compile(options: BuildOptions, work: string, total: number, track: Tracker): Promise<void> {
  let done = 0
  const report = (current: string) => {
    const phase = done >= total - PACKAGES.length ? 'linking' : 'compiling'
    track.set({ phase, done, total, current })
  }
  report('')
  // With two packages, -o names a folder; each program is called after its package.
  const out = options.with === 'docker' ? DOCKER_OUT : `${work}/`
  await runGo(options, work, ['build', '-v', ...options.plan.flags, '-o', out, ...PACKAGES], (line) => {
    if (line.startsWith('go: ') || line.startsWith('#') || line.includes(' ')) return
    done++
    report(line)
  })
}

// Runs go to its end; gives the lines of stdout, hands those of stderr on.
function runGo(options: BuildOptions, work: string, args: readonly string[], onLine: (line: string) => void): Promise<string[]> {
  const { plan, moduleDir } = options
  const cache = join(dirname(options.target), 'go-cache')
  if (options.with === 'docker') mkdirSync(cache, { recursive: true })
  const command =
    options.with === 'go' ? { program: 'go', args, env: plan.env } : goInDocker(plan, { moduleDir, work, cache, ...userInfo() }, args)
  const child = spawn(command.program, command.args, {
    cwd: options.moduleDir,
    env: { ...process.env, ...command.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: STEP_LIMIT_MS,
    killSignal: 'SIGKILL',
  })
  const output: string[] = []
  const errors: string[] = []
  createInterface({ input: child.stdout }).on('line', (line) => output.push(line))
  createInterface({ input: child.stderr }).on('line', (line) => {
    errors.push(line)
    if (errors.length > ERROR_LINES) errors.shift()
    onLine(line)
  })
  return new Promise((resolve, reject) => {
    child.once('error', (error) => reject(new Error(`${command.program} could not be started: ${error.message}`)))
    child.once('close', (code) => {
      if (code === 0) resolve(output)
      else reject(new Error(`building the control plane failed (go ${args[0]}):\n${errors.join('\n')}`))
    })
  })
}

// The module's own program becomes all that Kubernetes consists of, chosen by the name it is started under.
function finishFolder(work: string, plan: BuildPlan): void {
  const suffix = plan.goos === 'windows' ? '.exe' : ''
  renameSync(join(work, `control-plane${suffix}`), join(work, 'kube'))
  chmodSync(join(work, 'kube'), 0o755)
  for (const name of PROGRAMS) {
    if (name !== 'helm') symlinkSync('kube', join(work, name))
  }
}

/** Moves a finished folder to its place with one rename. A complete one that is there already is as good; a damaged one is replaced. */
export function publish(work: string, target: string): void {
  if (existsSync(target) && !isCompleteFolder(target)) rmSync(target, { recursive: true, force: true })
  try {
    renameSync(work, target)
  } catch (error) {
    if (!isCompleteFolder(target)) throw error
    rmSync(work, { recursive: true, force: true })
  }
}

function removeAborted(target: string): void {
  const [parent, prefix] = [dirname(target), `${basename(target)}.tmp-`]
  if (!existsSync(parent)) return
  for (const name of readdirSync(parent)) {
    if (name.startsWith(prefix)) rmSync(join(parent, name), { recursive: true, force: true })
  }
}
