// What users get wrong when they import a cluster: each is said on the cluster, with what to do, and heals by itself when it is mended.
import { type AddressInfo, createServer, type Server } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Cluster, ClusterSpec } from '../api/cluster.ts'
import { CLUSTER } from '../api/kinds.ts'
import { clusterNamespace } from '../api/names.ts'
import { getCondition } from '../lib/controller/conditions.ts'
import type { KubeObject } from '../lib/kube/types.ts'
import { testCluster, uniqueNamespace } from '../testing/cluster.ts'
import { eventually } from '../testing/eventually.ts'
import { type FaultProxy, startFaultProxy } from '../testing/fault-proxy.ts'
import { createNamespace } from '../testing/kube.ts'
import { createSelfSigned } from '../testing/self-signed.ts'
import { bindingObject, NAMESPACE, SECRET, SERVICE_ACCOUNT, secretObject } from './kinds.ts'
import { kubeconfigOf, openScene, type Running, type Scene } from './scene.testing.ts'

const SECRETIVE = 'canary-of-a-kubeconfig'
const good = kubeconfigOf(testCluster('downstream'))
let scene: Scene
let running: Running
let proxy: FaultProxy
let silent: Server
let attempts = 0

beforeAll(async () => {
  scene = await openScene()
  running = await scene.start()
  proxy = await startFaultProxy({ target: testCluster('downstream') })
  silent = createServer((socket) => {
    attempts++
    socket.on('error', () => {}) // who gives up may break the connection
  })
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
})
afterAll(async () => {
  await running?.stop()
  await proxy?.stop()
  silent?.close()
  await Promise.all([scene?.hub.close(), scene?.downstream.close()])
})

const refOf = (name: string) => ({ ...CLUSTER, name, namespace: scene.workspace })

async function said(name: string, words: RegExp, reason?: string): Promise<void> {
  const condition = await eventually(async () => {
    const found = getCondition((await scene.cluster(name)).status?.conditions, 'Imported')
    expect(found?.status).toBe('False')
    expect(found?.message).toMatch(words)
    return found
  })
  if (reason) expect(condition?.reason).toBe(reason)
  expect(condition?.message).not.toContain(SECRETIVE)
}

async function healed(name: string): Promise<void> {
  await eventually(async () => {
    const { status } = await scene.cluster(name)
    expect(getCondition(status?.conditions, 'Imported')).toMatchObject({ status: 'True' })
    expect(status).toMatchObject({ agentDeployedGeneration: 0, agentConfigChanged: false })
  })
  await scene.downstream.get({ apiVersion: 'apps/v1', kind: 'Deployment', name: 'fleet-agent', namespace: name })
}

async function untouched(name: string): Promise<void> {
  expect(await scene.downstream.find({ ...NAMESPACE, name })).toBeUndefined()
}

async function putKubeconfig(name: string, value: string): Promise<void> {
  const data = { value: Buffer.from(value).toString('base64') }
  await scene.hub.patch({ ...SECRET, name: `${name}-kubeconfig`, namespace: scene.workspace }, { data }, { type: 'merge' })
}

async function createCluster(name: string, spec: ClusterSpec): Promise<void> {
  await scene.hub.create<Cluster>({ ...CLUSTER, metadata: { name, namespace: scene.workspace }, spec: { agentNamespace: name, ...spec } })
}

const downstream = testCluster('downstream')
const withCluster = (change: object): string => {
  const config = JSON.parse(good)
  Object.assign(config.clusters[0].cluster, change)
  return JSON.stringify(config)
}

const BROKEN_KEY = Object.fromEntries(
  ['client-certificate-data', 'client-key-data'].map((field) => [field, Buffer.from(SECRETIVE).toString('base64')]),
)

test.each([
  ['no YAML', `token: ${SECRETIVE}: [`, /kubeconfig: is not valid YAML/],
  ['text', SECRETIVE, /kubeconfig: is not a kubeconfig/],
  ['nothing', '', /the kubeconfig secret has no kubeconfig: put it under the key "value"/],
  ['an unknown context', JSON.stringify({ ...JSON.parse(good), 'current-context': 'x' }), /there is no context "x", only "c"/],
  ['no server', withCluster({ server: undefined }), /cluster c: has no server/],
  [
    'credentials in the URL',
    withCluster({ server: `https://u:${SECRETIVE}@127.0.0.1` }),
    /credentials belong into the user, not into the URL/,
  ],
  ['a broken key', kubeconfigOf(downstream, BROKEN_KEY), /the kubeconfig cannot be used: check its certificates and keys/],
  ['a program', kubeconfigOf(downstream, { exec: { apiVersion: 'v1', command: SECRETIVE } }), /must not use exec/],
  ['a plug-in', kubeconfigOf(downstream, { 'auth-provider': { name: 'gcp' } }), /must not use auth-provider/],
  ['a token file', kubeconfigOf(downstream, { tokenFile: '/etc/hostname' }), /must not use tokenFile/],
  ['a key file', kubeconfigOf(downstream, { 'client-key': '/etc/hostname' }), /must not use client-key/],
  ['a CA file', withCluster({ 'certificate-authority': '/etc/hostname' }), /must not use certificate-authority/],
])('a kubeconfig with %s is refused', async (_, kubeconfig, words) => {
  const name = uniqueNamespace('bad')
  await scene.importCluster(name, kubeconfig)
  await said(name, words, 'InvalidKubeconfig')
  await untouched(name)
  await putKubeconfig(name, good)
  await healed(name)
})

