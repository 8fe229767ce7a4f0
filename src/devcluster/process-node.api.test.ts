import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { silentLogger } from '../lib/controller/log.ts'
import type { KubeClient } from '../lib/kube/client.ts'
import { createClient } from '../lib/kube/client.ts'
import { loadConnection } from '../lib/kube/connection.ts'
import type { KubeObject } from '../lib/kube/types.ts'
import { testCluster, uniqueNamespace } from '../testing/cluster.ts'
import { eventually } from '../testing/eventually.ts'
import type { Container, Pod, PodSpec } from './pods/types.ts'
import { POD } from './pods/types.ts'
import type { ProcessNode } from './process-node.ts'
import { startProcessNode } from './process-node.ts'

// The programs are given as JavaScript in the arguments of the container.
const IMAGE = 'example.test/ours:1'
const PROGRAM = `
const { readFileSync, existsSync, watchFile } = require('node:fs')
const say = (what, value) => console.log(what + '=' + JSON.stringify(value))
`
const LIMIT = { timeout: 60_000, interval: 100 }

let client: KubeClient
let node: ProcessNode
let dir = ''
const namespace = uniqueNamespace()

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'process-node-'))
  client = createClient(await loadConnection({ kubeconfig: testCluster('downstream').kubeconfig }))
  await client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } })
  node = await startProcessNode({
    client,
    name: uniqueNamespace('node'),
    dir,
    log: silentLogger,
    restartDelays: { baseMs: 200, maxMs: 1000 },
    images(image, command) {
      if (image !== IMAGE) return undefined
      return { command: [process.execPath, '-e', PROGRAM + command.join(' ')], env: { PATH: '/usr/bin:/bin' } }
    },
  })
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', name: 'default', namespace }
  await vi.waitFor(async () => expect(await client.find(account)).toBeDefined(), LIMIT)
})

afterAll(async () => {
  await node?.stop()
  await client?.delete({ apiVersion: 'v1', kind: 'Namespace', name: namespace })
  await client?.close()
  rmSync(dir, { recursive: true, force: true })
})

async function createPod(name: string, container: Partial<Container>, spec: Partial<PodSpec> = {}): Promise<void> {
  const containers = [{ name: 'main', image: IMAGE, ...container }]
  await client.create<Pod>({ ...POD, metadata: { name, namespace }, spec: { ...spec, containers } })
}

function getPod(name: string): Promise<Pod | undefined> {
  return client.find<Pod>({ ...POD, name, namespace })
}

/** The pod as it was when it passed the check: a moment later it may be another one. */
function waitForPod(name: string, check: (pod: Pod) => boolean): Promise<Pod> {
  return eventually(
    async () => {
      const pod = await getPod(name)
      if (!pod || !check(pod)) throw new Error(JSON.stringify(pod?.status))
      return pod
    },
    { what: `pod ${name}` },
  )
}

function isReady(pod: Pod): boolean {
  return pod.status?.conditions?.find(({ type }) => type === 'Ready')?.status === 'True'
}

function readLog(pod: string, container = 'main'): string {
  return readFileSync(join(dir, 'pods', `${namespace}_${pod}`, `${container}.log`), 'utf8')
}

function said(pod: string, what: string): unknown {
  const line = readLog(pod)
    .trimEnd()
    .split('\n')
    .findLast((one) => one.startsWith(`${what}=`))
  return line === undefined ? undefined : JSON.parse(line.slice(what.length + 1))
}

async function createConfig(name: string, data: Record<string, string>): Promise<void> {
  await client.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, data } as KubeObject)
}

async function createSecret(name: string, stringData: Record<string, string>): Promise<void> {
  await client.create({ apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace }, stringData } as KubeObject)
}

