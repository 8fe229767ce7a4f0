// A cluster that was set up anew takes the place of the old one: the same Cluster, namespace and deployments, and an end of the old credential.
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { BundleDeployment } from '../api/bundle-deployment.ts'
import { BUNDLE_DEPLOYMENT, CLUSTER, CLUSTER_REGISTRATION } from '../api/kinds.ts'
import { getCondition } from '../lib/controller/conditions.ts'
import type { KubeObject } from '../lib/kube/types.ts'
import { testCluster, uniqueNamespace } from '../testing/cluster.ts'
import { eventually } from '../testing/eventually.ts'
import { imported, invite, registerAgent, revoked, type TestAgent } from './agent.testing.ts'
import { NAMESPACE, SECRET } from './kinds.ts'
import { kubeconfigOf, openScene, type Running, type Scene } from './scene.testing.ts'

let scene: Scene
let running: Running

beforeAll(async () => {
  scene = await openScene()
  running = await scene.start()
})
afterAll(async () => {
  await running?.stop()
  await Promise.all([scene?.hub.close(), scene?.downstream.close()])
})

/** What must be the same before and after. */
async function identity({ cluster, deploymentNamespace }: TestAgent): Promise<unknown> {
  const { metadata, status, spec } = await scene.cluster(cluster.name)
  const namespace = await scene.hub.get({ ...NAMESPACE, name: deploymentNamespace })
  const { items } = await scene.hub.list<BundleDeployment>(BUNDLE_DEPLOYMENT, { namespace: deploymentNamespace })
  return [
    metadata.uid,
    metadata.labels,
    spec.clientID,
    status?.namespace,
    namespace.metadata.uid,
    items.map((item) => [item.metadata.uid, item.spec]),
  ]
}

async function deploy({ deploymentNamespace: namespace }: TestAgent): Promise<void> {
  const deployment = { ...BUNDLE_DEPLOYMENT, metadata: { name: 'app', namespace }, spec: { deploymentID: 's-1:x', options: {} } }
  await scene.hub.create<KubeObject>(deployment)
}

/** What is left on the hub of the agent that was replaced. */
async function leftOf({ request, deploymentNamespace }: TestAgent): Promise<string[]> {
  const name = request.metadata.name
  const lists = await Promise.all([
    scene.hub.list(CLUSTER_REGISTRATION, { namespace: scene.workspace }),
    scene.hub.list({ apiVersion: 'v1', kind: 'ServiceAccount' }, { namespace: deploymentNamespace }),
    scene.hub.list(SECRET, { namespace: deploymentNamespace }),
    ...['Role', 'RoleBinding', 'ClusterRoleBinding'].map((kind) => scene.hub.list({ apiVersion: 'rbac.authorization.k8s.io/v1', kind })),
  ])
  return lists.flatMap(({ items }) => items.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).filter((line) => line.includes(name))
}

async function tookOver(old: TestAgent, next: TestAgent, before: unknown): Promise<void> {
  expect(next.cluster).toEqual(old.cluster)
  expect(next.deploymentNamespace).toBe(old.deploymentNamespace)
  await revoked(old)
  await eventually(async () => expect(await leftOf(old)).toEqual([]))
  await next.report()
  await next.client.get({ ...BUNDLE_DEPLOYMENT, name: 'app', namespace: next.deploymentNamespace })
  expect(await identity(next)).toEqual(before)
  await eventually(async () => {
    expect(getCondition((await scene.cluster(next.cluster.name)).status?.conditions, 'Connected')).toMatchObject({ status: 'True' })
  })
  await eventually(async () => {
    const { items } = await scene.hub.list<KubeObject & { note?: string; reason?: string }>(
      { apiVersion: 'events.k8s.io/v1', kind: 'Event' },
      { namespace: scene.workspace },
    )
    const notes = items.filter(({ reason }) => reason === 'RegistrationReplaced').map(({ note }) => note)
    expect(notes).toContainEqual(
      expect.stringMatching(
        `registration ${next.request.metadata.name} takes the place of ${old.request.metadata.name}, whose credential has ended`,
      ),
    )
  })
  await Promise.all([old.client.close(), next.client.close()])
}

test('a cluster that registers again with its client id', async () => {
  const invitation = await invite(scene, 'join')
  const clientID = uniqueNamespace('machine')
  const old = await registerAgent(scene, invitation, { clientID, clusterLabels: { env: 'prod' } })
  await old.report()
  await deploy(old)
  const before = await identity(old)
  const next = await registerAgent(scene, await invite(scene, 'join-again'), { clientID, clusterLabels: { env: 'other' } })
  await tookOver(old, next, before)
})

test('a cluster that is imported again from another place', async () => {
  const name = uniqueNamespace('machine')
  await scene.importCluster(name, kubeconfigOf(testCluster('downstream')))
  await eventually(async () => expect((await scene.cluster(name)).status?.agentDeployedGeneration).toBe(0))
  const { clientID = '' } = (await scene.cluster(name)).spec
  const old = await registerAgent(scene, await imported(scene, name), { clientID }, name)
  await old.report()
  await deploy(old)
  const before = await identity(old)
  // the hub's own API server plays the new machine
  const value = Buffer.from(kubeconfigOf(testCluster('hub'))).toString('base64')
  await scene.hub.patch({ ...SECRET, name: `${name}-kubeconfig`, namespace: scene.workspace }, { data: { value } }, { type: 'merge' })
  await scene.hub.patch({ ...CLUSTER, name, namespace: scene.workspace }, { spec: { redeployAgentGeneration: 1 } }, { type: 'merge' })
  const there = await eventually(() => imported({ ...scene, downstream: scene.hub }, name))
  expect((await scene.cluster(name)).spec.clientID).toBe(clientID)
  const next = await registerAgent(scene, there, { clientID }, name)
  await tookOver(old, next, before)
})

test('two registrations of one second: one credential is left', async () => {
  const invitation = await invite(scene, 'join-at-once')
  const clientID = uniqueNamespace('clones')
  const clones = await Promise.allSettled([1, 2, 3].map(() => registerAgent(scene, invitation, { clientID })))
  const agents = clones.flatMap((clone) => (clone.status === 'fulfilled' ? [clone.value] : []))
  await eventually(async () => {
    const { items } = await scene.hub.list<KubeObject & { spec?: { clientID?: string } }>(CLUSTER_REGISTRATION, {
      namespace: scene.workspace,
    })
    expect(items.filter(({ spec }) => spec?.clientID === clientID)).toHaveLength(1)
  })
  for (const { client } of agents) await client.close()
})
