// Many clusters register at the same moment: all of them get in, soon, and what each costs the hub is counted.
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ensureRegistered } from '../../agent/register/register.ts'
import { BUNDLE_DEPLOYMENT, CLUSTER } from '../../api/kinds.ts'
import { registeredClusterName } from '../../api/names.ts'
import { WORKSPACE } from '../../devcluster/fleet-objects.ts'
import { systemClock } from '../../lib/controller/clock.ts'
import { silentLogger } from '../../lib/controller/log.ts'
import { inParallel } from '../../lib/controller/parallel.ts'
import { eventually } from '../eventually.ts'
import { type FaultProxy, type SeenRequest, startFaultProxy } from '../fault-proxy.ts'
import { type Program, useJoining } from '../joining.ts'
import { isWrite } from '../kill-points.ts'
import { clientOf } from '../kube.ts'
import { leftovers } from '../leftovers.ts'

const CLUSTERS = 50
/** Generous: the machine is shared. */
const ALL_REGISTERED_MS = 120_000
const MOST_WRITES = 30
const MOST_READS = 10
const MOST_MIB = 250

const scene = useJoining()
let proxy: FaultProxy
let controller: Program

beforeAll(async () => {
  proxy = await startFaultProxy({ target: scene.cluster('hub') })
  controller = scene.startController({ hub: proxy })
  await eventually(() => expect(controller.log()).toContain('starting controllers'))
})
afterAll(async () => {
  await controller?.kill()
  await proxy?.stop()
})

/** Memory of the hub in MiB, by a key of /proc/PID/status; undefined on machines without it. */
function memory(key: 'VmRSS' | 'VmHWM'): number | undefined {
  try {
    const match = new RegExp(`^${key}:\\s+(\\d+) kB$`, 'm').exec(readFileSync(`/proc/${controller.pid}/status`, 'utf8'))
    return match ? Math.round(Number(match[1]) / 1_024) : undefined
  } catch {
    return undefined
  }
}

/** Waits until the hub has nothing left to write, and returns what it has sent. */
async function sent(): Promise<readonly SeenRequest[]> {
  let before = -1
  await eventually(
    () => {
      const { length } = proxy.seen.filter(isWrite)
      const quiet = length === before
      before = length
      expect(quiet).toBe(true)
    },
    { everyMs: 2_500, what: 'the hub is quiet' },
  )
  return proxy.seen
}

test(`${CLUSTERS} clusters that register at once are all granted`, { timeout: 300_000 }, async () => {
  const values = await scene.token('crowd')
  const names = Array.from({ length: CLUSTERS }, (_, index) => `crowd-${index}`)
  await inParallel(names, 10, (name) => scene.prepareAgent(name, name, values))
  await sent()
  proxy.forget()
  const idle = memory('VmRSS')

  const start = Date.now()
  const times = await inParallel(names, CLUSTERS, async (namespace) => {
    const options = { client: scene.down, namespace, podName: namespace, clock: systemClock, log: silentLogger, random: Math.random }
    const upstream = await ensureRegistered(options, AbortSignal.timeout(ALL_REGISTERED_MS))
    expect(upstream.cluster).toEqual({ namespace: WORKSPACE, name: registeredClusterName(namespace) })
    const ms = Date.now() - start
    const client = await clientOf(upstream.kubeconfig)
    await client.list(BUNDLE_DEPLOYMENT, { namespace: upstream.deploymentNamespace }).finally(() => client.close())
    return ms
  })
  const requests = await sent()
  expect((await scene.hub.list(CLUSTER, { namespace: WORKSPACE })).items).toHaveLength(CLUSTERS)
  const registrations = await Promise.all(names.map((name) => scene.registrations(name)))
  expect(registrations.map((found) => found.map(({ status }) => status?.granted))).toEqual(names.map(() => [true]))
  await eventually(async () => expect(await leftovers(scene.hub)).toEqual([]), { what: 'nothing is left over' })

  times.sort((a, b) => a - b)
  const writes = requests.filter(isWrite).length / CLUSTERS
  const reads = requests.filter(({ method, watch }) => method === 'GET' && !watch).length / CLUSTERS
  const [rss, peak] = [memory('VmRSS'), memory('VmHWM')]
  const figures = {
    clusters: CLUSTERS,
    medianMs: times[CLUSTERS / 2],
    lastMs: times.at(-1),
    writes,
    reads,
    idleMiB: idle,
    rssMiB: rss,
    peakMiB: peak,
  }
  process.stdout.write(`${JSON.stringify(figures)}\n`)
  expect(writes).toBeLessThan(MOST_WRITES)
  expect(reads).toBeLessThan(MOST_READS)
  expect(peak ?? 0).toBeLessThan(MOST_MIB)
})
