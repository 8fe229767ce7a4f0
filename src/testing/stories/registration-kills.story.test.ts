// SIGKILL at every step of an import and of a registration: once before each request that the program sends. It always ends registered, with nothing left over.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createFastClock } from '../../agent/register/hub-fixture.ts'
import { ensureRegistered } from '../../agent/register/register.ts'
import { BUNDLE_DEPLOYMENT, CLUSTER_REGISTRATION } from '../../api/kinds.ts'
import { AGENT_BOOTSTRAP_NAME, AGENT_NAME } from '../../api/labels.ts'
import { clusterNamespace } from '../../api/names.ts'
import { SYSTEM_NAMESPACE, WORKSPACE } from '../../devcluster/fleet-objects.ts'
import { applyAll } from '../../devcluster/world.ts'
import { getCondition } from '../../lib/controller/conditions.ts'
import { silentLogger } from '../../lib/controller/log.ts'
import { inParallel } from '../../lib/controller/parallel.ts'
import { DEPLOYMENT, roleObject, SECRET, SERVICE_ACCOUNT } from '../../registration/kinds.ts'
import { stamp } from '../../registration/set-identity.ts'
import { eventually } from '../eventually.ts'
import { type FaultProxy, type SeenRequest, startFaultProxy } from '../fault-proxy.ts'
import { type Program, useJoining } from '../joining.ts'
import { createKillPoints, isWrite, type KillPoints } from '../kill-points.ts'
import { clientOf } from '../kube.ts'
import { leftovers } from '../leftovers.ts'

const scene = useJoining()
/** More than any flow has; ends a loop that would not. */
const MOST_STEPS = 80
/** What follows a registration by itself, such as conditions of the cluster. */
const AFTERMATH_MS = 4_000
/** A registration takes two less: the last thing it does is to forget the bootstrap secret. */
const AGENT_STEPS = 14
const LANES = 4
const CONTROLLERS = ['--controllers=registration,cluster,cleanup']

/** Proxies in front of both API servers that hold a program at the same point. */
interface Ways {
  readonly points: KillPoints
  readonly hub: FaultProxy
  readonly down: FaultProxy
  stop(): Promise<void>
}

async function openWays(isStep: Parameters<typeof createKillPoints>[0]): Promise<Ways> {
  const points = createKillPoints(isStep)
  const { gate } = points
  const [hub, down] = [
    await startFaultProxy({ target: scene.cluster('hub'), gate }),
    await startFaultProxy({ target: scene.cluster('down'), gate }),
  ]
  return { points, hub, down, stop: async () => void (await Promise.all([hub.stop(), down.stop()])) }
}

describe('a hub that is killed before', () => {
  let ways: Ways
  let controller: Program
  beforeAll(async () => {
    ways = await openWays(isWrite)
    controller = scene.startController({ hub: ways.hub, args: CONTROLLERS })
  })
  afterAll(async () => {
    await controller.kill()
    await ways.stop()
  })

  /** The agent's part: it registers whenever it has been installed anew. */
  async function playAgent(namespace: string): Promise<void> {
    await eventually(
      async () => {
        await scene.down.get({ ...DEPLOYMENT, name: AGENT_NAME, namespace })
        await scene.down.get({ ...SECRET, name: AGENT_BOOTSTRAP_NAME, namespace })
      },
      { what: `agent installed in ${namespace}` },
    )
    const options = { client: scene.down, namespace, podName: '', clock: createFastClock(5), log: silentLogger, random: () => 0 }
    await ensureRegistered(options, AbortSignal.timeout(60_000))
  }

  async function isJoined(name: string): Promise<boolean> {
    const { spec, status } = await scene.clusterObject(name)
    const imported = getCondition(status?.conditions, 'Imported')?.status === 'True' && status?.agentConfigChanged === false
    const granted = (await scene.registrations(spec.clientID ?? '')).filter((request) => request.status?.granted)
    return imported && granted.length === 1 && !(await hasBootstrap(name)) && (await scene.credential(name)) !== undefined
  }

  async function hasBootstrap(namespace: string): Promise<boolean> {
    return (await scene.down.find({ ...SECRET, name: AGENT_BOOTSTRAP_NAME, namespace })) !== undefined
  }

  /** Ends with the cluster in the fleet, its agent installed once more if need be. */
  async function joined(name: string): Promise<void> {
    for (let installation = 0; installation < 3; installation++) {
      await playAgent(name)
      const outcome = await eventually(
        async () => {
          const found = (await isJoined(name)) ? 'joined' : (await hasBootstrap(name)) ? 'installed once more' : 'neither'
          expect(found).not.toBe('neither')
          return found
        },
        { what: `${name} has joined, or its agent is installed once more` },
      )
      if (outcome === 'joined') return
    }
    throw new Error(`${name} has not joined`)
  }

  test('any write of an import and of the registration that follows ends with the cluster registered', { timeout: 900_000 }, async () => {
    await eventually(() => expect(ways.hub.watches).toBeGreaterThan(5), { what: 'the controller runs' })
    const steps: string[] = []
    for (let step = 0; ; step++) {
      expect(step).toBeLessThan(MOST_STEPS)
      const name = `kill-${step}`
      const reached = ways.points.arm(step).then(() => true)
      await scene.importCluster(name, { down: ways.down })
      const finished = joined(name).then(() => false)
      finished.catch(() => {})
      const struck = await Promise.race([reached, finished])
      if (!struck && !(await Promise.race([reached, new Promise<false>((resolve) => setTimeout(resolve, AFTERMATH_MS, false))]))) break
      steps.push(ways.points.steps.at(-1) ?? '')
      await controller.kill()
      ways.points.disarm()
      controller = scene.startController({ hub: ways.hub, args: CONTROLLERS })
      await finished
      await eventually(async () => expect(await leftovers(scene.hub)).toEqual([]), {
        what: `nothing left over by ${name}`,
        timeoutMs: 60_000,
        everyMs: 300,
      })
    }
    expect(steps.length).toBeGreaterThan(20)
    await controller.kill()
    await wouldBeSeen('kill-0')
  })

  /** What the test looks for after each kill is found when it is there. */
  async function wouldBeSeen(name: string): Promise<void> {
    const account = { ...SERVICE_ACCOUNT, metadata: { name: 'second', namespace: clusterNamespace(WORKSPACE, name) } }
    const gone = { ...CLUSTER_REGISTRATION, metadata: { name: 'gone', namespace: WORKSPACE } }
    const role = stamp(roleObject({ name: 'gone', namespace: SYSTEM_NAMESPACE }, []), { id: 'cluster-registration', owner: gone })
    await applyAll(scene.hub, [account, role])
    expect(await leftovers(scene.hub)).toEqual([
      expect.stringMatching(/^Role .*gone belongs to nobody$/),
      expect.stringMatching(new RegExp(`^cluster ${name} has 2 accounts: .*second`)),
    ])
    await Promise.all(
      [account, role].map(({ apiVersion, kind, metadata }) =>
        scene.hub.delete({ apiVersion, kind, name: metadata.name, namespace: metadata.namespace ?? '' }),
      ),
    )
  }
})

