// What goes wrong when clusters join: it is said where people look, nothing is done over and over, and it goes on once the mistake is mended.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { CLUSTER, CLUSTER_REGISTRATION_TOKEN } from '../../api/kinds.ts'
import { WORKSPACE } from '../../devcluster/fleet-objects.ts'
import { getCondition } from '../../lib/controller/conditions.ts'
import type { KubeObject } from '../../lib/kube/types.ts'
import { DEPLOYMENT, NAMESPACE, ROLE_BINDING } from '../../registration/kinds.ts'
import { consistently, eventually } from '../eventually.ts'
import { type FaultProxy, startFaultProxy } from '../fault-proxy.ts'
import { type Program, useJoining } from '../joining.ts'
import { leftovers } from '../leftovers.ts'

const scene = useJoining()
let controller: Program
let proxy: FaultProxy
const running: Program[] = []
/** How the certificate of a fault proxy is named. */
const CERTIFICATE = /subject "CN=fault proxy", issuer "CN=fault proxy"/

beforeAll(async () => {
  controller = scene.startController()
  proxy = await startFaultProxy({ target: scene.cluster('hub') })
})
afterAll(async () => {
  await Promise.all([controller, ...running].map((program) => program?.kill()))
  await proxy?.stop()
})

function startAgent(namespace: string): Program {
  const agent = scene.startAgent(namespace)
  running.push(agent)
  return agent
}

/** The lines of a log that contain a text. */
function linesOf(program: Program, text: string): string[] {
  return program
    .log()
    .split('\n')
    .filter((line) => line.includes(text))
}

async function says(program: Program, text: string | RegExp): Promise<void> {
  await eventually(() => expect(program.log()).toMatch(text), { what: `the log says ${text}`, timeoutMs: 60_000 })
}

/** Milliseconds. */
function created({ metadata }: KubeObject): number {
  return Date.parse(metadata.creationTimestamp ?? '')
}

/** Waits until the agent has told the hub that it lives. */
async function reports(cluster: string, after = 0): Promise<void> {
  await eventually(
    async () => expect(Date.parse((await scene.clusterObject(cluster)).status?.agent?.lastSeen ?? '')).toBeGreaterThan(after),
    { what: `${cluster} reports` },
  )
}

describe('two agents with the same client id', () => {
  test('get one cluster: the later one has it, the earlier one is told so, and nothing goes back and forth', async () => {
    const values = await scene.token('twins')
    await scene.prepareAgent('twin-one', 'twins', values)
    const one = startAgent('twin-one')
    const first = await scene.registered('twin-one')
    await reports(first.clusterName ?? '')
    const [old] = await scene.registrations('twins')

    await scene.prepareAgent('twin-two', 'twins', values)
    const two = startAgent('twin-two')
    const second = await scene.registered('twin-two')
    expect(second.clusterName).toBe(first.clusterName)
    await reports(second.clusterName ?? '', Date.now())
    await says(one, /cannot patch resource|Unauthorized/)
    expect(two.log()).not.toMatch(/cannot patch resource|Unauthorized/)
    expect(old).toBeDefined()
    await consistently(async () => {
      const requests = await scene.registrations('twins')
      expect(requests).toHaveLength(1)
      expect(requests[0]?.metadata.uid).not.toBe(old?.metadata.uid)
    })
    await eventually(async () => expect(await leftovers(scene.hub)).toEqual([]))
  })
})

describe('two clusters with the same client id', () => {
  test('are one too many: the later one is told of the earlier one, which goes on undisturbed', async () => {
    await scene.importCluster('elder')
    await eventually(async () => expect(await scene.down.find({ ...DEPLOYMENT, name: 'fleet-agent', namespace: 'elder' })).toBeDefined())
    startAgent('elder')
    await scene.registered('elder')
    const { spec } = await scene.clusterObject('elder')
    // the credential is there a moment before the hub says so
    const before = await eventually(async () => {
      const found = await scene.registrations(spec.clientID ?? '')
      expect(found.map(({ status }) => status?.granted)).toEqual([true])
      return found
    })
    await eventually(async () =>
      expect(Math.floor(Date.now() / 1_000) * 1_000).toBeGreaterThan(created(await scene.clusterObject('elder'))),
    )
    await scene.importCluster('younger', { clientID: spec.clientID ?? '' })
    const conditionOf = async (type: string) => getCondition((await scene.clusterObject('younger')).status?.conditions, type)
    for (const type of ['Imported', 'Connected'])
      await eventually(async () =>
        expect(await conditionOf(type)).toMatchObject({ status: 'False', message: expect.stringMatching(/fleet-default\/elder/) }),
      )
    const start = Date.now()
    await reports('elder', start)
    expect(await scene.registrations(spec.clientID ?? '')).toEqual(before)
    expect(await scene.down.find({ ...NAMESPACE, name: 'younger' })).toBeUndefined()
    await scene.hub.patch({ ...CLUSTER, name: 'younger', namespace: WORKSPACE }, { spec: { clientID: 'its-own' } }, { type: 'merge' })
    await eventually(async () => expect(await conditionOf('Imported')).toMatchObject({ status: 'True' }))
  })
})

