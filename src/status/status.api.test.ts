// The status controllers on a real API server: what they write, and that they stop writing.
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { BundleDeploymentStatus } from '../api/bundle-deployment.ts'
import { BUNDLE_DEPLOYMENT, CLUSTER, CLUSTER_GROUP, CONTENT, GIT_REPO, HELM_OP } from '../api/kinds.ts'
import {
  BUNDLE_NAMESPACE_LABEL,
  CLUSTER_LABEL,
  CLUSTER_NAMESPACE_LABEL,
  CONTENT_NAME_LABEL,
  HELM_OP_LABEL,
  REPO_NAME_LABEL,
} from '../api/labels.ts'
import { systemClock } from '../lib/controller/clock.ts'
import { keyOf } from '../lib/controller/keys.ts'
import { silentLogger } from '../lib/controller/log.ts'
import { createManager } from '../lib/controller/manager.ts'
import { createClient, type KubeClient } from '../lib/kube/client.ts'
import { loadConnection } from '../lib/kube/connection.ts'
import { createInformerFactory } from '../lib/kube/informer.ts'
import type { KubeObject, ObjectRef, ResourceType } from '../lib/kube/types.ts'
import { testCluster, uniqueNamespace } from '../testing/cluster.ts'
import { consistently, eventually } from '../testing/eventually.ts'
import { createBundleDeploymentDisplayController } from './bundle-deployment-display.ts'
import { createClusterGroupStatusController } from './cluster-group-status.ts'
import { createClusterStatusController } from './cluster-status.ts'
import { createContentController } from './content-references.ts'
import { createGitRepoStatusController } from './git-repo-status.ts'
import { createHelmOpStatusController } from './helm-op-status.ts'
import { createStatusInformers } from './informers.ts'

type Loose = KubeObject & { status?: Record<string, unknown>; [field: string]: unknown }

let client: KubeClient
const writes: string[] = []
/** Other tests use the same API server: only what is made here is handled here. */
const ours = new Set<string>()
const stop = new AbortController()
let running: Promise<void>

beforeAll(async () => {
  client = createClient(await loadConnection({ kubeconfig: testCluster('hub').kubeconfig }))
  const factory = createInformerFactory(client, { log: silentLogger })
  const counting: KubeClient = {
    ...client,
    patch: (...call) => {
      writes.push(`${call[0].kind} ${keyOf(call[0])}`)
      return client.patch(...call)
    },
  }
  const deps = { client: counting, informers: createStatusInformers(factory), log: silentLogger, clock: systemClock, workers: 5, handles }
  const controllers = [
    createBundleDeploymentDisplayController(deps),
    createClusterStatusController(deps),
    createClusterGroupStatusController(deps),
    createGitRepoStatusController(deps),
    createHelmOpStatusController(deps),
    createContentController(deps),
  ]
  running = createManager({ informers: [factory], controllers, log: silentLogger }).run(stop.signal)
})

function handles({ metadata }: KubeObject): boolean {
  return ours.has(metadata.namespace ?? metadata.name)
}

afterAll(async () => {
  stop.abort()
  await running
  await client?.close()
})

async function namespace(): Promise<string> {
  const name = uniqueNamespace('status')
  ours.add(name)
  await client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })
  return name
}

function create(type: ResourceType, ns: string, name: string, rest: object = {}, labels: Record<string, string> = {}): Promise<Loose> {
  return client.create({ ...type, metadata: { name, namespace: ns, labels }, spec: {}, ...rest } as Loose)
}

function report(ref: ObjectRef, status: object): Promise<Loose> {
  return client.patch<Loose>(ref, { status }, { type: 'merge', subresource: 'status' })
}

function shows(ref: ObjectRef, status: object): Promise<void> {
  return eventually(async () => expect((await client.get<Loose>(ref)).status).toMatchObject(status), {
    what: `status of ${ref.kind} ${ref.name}`,
    timeoutMs: 60_000,
  })
}

interface World {
  ws: string
  cluster: ObjectRef
  deployment: ObjectRef
  deploy(labels: Record<string, string>): Promise<void>
  ready(more?: BundleDeploymentStatus): Promise<Loose>
}

/** A workspace with a registered cluster; `deploy` makes one deployment to it, `ready` reports it as an agent would. */
async function world(clusterLabels: Record<string, string> = {}): Promise<World> {
  const [ws, clusterNamespace] = await Promise.all([namespace(), namespace()])
  const cluster = { ...CLUSTER, name: 'one', namespace: ws }
  await create(CLUSTER, ws, 'one', {}, clusterLabels)
  await report(cluster, { namespace: clusterNamespace, agent: { lastSeen: '2026-01-01T00:00:00Z' } })
  const deployment = { ...BUNDLE_DEPLOYMENT, name: 'app', namespace: clusterNamespace }
  const common = { [CLUSTER_LABEL]: 'one', [CLUSTER_NAMESPACE_LABEL]: ws, [BUNDLE_NAMESPACE_LABEL]: ws }
  return {
    ws,
    cluster,
    deployment,
    async deploy(labels) {
      await create(
        BUNDLE_DEPLOYMENT,
        clusterNamespace,
        'app',
        { spec: { deploymentID: 's-1:a', stagedDeploymentID: 's-1:a', options: {} } },
        { ...common, ...labels },
      )
    },
    ready: (more) => report(deployment, { appliedDeploymentID: 's-1:a', ready: true, nonModified: true, ...more }),
  }
}

