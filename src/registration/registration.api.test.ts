// Registration and import on real API servers: what must hold beyond the usual course of things.
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ClusterRegistration } from '../api/cluster-registration.ts'
import type { ClusterRegistrationToken } from '../api/cluster-registration-token.ts'
import { BUNDLE, CLUSTER, CLUSTER_REGISTRATION, CLUSTER_REGISTRATION_TOKEN } from '../api/kinds.ts'
import { REGISTRATION_TOKEN_LABEL } from '../api/labels.ts'
import { clusterNamespace, registeredClusterName } from '../api/names.ts'
import { getCondition } from '../lib/controller/conditions.ts'
import type { KubeObject } from '../lib/kube/types.ts'
import { testCluster, uniqueNamespace } from '../testing/cluster.ts'
import { consistently, eventually } from '../testing/eventually.ts'
import { CLUSTER_ROLE_BINDING, CONFIG_MAP, DEPLOYMENT, NAMESPACE, ROLE, ROLE_BINDING, SECRET, type Secret, secretText } from './kinds.ts'
import { kubeconfigOf, openScene, type Running, type Scene } from './scene.testing.ts'

let scene: Scene
let running: Running

beforeAll(async () => {
  scene = await openScene()
  running = await scene.start()
  const token: ClusterRegistrationToken = {
    ...CLUSTER_REGISTRATION_TOKEN,
    metadata: { name: 'join', namespace: scene.workspace },
    spec: { ttl: '1h' },
  }
  await scene.hub.create(token)
})
afterAll(async () => {
  await running?.stop()
  await Promise.all([scene?.hub.close(), scene?.downstream.close()])
})

const request = (clientID: string): ClusterRegistration => ({
  ...CLUSTER_REGISTRATION,
  metadata: { name: uniqueNamespace('request'), namespace: scene.workspace, labels: { [REGISTRATION_TOKEN_LABEL]: 'join' } },
  spec: { clientID, clientRandom: uniqueNamespace('random') },
})

async function granted(clientID: string): Promise<ClusterRegistration> {
  const { metadata } = await scene.hub.create(request(clientID))
  return eventually(async () => {
    const current = await scene.hub.get<ClusterRegistration>({ ...CLUSTER_REGISTRATION, name: metadata.name, namespace: scene.workspace })
    expect(current.status?.granted).toBe(true)
    return current
  })
}

async function imported(name: string): Promise<void> {
  await eventually(async () => {
    const { status } = await scene.cluster(name)
    expect(getCondition(status?.conditions, 'Imported')).toMatchObject({ status: 'True' })
    expect(status).toMatchObject({ agentDeployedGeneration: 0, agentConfigChanged: false })
  })
}

async function refused(name: string, words: RegExp): Promise<void> {
  await eventually(async () => {
    const condition = getCondition((await scene.cluster(name)).status?.conditions, 'Imported')
    expect(condition?.status).toBe('False')
    expect(condition?.message).toMatch(words)
  })
}

const bootstrap = async (name: string): Promise<Secret> =>
  scene.downstream.get<Secret>({ ...SECRET, name: 'fleet-agent-bootstrap', namespace: name })

test('rights that are removed or widened come back as they were', async () => {
  const { metadata, spec } = await granted(uniqueNamespace('client'))
  const { name } = metadata
  const own = clusterNamespace(scene.workspace, registeredClusterName(spec.clientID ?? ''))
  const grants = [
    { ...ROLE, name, namespace: scene.workspace },
    { ...ROLE_BINDING, name, namespace: scene.workspace },
    { ...ROLE_BINDING, name, namespace: own },
    { ...CLUSTER_ROLE_BINDING, name: `${name}-content` },
  ]
  const uids = await Promise.all(grants.map(async (grant) => (await scene.hub.get(grant)).metadata.uid))
  await Promise.all(grants.map((grant) => scene.hub.delete(grant)))
  for (const [index, grant] of grants.entries()) {
    await eventually(async () => expect((await scene.hub.get(grant)).metadata.uid).not.toBe(uids[index]))
  }
  const role = { ...ROLE, name, namespace: scene.workspace }
  await scene.hub.patch(role, { rules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }] }, { type: 'merge' })
  await eventually(async () =>
    expect(await scene.hub.get(role)).toMatchObject({ rules: [{ verbs: ['patch'], resources: ['clusters/status'] }] }),
  )
})