describe('an agent that is killed before', () => {
  let controller: Program
  beforeAll(() => {
    controller = scene.startController({ args: CONTROLLERS })
  })
  afterAll(() => controller.kill())

  /** What is asked again and again until the hub has done its part is one step, however long that takes. */
  function createIsStep(): (request: SeenRequest) => boolean {
    let last = ''
    return ({ method, path, watch }) => {
      if (watch || /\/(leases|events)(\/|\?|$)/.test(path)) return false
      const line = `${method} ${path}`
      const isRepeated = method === 'GET' && line === last
      last = line
      return !isRepeated
    }
  }

  /** Kills an agent before its request number `step`, starts it again, and returns that request; undefined when it had registered before. */
  async function killAt(step: number, values: Readonly<Record<string, string>>): Promise<string | undefined> {
    const [name, ways] = [`agent-${step}`, await openWays(createIsStep())]
    const reached = ways.points.arm(step).then(() => true)
    await scene.prepareAgent(name, name, { ...values, apiServerURL: ways.hub.url, apiServerCA: ways.hub.ca })
    let agent = scene.startAgent(name, { down: ways.down })
    try {
      const registered = scene.registered(name)
      registered.catch(() => {})
      const struck = await Promise.race([reached, registered.then(() => false)])
      const request = ways.points.steps.at(-1)
      await agent.kill()
      ways.points.disarm()
      agent = scene.startAgent(name, { down: ways.down })
      await registered
      await works(name)
      return struck ? request : undefined
    } finally {
      await agent.kill()
      await ways.stop()
    }
  }

  /** The hub takes the credential, and knows of no other one of the same client. */
  async function works(name: string): Promise<void> {
    await eventually(
      async () => {
        const { kubeconfig = '', deploymentNamespace = '' } = (await scene.credential(name)) ?? {}
        const client = await clientOf(kubeconfig)
        await client.list(BUNDLE_DEPLOYMENT, { namespace: deploymentNamespace }).finally(() => client.close())
        const requests = await scene.registrations(name)
        expect(requests.map(({ status }) => status?.granted)).toEqual([true])
      },
      { what: `${name} works` },
    )
  }

  test('any request until it is registered registers with the next start', { timeout: 240_000 }, async () => {
    const values = await scene.token('join')
    const steps = await inParallel([...Array(AGENT_STEPS).keys()], LANES, (step) => killAt(step, values))
    const writes = steps.filter((step) => step && !step.startsWith('GET')).map((step) => step?.replace(/namespaces\/[^/]*/, '*'))
    expect([...new Set(writes)]).toEqual([
      'POST /apis/fleet.cattle.io/v1alpha1/*/clusterregistrations',
      'POST /api/v1/*/secrets',
      'DELETE /api/v1/*/secrets/fleet-agent-bootstrap',
    ])
    await eventually(async () => expect(await leftovers(scene.hub)).toEqual([]))
  })
})
