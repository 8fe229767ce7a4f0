// The agent on two real clusters: what it writes and what it does not, and what a restart makes of it.
import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { BundleDeployment } from '../api/bundle-deployment.ts'
import type { Content } from '../api/content.ts'
import { BUNDLE_DEPLOYMENT, CONTENT } from '../api/kinds.ts'
import { systemClock } from '../lib/controller/clock.ts'
import { getCondition } from '../lib/controller/conditions.ts'
import { silentLogger } from '../lib/controller/log.ts'
import { createClient, type KubeClient } from '../lib/kube/client.ts'
import { type KubeConnection, loadConnection } from '../lib/kube/connection.ts'
import type { KubeObject } from '../lib/kube/types.ts'
import { testCluster, uniqueNamespace } from '../testing/cluster.ts'
import { startAgent } from './agent.ts'

const agentNamespace = uniqueNamespace('agent')
const clusterNamespace = uniqueNamespace('cluster')
let hub: KubeClient
let down: KubeClient
let connection: KubeConnection
let tempDir: string

const namespace = (name: string) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })
const base64 = (text: string) => Buffer.from(text).toString('base64')

beforeAll(async () => {
  const upstream = await loadConnection({ kubeconfig: testCluster('hub').kubeconfig })
  connection = await loadConnection({ kubeconfig: testCluster('downstream').kubeconfig })
  hub = createClient(upstream)
  down = createClient(connection)
  tempDir = await mkdtemp(join(tmpdir(), 'agent-test-'))
  await hub.create(namespace(clusterNamespace))
  await down.create(namespace(agentNamespace))
})
afterAll(async () => {
  await Promise.all([hub.close(), down.close()])
  await rm(tempDir, { recursive: true, force: true })
})

/** Registers the agent: the context of its kubeconfig has the cluster namespace. */
async function register(): Promise<void> {
  const { url, ca, token } = testCluster('hub')
  const context = { cluster: 'hub', user: 'hub', namespace: clusterNamespace }
  const kubeconfig = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'hub',
    clusters: [{ name: 'hub', cluster: { server: url, 'certificate-authority-data': base64(ca) } }],
    users: [{ name: 'hub', user: { token } }],
    contexts: [{ name: 'hub', context }],
  }
  const data = {
    kubeconfig: JSON.stringify(kubeconfig),
    deploymentNamespace: clusterNamespace,
    clusterNamespace: 'fleet-default',
    clusterName: 'one',
  }
  const encoded = Object.fromEntries(Object.entries(data).map(([key, value]) => [key, base64(value)]))
  await down.create({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'fleet-agent', namespace: agentNamespace },
    data: encoded,
  } as KubeObject)
}

function start(): { stop(): Promise<void> } {
  const end = new AbortController()
  const { bin } = testCluster('downstream')
  const config = {
    namespace: agentNamespace,
    scope: '',
    podName: 'fleet-agent-test',
    proxy: undefined,
    checkinIntervalMs: 0,
    workers: 5,
    helmBinary: 'helm',
    kubectlBinary: 'kubectl',
    searchPath: bin,
    processes: 2,
    tempDir,
    childEnv: {},
  }
  const running = startAgent(config, { connection, log: silentLogger, clock: systemClock, random: Math.random }, end.signal)
  return {
    async stop() {
      end.abort(new Error('enough'))
      await running
    },
  }
}

async function deploy(name: string, manifest: object): Promise<void> {
  const json = `${JSON.stringify({ resources: [{ name: 'a.json', content: JSON.stringify(manifest) }] })}\n`
  const sum = createHash('sha256').update(json).digest('hex')
  const content = {
    ...CONTENT,
    metadata: { name: `s-${sum}`.slice(0, 63) },
    content: gzipSync(json).toString('base64'),
    sha256sum: sum,
  } as unknown as Content
  if (!(await hub.find({ ...CONTENT, name: content.metadata.name }))) await hub.create(content)
  const deploymentID = `${content.metadata.name}:${name}`
  const spec = { deploymentID, stagedDeploymentID: deploymentID, options: { defaultNamespace: `ns-${clusterNamespace}-${name}`, helm: {} } }
  await hub.create({ ...BUNDLE_DEPLOYMENT, metadata: { name, namespace: clusterNamespace }, spec } as BundleDeployment)
}

