// `npm run e2e`: Fleet in real containers. Two clusters, each a kubelet with containerd in a network of its own; the images of the Containerfile; the charts.
//   --link-down=SECONDS  how long the link to the member is cut, 120 by default
// Needs Linux, root, and Debian's containerd, runc and containernetworking-plugins; where they are missing it says so and ends with 0.
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { ensureControlPlane } from './control-plane.ts'
import { runApart } from './lib/e2e/enter.ts'
import { runInner } from './lib/e2e/inner.ts'
import { findCniPlugins, whyNot } from './lib/e2e/prerequisites.ts'
import { ensureNodePrograms } from './lib/e2e/programs.ts'
import type { StageOptions } from './lib/e2e/stage.ts'
import { createWorkspace, type Workspace } from './lib/e2e/workspace.ts'
import { buildImages } from './lib/image/build-images.ts'
import { type Engine, findEngine } from './lib/image/engine.ts'

const TAG = 'e2e'
const OPTIONS_FILE = 'options.json'
const PAUSE = 'FROM scratch\nCOPY pause /pause\nUSER 65535:65535\nENTRYPOINT ["/pause"]\n'

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { 'link-down': { type: 'string', default: '120' }, inside: { type: 'string' } } })
  if (values.inside !== undefined) {
    const options = JSON.parse(readFileSync(join(values.inside, OPTIONS_FILE), 'utf8')) as StageOptions
    return (await runInner(options)) ? 0 : 1
  }
  const linkDownMs = Number(values['link-down']) * 1000
  if (!(linkDownMs >= 1000 && linkDownMs <= 600_000)) throw new Error('--link-down takes 1 to 600 seconds')
  const reason = await whyNot()
  if (reason !== undefined) {
    console.log(`skipped: ${reason}`)
    return 0
  }
  return runHere(linkDownMs)
}

async function runHere(linkDownMs: number): Promise<number> {
  const started = Date.now()
  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stop.abort())
  const engine = await findEngine(undefined)
  const controlPlane = (await ensureControlPlane()).bin
  const node = await ensureNodePrograms()
  const workspace = await createWorkspace()
  try {
    await provideImages(engine, workspace, node)
    console.log(`programs and images ready (${((Date.now() - started) / 1000).toFixed(0)} s)`)
    stop.signal.throwIfAborted()
    const options: StageOptions = {
      dir: workspace.dir,
      cgroup: workspace.name,
      cniPlugins: findCniPlugins() ?? '',
      programs: { controlPlane, node },
      linkDownMs,
    }
    writeFileSync(join(workspace.dir, OPTIONS_FILE), JSON.stringify(options))
    const env = { ...process.env, TMPDIR: workspace.dir }
    return await runApart([process.execPath, import.meta.filename, '--inside', workspace.dir], env, stop.signal)
  } finally {
    await workspace.remove()
    console.log(`${stop.signal.aborted ? 'interrupted' : 'ended'} after ${((Date.now() - started) / 1000).toFixed(0)} s`)
  }
}

/** Archives of the images in the workspace. */
async function provideImages(engine: Engine, { dir }: Workspace, node: string): Promise<void> {
  await buildImages({ engine, tag: TAG, offlineBase: false, say: console.log })
  const context = join(dir, 'pause')
  mkdirSync(context)
  copyFileSync(join(node, 'pause'), join(context, 'pause'))
  for (const [name, text] of Object.entries({ Containerfile: PAUSE, '.containerignore': '' })) writeFileSync(join(context, name), text)
  const name = `fleet/pause:${TAG}`
  await engine.build({ name, containerfile: join(context, 'Containerfile'), contextDir: context, args: {}, stages: {} })
  for (const image of ['fleet', 'fleet-agent', 'pause']) {
    await engine.save(`fleet/${image}:${TAG}`, join(dir, 'images', `${image}.tar`), `docker.io/fleet/${image}:${TAG}`)
  }
}

try {
  process.exitCode = await main()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
process.exit()
