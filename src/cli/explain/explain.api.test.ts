// `fleet explain` reads objects of a real API server, and asks for no more than it needs.
import { tmpdir } from 'node:os'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { BUNDLE, BUNDLE_DEPLOYMENT, CLUSTER, CLUSTER_GROUP, GIT_REPO } from '../../api/kinds.ts'
import { BUNDLE_NAME_LABEL, BUNDLE_NAMESPACE_LABEL, CLUSTER_LABEL, CLUSTER_NAMESPACE_LABEL, REPO_NAME_LABEL } from '../../api/labels.ts'
import type { Explanation } from '../../explain/types.ts'
import type { KubeClient } from '../../lib/kube/client.ts'
import type { KubeObject, ResourceType } from '../../lib/kube/types.ts'
import { parseYaml } from '../../lib/yaml/parse.ts'
import { testCluster } from '../../testing/cluster.ts'
import { clientOf, createNamespace } from '../../testing/kube.ts'
import { run } from '../testing/run.ts'
import { readObjects } from './read.ts'

const hub = testCluster('hub')
const ID = 's-content:options'
let client: KubeClient
let ws: string
let places: readonly string[]

beforeAll(async () => {
  client = await clientOf(hub.kubeconfig)
  ws = await createNamespace(client, 'explain')
  places = await Promise.all(['one', 'two'].map((name) => createNamespace(client, `explain-${name}`)))
  await create(GIT_REPO, ws, 'shop', { spec: { repo: 'https://git.example.com/shop' } })
  await report(GIT_REPO, ws, 'shop', { commit: 'c0ffee', observedGeneration: 1, gitJobStatus: 'Current' })
  await create(CLUSTER_GROUP, ws, 'all', { spec: { selector: {} } })
  const spec = { targets: [{ clusterGroup: 'all' }], resources: [{ name: 'a.yaml', content: 'x'.repeat(1_000) }] }
  await create(BUNDLE, ws, 'shop-web', { spec }, { [REPO_NAME_LABEL]: 'shop' })
  await report(BUNDLE, ws, 'shop-web', { observedGeneration: 1, conditions: [{ type: 'Ready', status: 'True' }] })
  for (const [index, name] of ['one', 'two'].entries()) {
    const namespace = places[index] ?? ''
    await create(CLUSTER, ws, name, { spec: {} })
    await report(CLUSTER, ws, name, { namespace, agent: { lastSeen: new Date().toISOString() } })
    const labels = {
      [REPO_NAME_LABEL]: 'shop',
      [BUNDLE_NAME_LABEL]: 'shop-web',
      [BUNDLE_NAMESPACE_LABEL]: ws,
      [CLUSTER_LABEL]: name,
      [CLUSTER_NAMESPACE_LABEL]: ws,
    }
    await create(BUNDLE_DEPLOYMENT, namespace, 'shop-web', { spec: { deploymentID: ID, stagedDeploymentID: ID } }, labels)
  }
}, 60_000)

afterAll(async () => {
  for (const name of [ws, ...(places ?? [])]) await client.delete({ apiVersion: 'v1', kind: 'Namespace', name })
  await client.close()
})

async function create(
  type: ResourceType,
  namespace: string,
  name: string,
  fields: object,
  labels: Record<string, string> = {},
): Promise<void> {
  await client.create({ ...type, metadata: { name, namespace, labels }, ...fields } as KubeObject)
}

async function report(type: ResourceType, namespace: string, name: string, status: object): Promise<void> {
  await client.patch({ ...type, namespace, name }, { status }, { type: 'merge', subresource: 'status' })
}

const fleet = (...args: readonly string[]) =>
  run(['explain', ...args, '--kubeconfig', hub.kubeconfig], { cwd: tmpdir(), env: { PATH: hub.bin } })

const ready = { appliedDeploymentID: ID, ready: true, nonModified: true }

test('what keeps a repository from being deployed is told as text, JSON and YAML', async () => {
  await report(BUNDLE_DEPLOYMENT, places[0] ?? '', 'shop-web', ready)
  const message = 'looking up service account x/deployer: ServiceAccount "deployer" not found'
  const conditions = [{ type: 'Deployed', status: 'False', message, lastUpdateTime: '2026-01-01T00:00:00Z' }]
  await client.create({ apiVersion: BUNDLE.apiVersion, kind: 'Content', metadata: { name: 's-content' }, content: 'eA==' } as KubeObject)
  await report(BUNDLE_DEPLOYMENT, places[1] ?? '', 'shop-web', { conditions })
  const text = await fleet('gitrepo', `${ws}/shop`)
  expect(text.stderr).toBe('')
  expect(text.code).toBe(4)
  expect(text.stdout).toContain(`gitrepo ${ws}/shop: blocked at apply\n`)
  expect(text.stdout).toContain(`1 of 2 clusters (${ws}/two): cluster ${ws}/two: ${message}`)
  expect(text.stdout).not.toContain('\u001b')
  const json = JSON.parse((await fleet('bundle', 'shop-web', '-n', ws, '--cluster', 'two', '-o', 'json')).stdout) as Explanation
  expect(json).toMatchObject({ verdict: 'blocked', blocking: { name: 'apply', reason: 'NotDeployed', since: '2026-01-01T00:00:00Z' } })
  const yaml = parseYaml((await fleet('bundledeployments', 'shop-web', '-n', places[1] ?? '', '-o', 'yaml')).stdout)
  expect(yaml).toMatchObject({
    verdict: 'blocked',
    links: expect.arrayContaining([expect.objectContaining({ name: 'rollout', state: 'ok' })]),
  })
})

test('the exit code is 0 when all is well, 5 while something is on its way, 1 for what does not exist', async () => {
  await report(BUNDLE_DEPLOYMENT, places[1] ?? '', 'shop-web', { conditions: null })
  expect((await fleet('cluster', 'two', '-n', ws)).code).toBe(5)
  expect((await fleet('cluster', 'one', '-n', ws)).code).toBe(0)
  await report(BUNDLE_DEPLOYMENT, places[1] ?? '', 'shop-web', ready)
  expect((await fleet('gitrepo', 'shop', '-n', ws)).stdout).toContain('ok, everything is deployed and ready')
  expect(await fleet('helmop', 'none', '-n', ws)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining(`helmop ${ws}/none does not exist`),
  })
})

test('the number of requests does not depend on the number of clusters, and files of bundles stay behind', async () => {
  let requests = 0
  const counting: KubeClient = {
    ...client,
    list: (...args) => {
      requests++
      return client.list(...args)
    },
    find: (...args) => {
      requests++
      return client.find(...args)
    },
  }
  const objects = await readObjects(counting, { kind: 'GitRepo', namespace: ws, name: 'shop' }, new AbortController().signal)
  expect(requests).toBeLessThanOrEqual(7)
  expect(objects.bundleDeployments).toHaveLength(2)
  expect(JSON.stringify(objects.bundles)).not.toContain('xxxx')
})
