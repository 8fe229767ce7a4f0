// The images of the test, as archives that containerd reads. They are built in a storage of their own, so that what an ended build left can be removed.
import { createHash, randomBytes } from 'node:crypto'
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { homedir, hostname } from 'node:os'
import { join } from 'node:path'
import { isAlive } from '../../../src/devcluster/leftovers.ts'
import { acquireLock } from '../control-plane/lock.ts'
import { buildImages } from '../image/build-images.ts'
import type { Engine } from '../image/engine.ts'
import { findEngine } from '../image/find-engine.ts'
import { IMAGES } from '../image/options.ts'
import { ROOT } from '../run.ts'
import { PAUSE_IMAGE } from './flags.ts'

/** As in docs/guides; nothing is pulled from there. */
export const REGISTRY = 'registry.example.com'
const TAG = 'e2e'
const PAUSE = 'FROM scratch\nCOPY pause /pause\nUSER 65535:65535\nENTRYPOINT ["/pause"]\n'
const LOCK_LIMIT_MS = 20 * 60_000

/** Writes `images/NAME.tar`, with the tag that the charts ask for, for fleet, fleet-agent and pause into a folder. @param node folder with the program `pause` */
export async function provideImages(dir: string, node: string, env: NodeJS.ProcessEnv = process.env): Promise<void> {
  const cache = join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'fleet-e2e-images')
  mkdirSync(cache, { recursive: true })
  const release = await acquireLock({
    file: join(cache, 'lock'),
    holder: { pid: process.pid, host: hostname(), token: randomBytes(8).toString('hex') },
    world: { now: () => Date.now(), sleep: (ms) => new Promise((done) => setTimeout(done, ms)), isAlive },
    limitMs: LOCK_LIMIT_MS,
    onWait: () => undefined,
  })
  const key = createHash('sha256').update(cache).digest('hex').slice(0, 12)
  const engine = await findEngine(undefined, { root: join(cache, 'storage'), run: join('/run', `fleet-e2e-images-${key}`) })
  try {
    await engine.tidy()
    await buildAll(engine, dir, node)
  } finally {
    await engine.tidy().finally(release)
  }
}

async function buildAll(engine: Engine, dir: string, node: string): Promise<void> {
  await buildImages({ engine, tag: TAG, offlineBase: false, borrowHelm: true, say: console.log })
  const context = join(dir, 'pause')
  mkdirSync(context)
  copyFileSync(join(node, 'pause'), join(context, 'pause'))
  for (const [name, text] of Object.entries({ Containerfile: PAUSE, '.containerignore': '' })) writeFileSync(join(context, name), text)
  const pause = `fleet/pause:${TAG}`
  await engine.build({ name: pause, containerfile: join(context, 'Containerfile'), contextDir: context, args: {}, stages: {} })
  const archive = (name: string) => join(dir, 'images', `${name}.tar`)
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string }
  for (const { target, repository } of IMAGES)
    await engine.save(`${repository}:${TAG}`, archive(target), `${REGISTRY}/${repository}:${version}`)
  await engine.save(pause, archive('pause'), PAUSE_IMAGE)
}
