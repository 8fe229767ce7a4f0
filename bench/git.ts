// Reading git: a repository of 500 files with each backend, and what it costs to ask one server for many repositories, by itself and for a whole hub.
//   npm run bench -- git [RUNS] [FILES] [REPOSITORIES] [SECONDS]
//   npm run bench -- git hub [GITREPOS] [FAILING] [SECONDS]
// The server is this process; what is measured runs in a process of its own, whose children count too.
import { spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { systemClock } from '../src/lib/controller/clock.ts'
import { createCommandBackend } from '../src/lib/git/command/command-backend.ts'
import { findGitCommand } from '../src/lib/git/command/find-git.ts'
import { DEFAULT_GIT_LIMITS, type GitBackend } from '../src/lib/git/types.ts'
import { createGitWorkerBackend } from '../src/lib/git/worker-backend.ts'
import { createPoller } from '../src/source/poller.ts'
import { startGitServer } from '../src/testing/git-server.ts'
import { measureHub } from './git/hub.ts'

const POLL_MS = 15_000
const SAMPLE_MS = 10
const BACKENDS = ['isomorphic', 'command'] as const
const [first = '', ...rest] = process.argv.slice(2)

if (first === 'fetch') await fetchOnce(rest)
else if (first === 'poll') await pollFor(rest)
else if (first === 'hub') await hub(rest)
else {
  await measure()
  await hub([])
}

interface Outcome {
  readonly ms: number
  readonly cpuMs: number
}

async function measure(): Promise<void> {
  const [runs = 5, files = 500, repositories = 100, seconds = 60] = [first, ...rest].filter(Boolean).map(Number)
  const server = await startGitServer()
  try {
    const line = (file: number, at: number): string => `  key-${at}: "value ${at} of file ${file}, ${Math.sin(file * at)}"`
    const text = (file: number): string => Array.from({ length: 60 }, (_, at) => line(file, at)).join('\n')
    const tree = Object.fromEntries(Array.from({ length: files }, (_, file) => [`app-${file % 50}/config-${file}.yaml`, text(file)]))
    const git = await server.repository('files', tree)
    await git.git(['config', 'uploadpack.allowFilter', 'true'])
    const head = await git.head()
    for (const paths of ['', 'app-7'])
      for (const backend of BACKENDS) {
        const samples = []
        for (let run = 0; run < runs; run++) samples.push(await runChild(['fetch', backend, git.url, head, paths]))
        const what = `fetch of ${files} files${paths && `, only ${paths}`}`
        report(`${what}, ${backend}: ${spread(samples.map(({ ms }) => ms))} ms, peak ${spread(samples.map(({ peakMiB }) => peakMiB))} MiB`)
      }
    const urls: string[] = []
    for (let at = 0; at < repositories; at++) urls.push((await server.repository(`poll-${at}`, { a: String(at) })).url)
    const before = server.seen.length
    const { cpuMs } = await runChild(['poll', String(seconds), ...urls])
    const requests = ((server.seen.length - before) * 60) / seconds
    report(
      `${repositories} repositories, each asked every ${POLL_MS / 1_000} s: ${requests.toFixed(0)} requests/min, ${((cpuMs * 60) / seconds).toFixed(0)} ms CPU/min`,
    )
  } finally {
    await server.stop()
  }
}

function hub(args: readonly string[]): Promise<void> {
  const [gitRepos = 100, failing = 50, seconds = 60] = args.map(Number)
  return measureHub({ gitRepos, failing, seconds, report })
}

/** In the child: one fetch, from a warm process without a warm backend. */
async function fetchOnce([name = '', url = '', commit = '', path = '']: readonly string[]): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'bench-git-'))
  const backend = await backendOf(name, dir)
  const started = performance.now()
  const options = { limits: DEFAULT_GIT_LIMITS, paths: path ? [path] : undefined }
  await backend.fetch({ url }, commit, join(dir, 'tree'), options, new AbortController().signal)
  tell({ ms: performance.now() - started, cpuMs: cpuMs() })
  await backend.close()
  await rm(dir, { recursive: true, force: true })
}

/** In the child: polls for some seconds, the first round, which comes at once, included. */
async function pollFor([seconds = '', ...urls]: readonly string[]): Promise<void> {
  const backend = createGitWorkerBackend()
  const log = { debug() {}, info() {}, warn() {}, error() {}, child: () => log }
  const poller = createPoller({ backend, clock: systemClock, log, random: Math.random, onPolled() {} })
  const started = performance.now()
  for (const url of urls) poller.follow(url, { id: url, remote: { url }, ref: { branch: 'master' }, intervalMs: POLL_MS })
  const before = cpuMs()
  await pause(Number(seconds) * 1_000)
  tell({ ms: performance.now() - started, cpuMs: cpuMs() - before })
  poller.stop()
  await backend.close()
}

async function backendOf(name: string, tempDir: string): Promise<GitBackend & { close(): Promise<void> }> {
  if (name !== 'command') return createGitWorkerBackend()
  const found = await findGitCommand(process.env.PATH ?? '')
  if ('problem' in found) throw new Error(found.problem)
  return createCommandBackend({ command: found, tempDir })
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1_000
}

function tell(outcome: Outcome): void {
  process.stdout.write(JSON.stringify(outcome))
}

function report(line: string): void {
  process.stdout.write(`${line}\n`)
}

async function runChild(args: readonly string[]): Promise<Outcome & { peakMiB: number }> {
  const child = spawn(process.execPath, [import.meta.filename, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  let [output, peakMiB] = ['', 0]
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString()
  })
  const timer = setInterval(() => {
    peakMiB = Math.max(peakMiB, residentMiB(child.pid ?? 0))
  }, SAMPLE_MS)
  await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve))
  clearInterval(timer)
  return { ...(JSON.parse(output) as Outcome), peakMiB }
}

/** Of a process and all below it. */
function residentMiB(root: number): number {
  const below = new Map<number, number[]>()
  const resident = new Map<number, number>()
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const status = read(`/proc/${name}/status`)
    const parent = Number(/^PPid:\s+(\d+)/m.exec(status)?.[1])
    below.set(parent, [...(below.get(parent) ?? []), Number(name)])
    resident.set(Number(name), Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0) / 1_024)
  }
  const sum = (pid: number): number => (resident.get(pid) ?? 0) + (below.get(pid) ?? []).reduce((total, one) => total + sum(one), 0)
  return sum(root)
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return '' // the process has ended
  }
}

/** The median, and in brackets the lowest and the highest. */
function spread(values: readonly number[]): string {
  const sorted = values.map(Math.round).sort((left, right) => left - right)
  return `${sorted[Math.floor(sorted.length / 2)]} (${sorted[0]}–${sorted.at(-1)})`
}