test('a cluster that accepts connections and says nothing is given up in time and asked less and less', async () => {
  const name = uniqueNamespace('silent')
  const url = `https://127.0.0.1:${(silent.address() as AddressInfo).port}`
  const started = Date.now()
  await scene.importCluster(name, kubeconfigOf({ ...downstream, url }))
  await said(name, new RegExp(`${url}: .*can be reached from the management cluster`))
  expect(Date.now() - started).toBeLessThan(30_000)
  expect(attempts).toBeLessThan(8)
  await putKubeconfig(name, good)
  await healed(name)
})

test('nobody at the address: the message has it', async () => {
  const name = uniqueNamespace('away')
  await scene.importCluster(name, kubeconfigOf({ ...downstream, url: 'https://127.0.0.1:1' }))
  await said(name, /cannot reach the API server https:\/\/127\.0\.0\.1:1: .*ECONNREFUSED.*; see that the server in the kubeconfig is right/)
  await putKubeconfig(name, good)
  await healed(name)
})

test.each(['system-store', 'strict'])('a certificate that is not trusted is named (%s)', async (agentTLSMode) => {
  await scene.configure({ agentTLSMode })
  const [foreign, other] = [uniqueNamespace('foreign'), uniqueNamespace('other')]
  const { ca } = downstream
  await scene.importCluster(foreign, kubeconfigOf({ ...downstream, url: proxy.url, ca }))
  await said(
    foreign,
    new RegExp(
      `the cluster ${proxy.url} presents a certificate with subject "CN=fault proxy", issuer "CN=fault proxy", which .*: put the CA`,
    ),
  )
  await scene.importCluster(
    other,
    kubeconfigOf({ ...downstream, ca: agentTLSMode === 'strict' ? createSelfSigned('another CA').cert : 'no CA' }),
  )
  await said(other, /presents a certificate with subject ".+", issuer ".+", which the kubeconfig does not trust \(.+\)/)
  await untouched(foreign)
  await untouched(other)
  await putKubeconfig(foreign, kubeconfigOf({ ...downstream, url: proxy.url, ca: proxy.ca }))
  await putKubeconfig(other, good)
  await healed(foreign)
  await healed(other)
  await scene.configure({ agentTLSMode: 'system-store' })
})

test('a certificate for another server is named', async () => {
  const name = uniqueNamespace('mismatch')
  const kubeconfig = withCluster({ 'tls-server-name': 'elsewhere.example.com' })
  await scene.importCluster(name, kubeconfig)
  await said(name, /presents a certificate with subject ".+", issuer ".+", which .*elsewhere\.example\.com/)
  await putKubeconfig(name, good)
  await healed(name)
})

