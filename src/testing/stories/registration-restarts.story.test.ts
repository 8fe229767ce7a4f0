// Clusters that are in the fleet stay in it: over restarts of everything, when the hub moves, and when somebody deletes them and changes their mind.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Cluster } from '../../api/cluster.ts'
import type { ClusterRegistration } from '../../api/cluster-registration.ts'
import { CLUSTER, CLUSTER_REGISTRATION, CLUSTER_REGISTRATION_TOKEN } from '../../api/kinds.ts'
import { AGENT_BOOTSTRAP_NAME, AGENT_NAME } from '../../api/labels.ts'
import { expectedCluster, SYSTEM_NAMESPACE, WORKSPACE } from '../../devcluster/fleet-objects.ts'
import { applyAll } from '../../devcluster/world.ts'
import { getCondition } from '../../lib/controller/conditions.ts'
import type { KubeObject } from '../../lib/kube/types.ts'
import { parseYaml } from '../../lib/yaml/parse.ts'
import { CONFIG_MAP, SECRET, type Secret, secretObject, secretText } from '../../registration/kinds.ts'
import { consistently, eventually } from '../eventually.ts'
import { type FaultProxy, startFaultProxy } from '../fault-proxy.ts'
import { configMap, configMapRef, useFleet } from '../fleet.ts'
import { leftovers } from '../leftovers.ts'

const IMPORTED = 'imported'
const JOINED = 'joined'
const MEMBERS = [IMPORTED, JOINED] as const
type Member = (typeof MEMBERS)[number]

const fleet = useFleet({
  members: [
    { name: IMPORTED, labels: {}, joins: 'import' },
    { name: JOINED, labels: {}, joins: 'token' },
  ],
  config: { agentCheckinInterval: '2s' },
  controllerEnv: {
    FLEET_AGENT_ELECTION_LEASE_DURATION: '6s',
    FLEET_AGENT_ELECTION_RENEW_DEADLINE: '4s',
    FLEET_AGENT_ELECTION_RETRY_PERIOD: '1s',
  },
})

/** Where the hub moves to; it stays there. */
let proxy: FaultProxy
beforeAll(async () => {
  proxy = await startFaultProxy({ target: fleet.world.hub })
})
afterAll(() => proxy?.stop())

const cluster = (name: Member): Promise<Cluster> => fleet.hub.get<Cluster>({ ...CLUSTER, name, namespace: WORKSPACE })
const secretOf = (name: Member, secret: string) =>
  fleet.clientOf(name).find<Secret>({ ...SECRET, name: secret, namespace: SYSTEM_NAMESPACE })

/** What makes a registration this one and no other. */
interface Identity {
  readonly cluster: string | undefined
  readonly registration: string | undefined
  readonly credential: string | undefined
}

/** Waits until a cluster is registered, once, and its agent reports with that credential. */
async function registered(name: Member): Promise<Identity> {
  return eventually(
    async () => {
      const { metadata, spec, status } = await cluster(name)
      const { items } = await fleet.hub.list<ClusterRegistration>(CLUSTER_REGISTRATION, { namespace: WORKSPACE })
      const requests = items.filter((request) => request.spec.clientID === spec.clientID)
      expect(requests.map((request) => request.status?.granted)).toEqual([true])
      const [bootstrap, credential] = [await secretOf(name, AGENT_BOOTSTRAP_NAME), await secretOf(name, AGENT_NAME)]
      expect(bootstrap).toBeUndefined()
      expect(secretText(credential, 'clusterName')).toBe(name)
      // an import that was cut off is begun anew, and the registration with it
      const imported = [status?.agentDeployedGeneration ?? undefined, status?.agentConfigChanged ?? false]
      if (name === IMPORTED) expect(imported).toEqual([spec.redeployAgentGeneration ?? 0, false])
      expect(getCondition(status?.conditions, 'Connected'), JSON.stringify(status?.conditions)).toMatchObject({ status: 'True' })
      expect(Date.now() - Date.parse(status?.agent?.lastSeen ?? '')).toBeLessThan(8_000)
      return { cluster: metadata.uid, registration: requests[0]?.metadata.uid, credential: credential?.metadata.resourceVersion }
    },
    { what: `${name} registered`, timeoutMs: 90_000 },
  )
}

async function allRegistered(): Promise<Identity[]> {
  const identities = await Promise.all(MEMBERS.map(registered))
  await nothingIsLeftOver()
  return identities
}