const read = (name: string) => hub.get<BundleDeployment>({ ...BUNDLE_DEPLOYMENT, namespace: clusterNamespace, name })
const isReady = ({ status }: BundleDeployment) => getCondition(status?.conditions, 'Ready')?.status === 'True'

async function eventually<T>(what: () => Promise<T>, check: (value: T) => boolean): Promise<T> {
  for (const end = Date.now() + 60_000; ; ) {
    const value = await what()
    if (check(value)) return value
    if (Date.now() > end) throw new Error(`not so: ${JSON.stringify(value)}`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

/** The resource versions of a deployment on the hub from now on: one for each write. */
async function writesOf(name: string, work: () => Promise<void>): Promise<string[]> {
  const { resourceVersion } = await hub.list(BUNDLE_DEPLOYMENT, { namespace: clusterNamespace })
  const end = new AbortController()
  const versions: string[] = []
  const watching = (async () => {
    const events = hub.watch<BundleDeployment>(BUNDLE_DEPLOYMENT, { namespace: clusterNamespace, resourceVersion, signal: end.signal })
    for await (const event of events)
      if (event.type !== 'BOOKMARK' && event.object.metadata.name === name) versions.push(event.object.metadata.resourceVersion ?? '')
  })().catch(() => {
    // the watch is ended by the signal
  })
  await work()
  await new Promise((resolve) => setTimeout(resolve, 1_500))
  end.abort(new Error('enough'))
  await watching
  return versions
}

test('waits for its registration, then a first deployment is reported by one write', async () => {
  const agent = start()
  try {
    await new Promise((resolve) => setTimeout(resolve, 500))
    await register()
    const versions = await writesOf('first', async () => {
      await deploy('first', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'thing' }, data: { a: 'b' } })
      await eventually(() => read('first'), isReady)
    })
    expect(versions).toHaveLength(2) // created, reported
    const { status } = await read('first')
    expect(status?.conditions?.map(({ type, status }) => `${type} ${status}`)).toEqual([
      'Installed True',
      'Deployed True',
      'Ready True',
      'Monitored True',
    ])
  } finally {
    await agent.stop()
  }
})

test('a restart writes nothing and goes on watching', async () => {
  const secrets = () => down.list({ apiVersion: 'v1', kind: 'Secret' }, { namespace: `ns-${clusterNamespace}-first`, metadataOnly: true })
  const before = (await secrets()).items.map(({ metadata }) => metadata.resourceVersion)
  let agent: ReturnType<typeof start> | undefined
  const versions = await writesOf('first', async () => {
    agent = start()
    await new Promise((resolve) => setTimeout(resolve, 2_500))
  })
  try {
    expect(versions).toEqual([])
    expect((await secrets()).items.map(({ metadata }) => metadata.resourceVersion)).toEqual(before)
    const thing = { apiVersion: 'v1', kind: 'ConfigMap', namespace: `ns-${clusterNamespace}-first`, name: 'thing' }
    await down.patch(thing, { data: { a: 'changed' } }, { type: 'merge' })
    await eventually(
      () => read('first'),
      ({ status }) => status?.nonModified === false,
    )
  } finally {
    await agent?.stop()
  }
})

test('what was finished but not reported is not deployed a second time', async () => {
  const name = 'crashed'
  const first = start()
  await deploy(name, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'thing' } })
  await eventually(() => read(name), isReady)
  await first.stop()
  await hub.patch({ ...BUNDLE_DEPLOYMENT, namespace: clusterNamespace, name }, { status: null }, { type: 'merge', subresource: 'status' })
  const second = start()
  try {
    const { status } = await eventually(() => read(name), isReady)
    expect(status?.release).toMatch(/\/crashed:1$/)
  } finally {
    await second.stop()
  }
})

test('a deployment that is deleted goes, and no other with it', async () => {
  const agent = start()
  try {
    await deploy('alive', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'thing' } })
    await eventually(() => read('alive'), isReady)
    await hub.delete({ ...BUNDLE_DEPLOYMENT, namespace: clusterNamespace, name: 'crashed' })
    const thing = (bundle: string) =>
      down.find({ apiVersion: 'v1', kind: 'ConfigMap', namespace: `ns-${clusterNamespace}-${bundle}`, name: 'thing' })
    await eventually(
      () => thing('crashed'),
      (object) => object === undefined,
    )
    expect(await Promise.all([thing('first'), thing('alive')])).not.toContain(undefined)
  } finally {
    await agent.stop()
  }
})
