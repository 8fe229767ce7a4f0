// What one can see of clusters, registrations and tokens while they come and go, on a real API server.
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Cluster } from '../api/cluster.ts'
import type { ClusterRegistration } from '../api/cluster-registration.ts'
import type { ClusterRegistrationToken } from '../api/cluster-registration-token.ts'
import { CLUSTER, CLUSTER_REGISTRATION, CLUSTER_REGISTRATION_TOKEN } from '../api/kinds.ts'
import { registeredClusterName } from '../api/names.ts'
import { formatTime, getCondition } from '../lib/controller/conditions.ts'
import type { KubeObject } from '../lib/kube/types.ts'
import { testCluster, uniqueNamespace } from '../testing/cluster.ts'
import { consistently, eventually, quiet } from '../testing/eventually.ts'
import { ask, type Invitation, imported, invite, registerAgent } from './agent.testing.ts'
import { kubeconfigOf, openScene, type Running, type Scene } from './scene.testing.ts'

let scene: Scene
let running: Running
let invitation: Invitation

beforeAll(async () => {
  scene = await openScene()
  running = await scene.start()
  invitation = await invite(scene, 'join')
})
afterAll(async () => {
  await running?.stop()
  await Promise.all([scene?.hub.close(), scene?.downstream.close()])
})

const nowReads = (name: string, type: string, expected: object): Promise<void> =>
  eventually(async () => {
    const cluster = await scene.cluster(name)
    expect(getCondition(cluster.status?.conditions, type)).toMatchObject(expected)
  })

const registrationRef = (name: string) => ({ ...CLUSTER_REGISTRATION, name, namespace: scene.workspace })

const registrationReads = (name: string, type: string, expected: object): Promise<void> =>
  eventually(async () => {
    const { status } = await scene.hub.get<ClusterRegistration>(registrationRef(name))
    expect(getCondition(status?.conditions, type)).toMatchObject(expected)
  })

const writes = (since: number): string[] => running.writes.slice(since).filter((write) => !write.includes('Event'))

test('a cluster tells where it is, from pending to a credential that has ended', async () => {
  const clientID = uniqueNamespace('client')
  const ref = { ...CLUSTER, name: clientID, namespace: scene.workspace }
  await scene.hub.create<Cluster>({ ...CLUSTER, metadata: { name: clientID, namespace: scene.workspace }, spec: { clientID } })
  await nowReads(clientID, 'Connected', { status: 'Unknown', reason: 'Pending' })
  const agent = await registerAgent(scene, invitation, { clientID })
  await nowReads(clientID, 'Connected', {
    status: 'Unknown',
    reason: 'Registering',
    message: expect.stringContaining(agent.request.metadata.name),
  })
  await agent.report()
  await nowReads(clientID, 'Connected', { status: 'True', reason: 'Connected' })
  // whatever is known of it stays when it is away
  const summary = { summary: { ready: 3, desiredReady: 4 }, display: { readyBundles: '3/4', state: 'NotReady' }, readyGitRepos: 1 }
  await scene.hub.patch(ref, { status: summary }, { type: 'merge', subresource: 'status' })
  const lastSeen = formatTime(Date.now() - 3_600_000)
  await agent.report({ lastSeen })
  await nowReads(clientID, 'Connected', {
    status: 'False',
    reason: 'Disconnected',
    message: expect.stringMatching(`has not reported since ${lastSeen}, what is known of the cluster is of that time`),
  })
  expect((await scene.cluster(clientID)).status).toMatchObject(summary)
  await agent.report()
  await nowReads(clientID, 'Connected', { status: 'True' })
  await scene.hub.delete(registrationRef(agent.request.metadata.name))
  await nowReads(clientID, 'Connected', {
    status: 'False',
    reason: 'CredentialExpired',
    message: expect.stringMatching(/its registration is gone; it last reported at .*: install chart fleet-agent in the cluster again/),
  })
  const again = await registerAgent(scene, invitation, { clientID })
  await again.report()
  await nowReads(clientID, 'Connected', { status: 'True' })
  await Promise.all([agent.client.close(), again.client.close()])
})

test('a report of the agent leads to no write of the hub', async () => {
  const clientID = uniqueNamespace('client')
  const agent = await registerAgent(scene, invitation, { clientID })
  await agent.report()
  await nowReads(agent.cluster.name, 'Connected', { status: 'True' })
  await quiet(running.writes)
  const before = running.writes.length
  for (let minute = 5; minute > 0; minute--) await agent.report({ lastSeen: formatTime(Date.now() - minute * 60_000) })
  await consistently(() => expect(writes(before)).toEqual([]), { forMs: 1_500 })
  await agent.client.close()
})

test('an imported cluster whose credential has ended gets another by itself', async () => {
  const name = uniqueNamespace('imported')
  await scene.importCluster(name, kubeconfigOf(testCluster('downstream')))
  await nowReads(name, 'Imported', { status: 'True' })
  const { clientID = '' } = (await scene.cluster(name)).spec
  const agent = await registerAgent(scene, await eventually(() => imported(scene, name)), { clientID }, name)
  await agent.report()
  await nowReads(name, 'Connected', { status: 'True' })
  await scene.hub.delete(registrationRef(agent.request.metadata.name))
  await eventually(async () => {
    const { status } = await scene.cluster(name)
    expect(status?.agent?.lastSeen).toBeUndefined()
    expect(getCondition(status?.conditions, 'Connected')).toMatchObject({ reason: 'Registering' })
  })
  const again = await registerAgent(scene, await imported(scene, name), { clientID }, name)
  await again.report()
  await nowReads(name, 'Connected', { status: 'True' })
  await Promise.all([agent.client.close(), again.client.close()])
})