/** Tokens of an account go after it, by Kubernetes' own controllers; after a restart of the API server they take up to half a minute to be back. */
function nothingIsLeftOver(): Promise<void> {
  return eventually(async () => expect(await leftovers(fleet.hub)).toEqual([]), { what: 'nothing is left over', timeoutMs: 60_000 })
}

/** Waits for reports that were made after now. */
async function allReport(): Promise<void> {
  const start = Date.now()
  for (const name of MEMBERS) {
    await eventually(async () => expect(Date.parse((await cluster(name)).status?.agent?.lastSeen ?? '')).toBeGreaterThan(start + 1_000), {
      what: `${name} reports`,
    })
  }
}

/** Both clusters begin to register anew: one is imported again, the chart of the other is installed again with a new token. */
async function beginAnew(): Promise<void> {
  const { spec } = await cluster(IMPORTED)
  await fleet.hub.patch(
    { ...CLUSTER, name: IMPORTED, namespace: WORKSPACE },
    { spec: { redeployAgentGeneration: (spec.redeployAgentGeneration ?? 0) + 1 } },
    { type: 'merge' },
  )
  await fleet.clientOf(JOINED).delete({ ...SECRET, name: AGENT_NAME, namespace: SYSTEM_NAMESPACE })
  await installChart()
  await kill(JOINED, 'fleet-agent')
}

/** The part of chart fleet-agent that lets an agent register. */
async function installChart(): Promise<void> {
  const values = await eventually(async () => {
    const secret = await fleet.hub.get<Secret>({ ...SECRET, name: JOINED, namespace: WORKSPACE })
    return parseYaml(secretText(secret, 'values')) as Record<string, unknown>
  })
  const { url, ca } = fleet.world.hub
  const texts = Object.entries({ ...values, apiServerURL: url, apiServerCA: ca }).filter(([, text]) => typeof text === 'string')
  const bootstrap = secretObject(
    { name: AGENT_BOOTSTRAP_NAME, namespace: SYSTEM_NAMESPACE },
    Object.fromEntries(texts) as Record<string, string>,
  )
  await applyAll(fleet.clientOf(JOINED), [bootstrap])
}

async function kill(where: string, program: 'fleet-controller' | 'fleet-agent'): Promise<void> {
  await eventually(() => expect(fleet.world.kill(where, program, 'SIGKILL')).toBe(true), { what: `${program} runs in ${where}` })
}

/** All that the agents of a cluster have logged. */
function agentLog(name: Member): string {
  const pods = join(fleet.world.dir, `${name}-node`, 'pods')
  const files = readdirSync(pods).map((pod) => join(pods, pod, 'fleet-agent.log'))
  return files.map((file) => (existsSync(file) ? readFileSync(file, 'utf8') : '')).join('')
}

async function restartApiServer(name: string): Promise<void> {
  const { hub, members } = fleet.world
  const server = name === 'hub' ? hub : members[name]
  await server?.stopApiServer()
  await pause(500)
  await server?.startApiServer()
}

const FAULTS: readonly [string, () => Promise<unknown>][] = [
  ['the hub', () => kill('hub', 'fleet-controller')],
  ['the agents', () => Promise.all(MEMBERS.map((name) => kill(name, 'fleet-agent')))],
  ['all API servers', () => Promise.all(['hub', ...MEMBERS].map(restartApiServer))],
]

describe('a restart of', () => {
  let identities: Identity[] = []
  beforeAll(async () => {
    // the first registration has its share of trouble too
    await pause(700)
    await kill('hub', 'fleet-controller')
    await pause(700)
    await restartApiServer('hub')
    identities = await allRegistered()
  })

  test.each(FAULTS)('%s during a registration does not keep it from its end', async (_, restart) => {
    await beginAnew()
    await pause(900)
    await restart()
    await eventually(
      async () => {
        const now = await allRegistered()
        for (const [index, identity] of now.entries()) {
          expect(identity.cluster).toBe(identities[index]?.cluster)
          expect(identity.registration).not.toBe(identities[index]?.registration)
        }
        identities = now
      },
      { timeoutMs: 90_000 },
    )
  })

  test.each(FAULTS)('%s afterwards leads to no other registration', async (_, restart) => {
    await restart()
    await allReport()
    expect(await allRegistered()).toEqual(identities)
  })
})

