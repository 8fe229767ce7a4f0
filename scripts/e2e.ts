// `npm run e2e`: Fleet in real containers. Three clusters, each a kubelet with containerd in a network of its own; the images of the Containerfile; the charts.
//   --link-down=SECONDS  how long the link to a member is cut, 120 by default
// Needs Linux, root, and Debian's containerd, runc and containernetworking-plugins; where something is missing it says so and ends with 0.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { ensureControlPlane } from './control-plane.ts'
import { cgroupSupport } from './lib/e2e/cgroups.ts'
import { runApart } from './lib/e2e/enter.ts'
import { provideImages } from './lib/e2e/images.ts'
import { runInner } from './lib/e2e/inner.ts'
import { isLack } from './lib/e2e/lack.ts'
import { findCniPlugins, whyNot, whyNotIn } from './lib/e2e/prerequisites.ts'
import { ensureNodePrograms } from './lib/e2e/programs.ts'
import type { StageOptions } from './lib/e2e/stage.ts'
import { createWorkspace, nameFor, type Workspace } from './lib/e2e/workspace.ts'

// where Debian keeps runc, iptables and debootstrap; not on every user's PATH
const ADMIN_FOLDERS = ['/usr/local/sbin', '/usr/sbin', '/sbin']
const OPTIONS_FILE = 'options.json'
/** Beside the time that the link is down. */
const STEPS_LIMIT_MS = 7 * 60_000
/** For what the steps show when they fail. */
const FAREWELL_MS = 90_000

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { 'link-down': { type: 'string', default: '120' }, inside: { type: 'string' } } })
  if (values.inside !== undefined) {
    const options = JSON.parse(readFileSync(join(values.inside, OPTIONS_FILE), 'utf8')) as StageOptions
    return (await runInner(options)) ? 0 : 1
  }
  const linkDownMs = Number(values['link-down']) * 1000
  if (!(linkDownMs >= 1000 && linkDownMs <= 600_000)) throw new Error('--link-down takes 1 to 600 seconds')
  const reason = await whyNot()
  if (reason !== undefined) return skip(reason)
  const { description, lack } = cgroupSupport(nameFor('trial'))
  console.log(description)
  return lack === undefined ? runHere(linkDownMs) : skip(lack)
}

function skip(reason: string): number {
  console.log(`skipped: ${reason}`)
  return 0
}

async function runHere(linkDownMs: number): Promise<number> {
  const started = Date.now()
  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stop.abort())
  const workspace = await createWorkspace()
  try {
    const reason = await whyNotIn(workspace.dir)
    if (reason !== undefined) return skip(reason)
    const programs = await prepare(workspace)
    if (typeof programs === 'string') return skip(programs)
    console.log(`programs and images ready (${((Date.now() - started) / 1000).toFixed(0)} s)`)
    stop.signal.throwIfAborted()
    const limitMs = linkDownMs + STEPS_LIMIT_MS
    const options: StageOptions = {
      dir: workspace.dir,
      cgroup: workspace.name,
      cniPlugins: findCniPlugins() ?? '',
      programs,
      linkDownMs,
      limitMs,
    }
    writeFileSync(join(workspace.dir, OPTIONS_FILE), JSON.stringify(options))
    const env = { ...process.env, TMPDIR: workspace.dir }
    const end = AbortSignal.any([stop.signal, AbortSignal.timeout(limitMs + FAREWELL_MS)])
    return await runApart([process.execPath, import.meta.filename, '--inside', workspace.dir], env, end)
  } finally {
    await workspace.remove()
    console.log(`${stop.signal.aborted ? 'interrupted' : 'ended'} after ${((Date.now() - started) / 1000).toFixed(0)} s`)
  }
}

/** Programs, and images in the workspace; or what is missing to make them. */
async function prepare(workspace: Workspace): Promise<StageOptions['programs'] | string> {
  try {
    const controlPlane = (await ensureControlPlane()).bin
    const node = await ensureNodePrograms()
    await provideImages(workspace.dir, node)
    return { controlPlane, node }
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    if (isLack(message)) return `what is made the first time cannot be made here: ${message}`
    throw error
  }
}

process.env.PATH = [process.env.PATH ?? '/usr/bin:/bin', ...ADMIN_FOLDERS].join(':')
try {
  process.exitCode = await main()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
process.exit()