describe('a Deployment of an image of ours', () => {
  const script = `
    say('color', process.env.COLOR); say('pod', process.env.POD)
    say('password', readFileSync('/etc/login/password', 'utf8'))
    setInterval(() => {}, 1000)`

  it('runs as a program with its environment and volumes, restarts, and ends with the Deployment', async () => {
    await createConfig('settings', { COLOR: 'red' })
    await createSecret('login', { password: 's3cret' })
    const metadata = { name: 'app', namespace }
    const labels = { app: 'app' }
    const container = {
      name: 'main',
      image: IMAGE,
      args: [script],
      env: [
        { name: 'COLOR', valueFrom: { configMapKeyRef: { name: 'settings', key: 'COLOR' } } },
        { name: 'POD', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
      ],
      volumeMounts: [{ name: 'login', mountPath: '/etc/login' }],
    }
    const podSpec = { containers: [container], volumes: [{ name: 'login', secret: { secretName: 'login' } }] }
    const spec = { replicas: 1, selector: { matchLabels: labels }, template: { metadata: { labels }, spec: podSpec } }
    const deployment = { apiVersion: 'apps/v1', kind: 'Deployment' }
    await client.create({ ...deployment, metadata, spec } as KubeObject)
    const available = async () =>
      (await client.get<KubeObject & { status?: { availableReplicas?: number } }>({ ...deployment, ...metadata })).status?.availableReplicas
    await expect.poll(available, LIMIT).toBe(1)
    const { items } = await client.list<Pod>(POD, { namespace, labelSelector: 'app=app' })
    const name = items[0]?.metadata.name ?? ''
    await expect.poll(() => said(name, 'password'), LIMIT).toBe('s3cret')
    expect([said(name, 'color'), said(name, 'pod')]).toEqual(['red', name])

    expect(node.signal(namespace, 'main', 'SIGKILL')).toBe(1)
    const restarted = await waitForPod(name, (pod) => pod.status?.containerStatuses?.[0]?.restartCount === 1 && isReady(pod))
    expect(restarted.status?.containerStatuses?.[0]?.lastState.terminated).toMatchObject({ exitCode: 137, reason: 'Error' })

    await client.delete({ ...deployment, ...metadata }, { propagationPolicy: 'Background' })
    await expect.poll(() => getPod(name), LIMIT).toBeUndefined()
    expect(() => statSync(join(dir, 'pods', `${namespace}_${name}`, 'volumes'))).toThrow()
  })
})

describe('a pod of ours', () => {
  it('acts as its service account by a token bound to the pod', async () => {
    const script = `
      say('kubeconfig', JSON.parse(readFileSync(process.env.KUBECONFIG, 'utf8')))
      say('namespace', readFileSync('/var/run/secrets/kubernetes.io/serviceaccount/namespace', 'utf8'))
      setInterval(() => {}, 1000)`
    await createPod('account', { args: [script] })
    await waitForPod('account', isReady)
    await expect.poll(() => said('account', 'namespace'), LIMIT).toBe(namespace)
    const kubeconfig = said('account', 'kubeconfig') as { users: [{ user: { tokenFile: string } }] }
    const { tokenFile } = kubeconfig.users[0].user
    expect((statSync(tokenFile).mode & 0o777).toString(8)).toBe('600')
    const own = createClient(await loadConnection({ kubeconfigText: JSON.stringify(kubeconfig) }))
    const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' }
    const review = await own.request<{ status: { userInfo: { username: string; extra: Record<string, string[]> } } }>(
      'POST',
      '/apis/authentication.k8s.io/v1/selfsubjectreviews',
      { body },
    )
    await own.close()
    expect(review.status.userInfo.username).toBe(`system:serviceaccount:${namespace}:default`)
    expect(review.status.userInfo.extra['authentication.kubernetes.io/pod-name']).toEqual(['account'])
  })

  it('sees changes of its ConfigMap', async () => {
    await createConfig('live', { 'a.txt': 'one' })
    const script = `
      const file = '/etc/live/a.txt'
      let last; setInterval(() => { const now = readFileSync(file, 'utf8'); if (now !== last) say('text', last = now) }, 50)`
    const mounts = { volumeMounts: [{ name: 'live', mountPath: '/etc/live' }] }
    await createPod('live', { args: [script], ...mounts }, { volumes: [{ name: 'live', configMap: { name: 'live' } }] })
    await waitForPod('live', isReady)
    await expect.poll(() => said('live', 'text'), LIMIT).toBe('one')
    await client.patch({ apiVersion: 'v1', kind: 'ConfigMap', name: 'live', namespace }, { data: { 'a.txt': 'two' } }, { type: 'merge' })
    await expect.poll(() => said('live', 'text'), LIMIT).toBe('two')
  })

  it('waits for what is missing and says so', async () => {
    const volumes = [{ name: 'v', secret: { secretName: 'later' } }]
    await createPod('early', { args: ['setInterval(() => {}, 1000)'] }, { volumes })
    const pod = await waitForPod('early', ({ status }) => status?.containerStatuses?.[0]?.state.waiting?.message !== undefined)
    expect(pod.status).toMatchObject({
      phase: 'Pending',
      containerStatuses: [{ state: { waiting: { message: 'secret "later" not found' } } }],
    })
    await createSecret('later', { x: 'y' })
    await waitForPod('early', isReady)
  })

  it('runs its init containers first, and completes', async () => {
    const shared = { volumeMounts: [{ name: 'work', mountPath: '/work-dir' }] }
    const init = { name: 'init', image: IMAGE, args: [`require('node:fs').writeFileSync('/work-dir/made', 'by init')`], ...shared }
    const main = { args: [`say('made', readFileSync('/work-dir/made', 'utf8'))`], ...shared }
    const volumes = [{ name: 'work', emptyDir: {} }]
    await createPod('job', main, { restartPolicy: 'OnFailure', initContainers: [init], volumes })
    const pod = await waitForPod('job', ({ status }) => status?.phase === 'Succeeded')
    expect(said('job', 'made')).toBe('by init')
    expect(pod.status?.initContainerStatuses?.[0]?.state.terminated?.exitCode).toBe(0)
  })

  it('backs off when it crashes', async () => {
    await createPod('crash', { args: ['process.exit(4)'] })
    const pod = await waitForPod('crash', ({ status }) => status?.containerStatuses?.[0]?.state.waiting?.reason === 'CrashLoopBackOff')
    expect(pod.status).toMatchObject({
      phase: 'Running',
      containerStatuses: [{ ready: false, lastState: { terminated: { exitCode: 4 } } }],
    })
  })

  it('gets SIGTERM and its time to end', async () => {
    const script = `process.on('SIGTERM', () => setTimeout(() => { say('end', 'well'); process.exit(0) }, 300)); say('up', 1); setInterval(() => {}, 1000)`
    await createPod('graceful', { args: [script] }, { terminationGracePeriodSeconds: 10 })
    await expect.poll(() => said('graceful', 'up'), { ...LIMIT }).toBe(1)
    await client.delete({ ...POD, name: 'graceful', namespace })
    await expect.poll(() => getPod('graceful'), LIMIT).toBeUndefined()
    expect(said('graceful', 'end')).toBe('well')
  })
})

describe('a pod of somebody else', () => {
  it('is ready at once', async () => {
    await createPod('foreign', { image: 'example.test/other:1' })
    const pod = await waitForPod('foreign', isReady)
    expect(pod.status).toMatchObject({ phase: 'Running', podIP: '127.0.0.1' })
    await client.delete({ ...POD, name: 'foreign', namespace })
    await expect.poll(() => getPod('foreign'), LIMIT).toBeUndefined()
  })

  it('completes when it belongs to a Job', async () => {
    const job = { apiVersion: 'batch/v1', kind: 'Job' }
    const template = { spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'example.test/other:1' }] } }
    await client.create({ ...job, metadata: { name: 'task', namespace }, spec: { template } } as KubeObject)
    const succeeded = async () =>
      (await client.get<KubeObject & { status?: { succeeded?: number } }>({ ...job, name: 'task', namespace })).status?.succeeded
    await expect.poll(succeeded, LIMIT).toBe(1)
  })
})

it('leaves pods alone that ask for another node', async () => {
  await createPod('elsewhere', { image: 'example.test/other:1' }, { nodeSelector: { 'kubernetes.io/os': 'windows' } })
  await createPod('later', { image: 'example.test/other:1' })
  await waitForPod('later', isReady)
  expect((await getPod('elsewhere'))?.spec.nodeName).toBeUndefined()
})