test('an agent that claims the namespace of another cluster gets no rights there', async () => {
  const [mine, theirs] = [await granted(uniqueNamespace('client')), await granted(uniqueNamespace('client'))]
  const clusterOf = ({ status }: ClusterRegistration) => ({ ...CLUSTER, name: status?.clusterName ?? '', namespace: scene.workspace })
  const victim = clusterNamespace(scene.workspace, theirs.status?.clusterName ?? '')
  await scene.hub.patch(clusterOf(mine), { status: { namespace: victim } }, { type: 'merge', subresource: 'status' })
  const again = await scene.hub.create({
    ...request(mine.spec.clientID ?? ''),
    metadata: { ...request('').metadata, name: uniqueNamespace('request') },
  })
  await eventually(async () => {
    const current = await scene.hub.get<ClusterRegistration>({
      ...CLUSTER_REGISTRATION,
      name: again.metadata.name,
      namespace: scene.workspace,
    })
    expect(current.status?.granted).toBe(true)
  })
  const own = clusterNamespace(scene.workspace, mine.status?.clusterName ?? '')
  await eventually(async () => expect(await scene.cluster(mine.status?.clusterName ?? '')).toMatchObject({ status: { namespace: own } }))
  await scene.hub.get({ ...ROLE_BINDING, name: again.metadata.name, namespace: own })
  expect(await scene.hub.find({ ...ROLE_BINDING, name: again.metadata.name, namespace: victim })).toBeUndefined()
})

test('a registration without an identity is refused and said to be', async () => {
  const nameless = await scene.hub.create({ ...request(''), spec: {} })
  await consistently(
    async () => {
      const current = await scene.hub.get<ClusterRegistration>({
        ...CLUSTER_REGISTRATION,
        name: nameless.metadata.name,
        namespace: scene.workspace,
      })
      expect(current.status?.granted).toBeFalsy()
    },
    { forMs: 1_000 },
  )
})

test.each([
  ['exec', { exec: { apiVersion: 'client.authentication.k8s.io/v1', command: '/bin/true' } }],
  ['tokenFile', { tokenFile: '/etc/passwd' }],
  ['auth-provider', { 'auth-provider': { name: 'gcp' } }],
  ['client-certificate', { 'client-certificate': '/etc/passwd' }],
])('a kubeconfig with %s is refused', async (field, user) => {
  const name = uniqueNamespace('bad')
  await scene.importCluster(name, kubeconfigOf(testCluster('downstream'), user))
  await refused(name, new RegExp(`the kubeconfig must not use ${field}`))
  expect(await scene.downstream.find({ ...NAMESPACE, name })).toBeUndefined()
})

test('a cluster that does not answer keeps nobody else from being imported', async () => {
  const dead = uniqueNamespace('dead')
  await scene.importCluster(dead, kubeconfigOf({ ...testCluster('downstream'), url: 'https://127.0.0.1:1' }))
  await refused(dead, /127\.0\.0\.1/)
  const good = uniqueNamespace('good')
  await scene.importCluster(good, kubeconfigOf(testCluster('downstream')))
  await imported(good)
})

test('an import that failed goes on when the secret is put right', async () => {
  const name = uniqueNamespace('late')
  await scene.importCluster(name, 'nonsense: [')
  await refused(name, /not valid YAML/)
  const value = Buffer.from(kubeconfigOf(testCluster('downstream'))).toString('base64')
  await scene.hub.patch({ ...SECRET, name: `${name}-kubeconfig`, namespace: scene.workspace }, { data: { value } }, { type: 'merge' })
  await imported(name)
})

test('an address changed inside the kubeconfig secret is deployed', async () => {
  const name = uniqueNamespace('moved')
  await scene.importCluster(name, kubeconfigOf(testCluster('downstream')), { apiServerURL: 'https://one.example.com' })
  await imported(name)
  expect(secretText(await bootstrap(name), 'apiServerURL')).toBe('https://one.example.com')
  const apiServerURL = Buffer.from('https://two.example.com').toString('base64')
  await scene.hub.patch(
    { ...SECRET, name: `${name}-kubeconfig`, namespace: scene.workspace },
    { data: { apiServerURL } },
    { type: 'merge' },
  )
  await eventually(async () => expect(secretText(await bootstrap(name), 'apiServerURL')).toBe('https://two.example.com'))
  await eventually(async () => expect(await scene.cluster(name)).toMatchObject({ status: { apiServerURL: 'https://two.example.com' } }))
})

test('a CA changed inside the kubeconfig secret is deployed', async () => {
  const name = uniqueNamespace('certified')
  await scene.importCluster(name, kubeconfigOf(testCluster('downstream')), { apiServerCA: 'one CA' })
  await imported(name)
  expect(secretText(await bootstrap(name), 'apiServerCA')).toBe('one CA')
  const before = (await scene.cluster(name)).status?.apiServerCAHash
  const ref = { ...SECRET, name: `${name}-kubeconfig`, namespace: scene.workspace }
  await scene.hub.patch(ref, { data: { apiServerCA: Buffer.from('two CA').toString('base64') } }, { type: 'merge' })
  await eventually(async () => expect(secretText(await bootstrap(name), 'apiServerCA')).toBe('two CA'))
  await eventually(async () => expect((await scene.cluster(name)).status?.apiServerCAHash).not.toBe(before))
  await imported(name)
  // another kubeconfig for the same agent is no reason to install it again
  const { metadata } = await bootstrap(name)
  await scene.hub.patch(ref, { metadata: { annotations: { note: 'touched' } } }, { type: 'merge' })
  await consistently(async () => expect((await bootstrap(name)).metadata.uid).toBe(metadata.uid), { forMs: 1_500 })
})

