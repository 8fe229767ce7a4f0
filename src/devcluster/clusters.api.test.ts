import { spawn } from 'node:child_process'
import { existsSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { KubeClient } from '../lib/kube/client.ts'
import { createClient } from '../lib/kube/client.ts'
import { loadConnection } from '../lib/kube/connection.ts'
import type { KubeObject } from '../lib/kube/types.ts'
import { testCluster, uniqueNamespace } from '../testing/cluster.ts'
import { startClusters } from './clusters.ts'
import { renderKubeconfig } from './kubeconfig.ts'
import { isAlive, removeLeftovers } from './leftovers.ts'

const LIMIT = { timeout: 60_000, interval: 100 }
/** For tests that start control planes of their own. */
const STARTS = { timeout: 300_000 }
const namespace = uniqueNamespace()

function object(apiVersion: string, kind: string, name: string, more: object = {}): KubeObject {
  return { apiVersion, kind, metadata: { name, ...(kind === 'Namespace' ? {} : { namespace }) }, ...more }
}

async function clientOf(kubeconfigText: string): Promise<KubeClient> {
  return createClient(await loadConnection({ kubeconfigText }))
}

describe('a started cluster', () => {
  const hub = testCluster('hub')
  let client: KubeClient
  beforeAll(async () => {
    client = createClient(await loadConnection({ kubeconfig: hub.kubeconfig }))
    await client.create(object('v1', 'Namespace', namespace))
  })
  afterAll(async () => {
    await client.delete({ apiVersion: 'v1', kind: 'Namespace', name: namespace })
    await client.close()
  })

  async function clientWithToken(token: string): Promise<KubeClient> {
    return clientOf(renderKubeconfig({ name: 'account', server: hub.url, ca: hub.ca, user: { token } }))
  }

  it('has its own state', async () => {
    const downstream = createClient(await loadConnection({ kubeconfig: testCluster('downstream').kubeconfig }))
    expect(await downstream.find({ apiVersion: 'v1', kind: 'Namespace', name: namespace })).toBeUndefined()
    await downstream.close()
  })

  it('issues tokens for service accounts and authorises them by RBAC', async () => {
    await client.create(object('v1', 'ServiceAccount', 'worker'))
    const path = `/api/v1/namespaces/${namespace}/serviceaccounts/worker/token`
    const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} }
    const { status } = await client.request<{ status: { token: string } }>('POST', path, { body })
    const account = await clientWithToken(status.token)
    const list = () =>
      account.list({ apiVersion: 'v1', kind: 'ConfigMap' }, { namespace }).then(
        () => 'allowed',
        (error: { status?: number }) => error.status,
      )
    expect(await list()).toBe(403)
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' }
    const subjects = [{ kind: 'ServiceAccount', name: 'worker', namespace }]
    await client.create(object('rbac.authorization.k8s.io/v1', 'RoleBinding', 'view', { roleRef, subjects }))
    await expect.poll(list, LIMIT).toBe('allowed')
    await account.close()
  })

  it('fills token secrets', async () => {
    await expect.poll(() => client.find({ apiVersion: 'v1', kind: 'ServiceAccount', name: 'default', namespace }), LIMIT).toBeDefined()
    const annotations = { 'kubernetes.io/service-account.name': 'default' }
    const metadata = { name: 'token', namespace, annotations }
    await client.create({ apiVersion: 'v1', kind: 'Secret', metadata, type: 'kubernetes.io/service-account-token' } as KubeObject)
    const token = async () =>
      (await client.get<KubeObject & { data?: { token?: string } }>({ apiVersion: 'v1', kind: 'Secret', ...metadata })).data?.token
    await expect.poll(token, LIMIT).toBeDefined()
  })
})

describe('clusters of a test of its own', () => {
  it('lose their API server and get it back with all that was in it', STARTS, async () => {
    const own = await startClusters({ names: ['own'], bin: testCluster('hub').bin })
    const cluster = own.clusters.own
    if (cluster === undefined) throw new Error('no cluster')
    const client = createClient(await loadConnection({ kubeconfig: cluster.kubeconfig }))
    await client.create(object('v1', 'Namespace', namespace))
    await cluster.stopApiServer()
    await expect(fetch(cluster.url)).rejects.toThrow()
    await cluster.startApiServer()
    expect(await client.find({ apiVersion: 'v1', kind: 'Namespace', name: namespace })).toBeDefined()
    await client.close()
    await own.stop()
    expect(existsSync(own.dir)).toBe(false)
  })

  it('do not outlive a process that is killed, and the next start clears their folder', STARTS, async () => {
    const script = `
      import { startClusters } from ${JSON.stringify(join(import.meta.dirname, 'clusters.ts'))}
      const { dir } = await startClusters({ names: ['orphan'], bin: ${JSON.stringify(testCluster('hub').bin)} })
      const { readFileSync } = await import('node:fs')
      console.log(JSON.stringify({ dir, ...JSON.parse(readFileSync(dir + '/owner.json', 'utf8')) }))
      setInterval(() => {}, 1000)`
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
    const line = await new Promise<string>((resolve) => createInterface({ input: child.stdout }).once('line', resolve))
    const { dir, pids } = JSON.parse(line) as { dir: string; pids: number[] }
    expect(pids.map(isAlive)).toEqual([true, true, true])
    child.kill('SIGKILL')
    await new Promise((resolve) => child.once('exit', resolve))
    removeLeftovers(tmpdir(), Date.now())
    await expect.poll(() => pids.map(isAlive), LIMIT).toEqual([false, false, false])
    // The start of another test may be removing it as well.
    await expect.poll(() => existsSync(dir), LIMIT).toBe(false)
    rmSync(dir, { recursive: true, force: true })
  })
})