test('credentials that the cluster refuses, and an account that may not install', async () => {
  const [unknown, powerless] = [uniqueNamespace('unknown'), uniqueNamespace('powerless')]
  await scene.importCluster(unknown, kubeconfigOf({ ...downstream, token: SECRETIVE }))
  await said(unknown, /the cluster https:.* refuses the credentials in the kubeconfig: put a kubeconfig with good ones/)
  const namespace = await createNamespace(scene.downstream, 'accounts')
  const account = { name: 'importer', namespace }
  await scene.downstream.create({ ...SERVICE_ACCOUNT, metadata: account })
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/importer/token`
  const { status } = await scene.downstream.request<{ status: { token: string } }>('POST', path, { body: { spec: {} } })
  await scene.importCluster(powerless, kubeconfigOf({ ...downstream, token: status.token }))
  await said(powerless, /the account of the kubeconfig may not install the agent, it needs cluster-admin: .*accounts/)
  await scene.downstream.create(bindingObject({ name: namespace }, { kind: 'ClusterRole', name: 'cluster-admin' }, account))
  await putKubeconfig(unknown, good)
  await healed(unknown)
  await healed(powerless)
})

test('a secret that is missing', async () => {
  const name = uniqueNamespace('missing')
  await createCluster(name, { kubeConfigSecret: `${name}-kubeconfig` })
  await said(
    name,
    new RegExp(`kubeconfig secret "${name}-kubeconfig" not found in namespace ${scene.workspace}: create it`),
    'KubeconfigSecretNotFound',
  )
  await scene.hub.create(secretObject({ name: `${name}-kubeconfig`, namespace: scene.workspace }, { value: good }))
  await healed(name)
})

test('a secret in a namespace that does not exist', async () => {
  const [name, namespace] = [uniqueNamespace('nowhere'), uniqueNamespace('cluster-gone')]
  await createCluster(name, { kubeConfigSecret: 'kubeconfig', kubeConfigSecretNamespace: namespace })
  await said(name, new RegExp(`kubeconfig secret "kubeconfig" not found in namespace ${namespace}`), 'KubeconfigSecretNotFound')
  await scene.hub.create({ ...NAMESPACE, metadata: { name: namespace } })
  await scene.hub.create(secretObject({ name: 'kubeconfig', namespace }, { value: good }))
  await healed(name)
})

test('a secret in a namespace of somebody else', async () => {
  const name = uniqueNamespace('foreign')
  await createCluster(name, { kubeConfigSecret: 'token', kubeConfigSecretNamespace: 'kube-system' })
  await said(
    name,
    /kubeConfigSecretNamespace "kube-system" is not an allowed Fleet namespace: put the secret beside/,
    'NamespaceNotAllowed',
  )
  await scene.hub.create(secretObject({ name: 'token', namespace: scene.workspace }, { value: good }))
  await scene.hub.patch(refOf(name), { spec: { kubeConfigSecretNamespace: null } }, { type: 'merge' })
  await healed(name)
})

test('a client id that another cluster has', async () => {
  const [first, second] = [uniqueNamespace('a-first'), uniqueNamespace('b-second')]
  await createCluster(first, { clientID: first })
  await scene.hub.create(secretObject({ name: `${second}-kubeconfig`, namespace: scene.workspace }, { value: good }))
  await eventually(async () => expect((await scene.cluster(first)).status?.namespace).toBeTruthy())
  await createCluster(second, { clientID: first, kubeConfigSecret: `${second}-kubeconfig` })
  await said(
    second,
    new RegExp(`cluster ${scene.workspace}/${first}, which is older, has the same spec\\.clientID.*: give this cluster another`),
    'ClientIDTaken',
  )
  await untouched(second)
  const connected = getCondition((await scene.cluster(second)).status?.conditions, 'Connected')
  expect(connected).toMatchObject({ status: 'False', reason: 'ClientIDTaken' })
  await scene.hub.delete(refOf(first))
  await healed(second)
  await eventually(async () => {
    expect(getCondition((await scene.cluster(second)).status?.conditions, 'Connected')).toMatchObject({ reason: 'Registering' })
  })
})

test('an agentTLSMode that does not exist', async () => {
  const name = uniqueNamespace('mode')
  await scene.configure({ agentTLSMode: 'relaxed' })
  await scene.importCluster(name, good)
  await said(name, /agentTLSMode "relaxed" of the configuration is unknown: choose one of strict, system-store/, 'InvalidConfiguration')
  await scene.configure({ agentTLSMode: 'system-store' })
  await healed(name)
})

test('no address of the management cluster anywhere', async () => {
  const name = uniqueNamespace('homeless')
  await scene.configure({ apiServerURL: '' })
  await scene.importCluster(name, good)
  await said(name, /set apiServerURL in the kubeconfig secret or in the configuration/, 'MissingAPIServerURL')
  await scene.configure({ apiServerURL: 'https://hub.example.com' })
  await healed(name)
})

test('a namespace that another cluster has', async () => {
  const name = uniqueNamespace('taken')
  const own = clusterNamespace(scene.workspace, name)
  const annotations = { 'fleet.cattle.io/cluster': 'somebody', 'fleet.cattle.io/cluster-namespace': scene.workspace }
  await scene.hub.create<KubeObject>({ ...NAMESPACE, metadata: { name: own, annotations } })
  await createCluster(name, { clientID: name })
  await eventually(async () => {
    const processed = getCondition((await scene.cluster(name)).status?.conditions, 'Processed')
    expect(processed).toMatchObject({
      status: 'False',
      message: expect.stringMatching(`namespace ${own} belongs to another cluster, somebody: delete the namespace, or`),
    })
  })
  await scene.hub.patch({ ...NAMESPACE, name: own }, { metadata: { annotations: { 'fleet.cattle.io/cluster': name } } }, { type: 'merge' })
  await eventually(async () => expect((await scene.cluster(name)).status?.namespace).toBe(own))
})