test('an agent that moves to another namespace leaves nothing in the old one', async () => {
  const [name, moved] = [uniqueNamespace('here'), uniqueNamespace('there')]
  await scene.importCluster(name, kubeconfigOf(testCluster('downstream')))
  await imported(name)
  await scene.hub.patch({ ...CLUSTER, name, namespace: scene.workspace }, { spec: { agentNamespace: moved } }, { type: 'merge' })
  await eventually(async () => expect((await scene.cluster(name)).status?.agent?.namespace).toBe(moved))
  await scene.downstream.get({ ...DEPLOYMENT, name: 'fleet-agent', namespace: moved })
  for (const left of [
    { ...DEPLOYMENT, name: 'fleet-agent' },
    { ...CONFIG_MAP, name: 'fleet-agent' },
    { ...SECRET, name: 'fleet-agent-bootstrap' },
  ])
    expect(await scene.downstream.find({ ...left, namespace: name })).toBeUndefined()
})

test('an agent whose cluster asks for no namespace any more comes back to the usual one', async () => {
  const name = uniqueNamespace('back')
  await scene.importCluster(name, kubeconfigOf(testCluster('downstream')))
  await imported(name)
  await scene.hub.patch({ ...CLUSTER, name, namespace: scene.workspace }, { spec: { agentNamespace: null } }, { type: 'merge' })
  await eventually(() => scene.downstream.get({ ...DEPLOYMENT, name: 'fleet-agent', namespace: scene.systemNamespace }))
  await imported(name)
  expect(await scene.downstream.find({ ...DEPLOYMENT, name: 'fleet-agent', namespace: name })).toBeUndefined()
  expect((await scene.cluster(name)).status?.agent?.namespace).toBeUndefined()
})

test('what a hub of the usual name has left in a cluster goes with the next import, unless there still is one', async () => {
  const [usual, registrations] = ['cattle-fleet-system', 'cattle-fleet-clusters-system']
  const hub = { ...CONFIG_MAP, metadata: { name: 'fleet-controller', namespace: usual } }
  const createNamespace = (name: string) => scene.downstream.create({ ...NAMESPACE, metadata: { name } }).catch(() => {}) // it may be there
  await createNamespace(usual)
  await scene.downstream.create(hub)
  // imports of other tests go on at the same time: one that has looked before the hub was there is done with it after a moment
  await new Promise((resolve) => setTimeout(resolve, 1_000))
  await createNamespace(registrations)
  const importNext = async (): Promise<void> => {
    const name = uniqueNamespace('next')
    await scene.importCluster(name, kubeconfigOf(testCluster('downstream')))
    await imported(name)
  }
  const isLeaving = async (name: string): Promise<boolean> => {
    const found = await scene.downstream.find({ ...NAMESPACE, name })
    return !found || found.metadata.deletionTimestamp !== undefined
  }
  await importNext()
  expect(await isLeaving(registrations)).toBe(false)
  await scene.downstream.delete({ ...CONFIG_MAP, ...hub.metadata })
  await importNext()
  expect([await isLeaving(registrations), await isLeaving(usual)]).toEqual([true, false])
})

test('without any address of the management cluster it is said what is missing', async () => {
  await scene.configure({ apiServerURL: '' })
  const name = uniqueNamespace('nowhere')
  await scene.importCluster(name, kubeconfigOf(testCluster('downstream')))
  await refused(name, /set apiServerURL in the kubeconfig secret or in the configuration/)
  await scene.configure({ apiServerURL: 'https://hub.example.com' })
  await imported(name)
})

test('a restart writes nothing', async () => {
  await eventually(async () => {
    const before = running.writes.length
    await new Promise((resolve) => setTimeout(resolve, 2_000))
    // the cluster that does not answer is tried again and again, which is no write
    expect(running.writes.slice(before).filter((write) => !write.includes('Event'))).toEqual([])
  })
  await running.stop()
  running = await scene.start()
  await consistently(() => expect(running.writes.filter((write) => !write.includes('Event'))).toEqual([]), { forMs: 4_000 })
})

test('no credential is anywhere but in secrets', async () => {
  const secrets = (await scene.hub.list<Secret>(SECRET)).items.filter(({ metadata }) => metadata.namespace?.includes(scene.workspace))
  const tokens = [...secrets.map((secret) => secretText(secret, 'token')), testCluster('downstream').token].filter(
    (text) => text.length > 20,
  )
  expect(tokens.length).toBeGreaterThan(3)
  const events = await scene.hub.list({ apiVersion: 'events.k8s.io/v1', kind: 'Event' })
  const others = await Promise.all(
    [CLUSTER, CLUSTER_REGISTRATION, CLUSTER_REGISTRATION_TOKEN, BUNDLE].map((type) => scene.hub.list<KubeObject>(type)),
  )
  const annotations = secrets.map(({ metadata }) => metadata)
  const texts = [...running.logged, JSON.stringify([events.items, others.map(({ items }) => items), annotations])].join('\n')
  for (const token of tokens) {
    expect(texts.includes(token)).toBe(false)
    expect(texts.includes(Buffer.from(token).toString('base64').slice(0, 40))).toBe(false)
  }
})