describe('a token that has expired', () => {
  test('is named, is tried less and less often, and a fresh one is taken up at once', async () => {
    const values = await scene.token('short')
    const rights = async () => (await scene.hub.list(ROLE_BINDING, { namespace: WORKSPACE })).items.map(({ metadata }) => metadata.name)
    expect(await rights()).toContainEqual(expect.stringMatching(/^short-/))
    const token = { ...CLUSTER_REGISTRATION_TOKEN, name: 'short', namespace: WORKSPACE }
    await scene.hub.patch(token, { spec: { ttl: '1s' } }, { type: 'merge' })
    await eventually(async () => expect(await rights()).not.toContainEqual(expect.stringMatching(/^short-/)), { what: 'token expired' })
    await scene.prepareAgent('late', 'late', { ...values, apiServerURL: proxy.url, apiServerCA: proxy.ca })
    proxy.forget()
    const agent = startAgent('late')
    await says(agent, 'the hub refuses the token of the bootstrap secret, it may have expired')
    const attempts = () => linesOf(agent, '"msg":"registering"').map((line) => Date.parse(JSON.parse(line).time))
    await eventually(
      () => {
        const times = attempts()
        const pauses = times.slice(1).map((time, index) => time - (times[index] ?? 0))
        const [before = 0, middle = 0, last = 0] = pauses.slice(-3)
        expect(last, pauses.join()).toBeGreaterThan(6_000)
        expect(last, pauses.join()).toBeGreaterThan(middle * 1.3)
        expect(middle, pauses.join()).toBeGreaterThan(before * 1.3)
      },
      { what: 'pauses that grow' },
    )
    expect(proxy.seen.length).toBeLessThan(30)
    expect(await scene.registrations('late')).toEqual([])
    const fresh = await scene.token('long')
    const start = Date.now()
    await scene.bootstrap('late', { ...fresh, apiServerURL: proxy.url, apiServerCA: proxy.ca })
    await scene.registered('late')
    // the next attempt would have been made after 12 s or more, and a registration takes another two
    expect(Date.now() - start).toBeLessThan(13_000)
    expect(await scene.registrations('late')).toHaveLength(1)
    // what passes the proxy is counted in other tests
    await agent.kill()
  })
})

describe('with agentTLSMode strict a certificate of another CA', () => {
  test('of the hub is named by the agent with issuer and subject, and no token is sent to it', async () => {
    const values = await scene.token('wary')
    await scene.prepareAgent('wary', 'wary', { ...values, apiServerURL: proxy.url, apiServerCA: scene.cluster('hub').ca })
    proxy.forget()
    const agent = startAgent('wary')
    await says(agent, 'not registered, trying again')
    const [line] = linesOf(agent, 'not registered, trying again')
    expect(JSON.parse(line ?? '{}').reason).toMatch(CERTIFICATE)
    expect(proxy.seen).toEqual([])
    await scene.bootstrap('wary', { ...values, apiServerURL: proxy.url, apiServerCA: proxy.ca })
    await scene.registered('wary')
  })

  test('of a cluster is named in condition Imported with issuer and subject, and no credential is sent to it', async () => {
    const down = await startFaultProxy({ target: scene.cluster('down') })
    try {
      await scene.importCluster('impostor', { down: { url: down.url, ca: scene.cluster('down').ca } })
      const message = await eventually(async () => {
        const condition = getCondition((await scene.clusterObject('impostor')).status?.conditions, 'Imported')
        expect(condition?.status).toBe('False')
        return condition?.message ?? ''
      })
      expect(message).toMatch(CERTIFICATE)
      expect(down.seen).toEqual([])
    } finally {
      await down.stop()
    }
  })
})