test('a registration tells that it is granted, and which labels its cluster does not get', async () => {
  const clientID = uniqueNamespace('client')
  const clusterLabels = { env: 'prod', 'management.cattle.io/cluster-name': 'local', 'fleet.cattle.io/shard-ref': 'x', bad: 'not a value' }
  const { request, client, cluster } = await registerAgent(scene, invitation, { clientID, clusterLabels })
  await registrationReads(request.metadata.name, 'Granted', {
    status: 'True',
    reason: 'Granted',
    message: `the agent is that of cluster ${scene.workspace}/${cluster.name}`,
  })
  await registrationReads(request.metadata.name, 'LabelsAccepted', {
    status: 'False',
    reason: 'LabelsDropped',
    message: expect.stringMatching(
      /no cluster gets: bad \(.*\), fleet\.cattle\.io\/shard-ref \(.*\), management\.cattle\.io\/cluster-name \(/,
    ),
  })
  const { metadata } = await scene.cluster(cluster.name)
  expect(metadata.labels).toEqual({ env: 'prod', 'fleet.cattle.io/cluster': cluster.name })
  await client.close()
})

test('a registration that cannot be granted names what is in its way, and is granted when that goes', async () => {
  const clientID = uniqueNamespace('client')
  const name = registeredClusterName(clientID)
  await scene.hub.create<Cluster>({ ...CLUSTER, metadata: { name, namespace: scene.workspace }, spec: { clientID: 'another' } })
  const { metadata } = await ask(scene, invitation, { clientID })
  await registrationReads(metadata.name, 'Granted', {
    status: 'False',
    reason: 'Refused',
    message: expect.stringContaining(`cluster ${scene.workspace}/${name} has another spec.clientID`),
  })
  await scene.hub.patch({ ...CLUSTER, name, namespace: scene.workspace }, { spec: { clientID } }, { type: 'merge' })
  await registrationReads(metadata.name, 'Granted', { status: 'True' })
  const nameless = await ask(scene, invitation, { clientID: '' })
  await registrationReads(nameless.metadata.name, 'Granted', {
    status: 'False',
    message: expect.stringContaining('must have a spec.clientID'),
  })
})

test('of two clusters with one client id the older has it, and everybody is told', async () => {
  const clientID = uniqueNamespace('twin')
  for (const suffix of ['a', 'b']) {
    const metadata = { name: `${clientID}-${suffix}`, namespace: scene.workspace }
    await scene.hub.create<Cluster>({ ...CLUSTER, metadata, spec: { clientID } })
  }
  const [first, second] = [`${scene.workspace}/${clientID}-a`, `${scene.workspace}/${clientID}-b`]
  await nowReads(`${clientID}-b`, 'Connected', {
    status: 'False',
    reason: 'ClientIDTaken',
    message: expect.stringContaining(`cluster ${first}`),
  })
  const { request, client } = await registerAgent(scene, invitation, { clientID })
  await registrationReads(request.metadata.name, 'Granted', {
    status: 'True',
    reason: 'ClientIDShared',
    message: expect.stringMatching(`that of cluster ${first}; .* have: ${second},`),
  })
  await scene.hub.patch(
    { ...CLUSTER, name: `${clientID}-b`, namespace: scene.workspace },
    { spec: { clientID: `${clientID}-b` } },
    { type: 'merge' },
  )
  await nowReads(`${clientID}-b`, 'Connected', { status: 'Unknown', reason: 'Pending' })
  await client.close()
})

test('a registration whose token is gone says why its agent gets nothing', async () => {
  const { metadata } = await scene.hub.create<ClusterRegistration>({
    ...CLUSTER_REGISTRATION,
    metadata: {
      name: uniqueNamespace('request'),
      namespace: scene.workspace,
      labels: { 'fleet.cattle.io/registration-token': 'long-gone' },
    },
    spec: { clientID: uniqueNamespace('client'), clientRandom: 'random' },
  })
  await registrationReads(metadata.name, 'Granted', {
    status: 'True',
    reason: 'TokenMissing',
    message: expect.stringContaining(`registration token ${scene.workspace}/long-gone is gone, so the agent cannot fetch its credential`),
  })
})

test('a token says that it is ready, and its end is told', async () => {
  const short = await invite(scene, 'short', { ttl: '10s' })
  const ref = { ...CLUSTER_REGISTRATION_TOKEN, name: 'short', namespace: scene.workspace }
  await eventually(async () => {
    const { status } = await scene.hub.get<ClusterRegistrationToken>(ref)
    expect(getCondition(status?.conditions, 'Ready')?.status).toBe('True')
  })
  await eventually(async () => expect(await scene.hub.find(ref)).toBeUndefined())
  await eventually(async () => {
    const { items } = await scene.hub.list<KubeObject & { note?: string; regarding?: { name?: string } }>(
      { apiVersion: 'events.k8s.io/v1', kind: 'Event' },
      { namespace: scene.workspace },
    )
    const notes = items.filter(({ regarding }) => regarding?.name === 'short').map(({ note }) => note)
    expect(notes).toEqual([expect.stringMatching(/the registration token is deleted: its time is over; agents that hold it need another/)])
  })
  // the API server remembers a good token for ten seconds
  await eventually(() => expect(ask(scene, short, { clientID: uniqueNamespace('late') })).rejects.toThrow(/Unauthorized|forbidden/))
})