describe('a hub that gets another address', () => {
  test('is followed by clusters that were imported, which stay what they are, and nothing is deployed anew', async () => {
    const repository = await fleet.git.repository('moved', {
      'raw/one.yaml': configMap('one'),
      'raw/fleet.yaml': 'defaultNamespace: moved\n',
    })
    await fleet.gitRepo('moved', { repo: repository.url, paths: ['raw'] })
    await fleet.ready('moved', await repository.head())
    const deployed = await fleet.clientOf(IMPORTED).get(configMapRef('one', 'moved'))
    const [before, other] = [await registered(IMPORTED), await registered(JOINED)]
    // the address of the configuration counts where the kubeconfig secret says nothing
    await fleet.hub.patch(
      { ...SECRET, name: `${IMPORTED}-kubeconfig`, namespace: WORKSPACE },
      { data: { apiServerURL: null, apiServerCA: null } },
      { type: 'merge' },
    )
    await pause(2_000)
    expect(await registered(IMPORTED)).toEqual(before)
    await configure({ apiServerURL: proxy.url, apiServerCA: Buffer.from(proxy.ca).toString('base64') })
    await eventually(async () => expect(secretText(await secretOf(IMPORTED, AGENT_NAME), 'kubeconfig')).toContain(proxy.url), {
      what: 'the agent uses the new address',
    })
    const after = await registered(IMPORTED)
    expect(after.cluster).toBe(before.cluster)
    await eventually(() => expect(proxy.watches).toBeGreaterThan(0), { what: 'the agent watches by the new address' })
    expect(await registered(JOINED)).toEqual(other)
    await fleet.ready('moved', await repository.head())
    expect((await fleet.clientOf(IMPORTED).get(configMapRef('one', 'moved'))).metadata).toEqual(deployed.metadata)
    expect(await releases('moved')).toEqual(['1'])
    await nothingIsLeftOver()
  })

  async function releases(namespace: string): Promise<(string | undefined)[]> {
    const { items } = await fleet.clientOf(IMPORTED).list<KubeObject>(SECRET, { namespace, labelSelector: 'owner=helm' })
    return items.map(({ metadata }) => metadata.labels?.version)
  }
})

async function configure(change: Record<string, unknown>): Promise<void> {
  const ref = { ...CONFIG_MAP, name: 'fleet-controller', namespace: SYSTEM_NAMESPACE }
  const { data } = await fleet.hub.get<KubeObject & { data: { config: string } }>(ref)
  const config = JSON.stringify({ ...JSON.parse(data.config), ...change })
  await fleet.hub.patch(ref, { data: { config } }, { type: 'merge' })
}

describe.concurrent('a cluster that is deleted', () => {
  async function deleted(name: Member): Promise<void> {
    const ref = { ...CLUSTER, name, namespace: WORKSPACE }
    await fleet.hub.delete(ref)
    await fleet.gone(fleet.hub, ref)
    await nothingIsLeftOver()
    await eventually(async () => {
      const { items } = await fleet.hub.list<ClusterRegistration>(CLUSTER_REGISTRATION, { namespace: WORKSPACE })
      expect(items.map(({ metadata }) => metadata.ownerReferences?.[0]?.name)).not.toContain(name)
    })
  }

  test('and imported again gets a new agent that registers', async () => {
    const before = await registered(IMPORTED)
    const { metadata, spec } = await cluster(IMPORTED)
    await deleted(IMPORTED)
    const { clientID: _, ...rest } = spec
    await fleet.hub.create({
      ...CLUSTER,
      metadata: { name: IMPORTED, namespace: WORKSPACE, labels: metadata.labels },
      spec: rest,
    } as Cluster)
    const after = await registered(IMPORTED)
    expect(after).not.toMatchObject({ cluster: before.cluster })
    expect(after.registration).not.toBe(before.registration)
  })

  test('and expected again is joined by the agent that is there, once it has a new token', async () => {
    const before = await registered(JOINED)
    await deleted(JOINED)
    await fleet.hub.delete({ ...CLUSTER_REGISTRATION_TOKEN, name: JOINED, namespace: WORKSPACE })
    await fleet.gone(fleet.hub, { ...SECRET, name: JOINED, namespace: WORKSPACE })
    await applyAll(fleet.hub, expectedCluster(JOINED, {}))
    await consistently(async () => expect((await cluster(JOINED)).status?.agent?.lastSeen).toBeUndefined(), { forMs: 2_000 })
    await installChart()
    const after = await registered(JOINED)
    expect(after.registration).not.toBe(before.registration)
    expect(agentLog(JOINED)).toMatch(/the hub refuses the credential, starting over with the bootstrap secret/)
  })
})