test('a deployment shows its state, and an agent that writes at the same time loses nothing', async () => {
  const { deployment, deploy, ready } = await world()
  await deploy({})
  await shows(deployment, { display: { state: 'WaitApplied' } })
  await ready({
    conditions: [
      { type: 'Deployed', status: 'True' },
      { type: 'Monitored', status: 'False', reason: 'Error', message: 'oops' },
    ],
    release: 'ns/app:1',
  })
  await shows(deployment, { display: { state: 'Ready', deployed: 'True', monitored: 'Error: oops' }, release: 'ns/app:1', ready: true })
  await client.patch(deployment, { spec: { stagedDeploymentID: 's-2:b' } }, { type: 'merge' })
  await shows(deployment, { display: { state: 'OutOfSync' } })
})

test('a deployment that is ready at once is written once', async () => {
  const { deployment, deploy, ready } = await world()
  await deploy({})
  await ready()
  await shows(deployment, { display: { state: 'Ready' } })
  expect(writes.filter((write) => write === `BundleDeployment ${keyOf(deployment)}`)).toHaveLength(1)
})

test('a cluster and its group sum up the deployments', async () => {
  const { ws, cluster, deploy, ready } = await world({ region: 'eu' })
  const group = { ...CLUSTER_GROUP, name: 'eu', namespace: ws }
  await create(CLUSTER_GROUP, ws, 'eu', { spec: { selector: { matchLabels: { region: 'eu' } } } })
  await create(GIT_REPO, ws, 'repo', { spec: { repo: 'https://git.example.com/repo' } })
  await deploy({ [REPO_NAME_LABEL]: 'repo' })
  await shows(cluster, {
    summary: { waitApplied: 1, desiredReady: 1 },
    display: { readyBundles: '0/1', state: 'WaitApplied' },
    desiredReadyGitRepos: 1,
    readyGitRepos: 0,
  })
  await shows(group, { clusterCount: 1, nonReadyClusters: ['one'], display: { readyClusters: '0/1 (one)' } })
  await ready({ resourceCounts: { ready: 2, desiredReady: 2 } })
  await shows(cluster, {
    summary: { ready: 1 },
    display: { readyBundles: '1/1' },
    readyGitRepos: 1,
    resourceCounts: { ready: 2, missing: 0 },
    agent: { lastSeen: '2026-01-01T00:00:00Z' },
  })
  await shows(group, {
    nonReadyClusterCount: 0,
    display: { readyClusters: '1/1', readyBundles: '1/1' },
    resourceCounts: { desiredReady: 2 },
  })
  expect((await client.get<Loose>(group)).status).not.toHaveProperty('nonReadyClusters')
  await client.patch(cluster, { metadata: { labels: { region: 'us' } } }, { type: 'merge' })
  await shows(group, { clusterCount: 0, display: { readyClusters: '0/0' } })
})

test('a GitRepo and a HelmOp list what became of their bundles', async () => {
  const { ws, deployment, deploy, ready } = await world()
  const [repo, op] = [GIT_REPO, HELM_OP].map((type) => ({ ...type, name: 'maker', namespace: ws })) as [ObjectRef, ObjectRef]
  await create(GIT_REPO, ws, 'maker', { spec: { repo: 'https://git.example.com/repo' } })
  await create(HELM_OP, ws, 'maker')
  await shows(repo, { display: { state: 'GitUpdating', readyBundleDeployments: '0/0' }, readyClusters: 0 })
  await report(repo, { gitJobStatus: 'Current', commit: 'abc' })
  await deploy({ [REPO_NAME_LABEL]: 'maker', [HELM_OP_LABEL]: 'maker' })
  await shows(repo, { display: { state: 'WaitApplied', readyBundleDeployments: '0/1' }, desiredReadyClusters: 1 })
  await ready({
    resources: [{ apiVersion: 'v1', kind: 'ConfigMap', namespace: 'ns', name: 'cm' }],
    resourceCounts: { ready: 1, desiredReady: 1 },
  })
  const resources = [{ id: 'ns/cm', type: 'configmap', state: 'Ready', perClusterState: { ready: [`${ws}/one`] } }]
  const expected = {
    readyClusters: 1,
    resources,
    resourceCounts: { ready: 1 },
    perClusterResourceCounts: { [`${ws}/one`]: { ready: 1, desiredReady: 1 } },
  }
  await shows(repo, { ...expected, commit: 'abc', conditions: [{ type: 'Ready', status: 'True' }] })
  await shows(op, expected)
  await client.delete(deployment)
  await shows(repo, { desiredReadyClusters: 0, summary: { desiredReady: 0 } })
  await eventually(async () => expect((await client.get<Loose>(op)).status).not.toHaveProperty('readyClusters'))
})

test('a content counts its deployments and goes with the last one', async () => {
  const { deployment, deploy } = await world()
  const name = `s-${uniqueNamespace('content')}`
  const content = { ...CONTENT, name }
  ours.add(name)
  await client.create({ ...CONTENT, metadata: { name }, content: 'eA==', sha256sum: 'x' } as KubeObject)
  await deploy({ [CONTENT_NAME_LABEL]: name })
  await shows(content, { referenceCount: 1 })
  await client.delete(deployment)
  await eventually(async () => expect(await client.find(content)).toBeUndefined(), { what: 'content gone', timeoutMs: 60_000 })
})

test('when nothing happens nothing is written', async () => {
  const { cluster, deploy, ready } = await world()
  await deploy({})
  await ready()
  await shows(cluster, { display: { readyBundles: '1/1' } })
  await eventually(async () => {
    const before = writes.length
    await consistently(() => expect(writes).toHaveLength(before), { forMs: 4_000 })
  })
})
