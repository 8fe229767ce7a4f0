// What a dump reads, on a real API server. Other tests use the server at the same time, so only a namespace of our own is looked at.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { BUNDLE, BUNDLE_DEPLOYMENT, CLUSTER, CONTENT, GIT_REPO, HELM_OP } from '../../api/kinds.ts'
import type { KubeClient } from '../../lib/kube/client.ts'
import type { KubeObject, ObjectMeta, ResourceType } from '../../lib/kube/types.ts'
import { testCluster, uniqueNamespace } from '../../testing/cluster.ts'
import { clientOf, createNamespace } from '../../testing/kube.ts'
import { createDump } from './create-dump.ts'
import type { DumpOptions } from './options.ts'

const SECRET = { apiVersion: 'v1', kind: 'Secret' }
const CANARY = Buffer.from('canary').toString('base64')
let client: KubeClient
let ws: string
let content: string

async function create(type: ResourceType, name: string, fields: object = {}, metadata: Partial<ObjectMeta> = {}): Promise<void> {
  await client.create({ ...type, metadata: { name, namespace: ws, ...metadata }, ...fields } as KubeObject)
}

beforeAll(async () => {
  client = await clientOf(testCluster('hub').kubeconfig)
  ws = await createNamespace(client, 'dump')
  content = uniqueNamespace('s-dump')
  await create(GIT_REPO, 'repo', { spec: { repo: 'https://x', helmSecretName: 'helm-auth' } })
  await create(HELM_OP, 'op', { spec: { helm: { chart: 'x' } } })
  await create(CLUSTER, 'one', { spec: {} })
  for (const name of ['a', 'b', 'c']) await create(BUNDLE, name, { spec: {} }, { labels: { 'fleet.cattle.io/repo-name': 'repo' } })
  await create(BUNDLE, 'chart', { spec: {} }, { labels: { 'fleet.cattle.io/fleet-helm-name': 'op' } })
  await create(CONTENT, content, { content: CANARY }, { namespace: '' })
  const labels = { 'fleet.cattle.io/bundle-name': 'a', 'fleet.cattle.io/bundle-namespace': ws, 'fleet.cattle.io/content-name': content }
  await create(BUNDLE_DEPLOYMENT, 'of-a', { spec: {} }, { labels })
  await create(BUNDLE_DEPLOYMENT, 'of-chart', { spec: {} }, { labels: { ...labels, 'fleet.cattle.io/bundle-name': 'chart' } })
  for (const name of ['helm-auth', 'unrelated']) await create(SECRET, name, { data: { password: CANARY } })
  const involvedObject = { apiVersion: GIT_REPO.apiVersion, kind: 'GitRepo', name: 'repo', namespace: ws }
  for (const name of ['e1', 'e2']) await create({ apiVersion: 'v1', kind: 'Event' }, name, { involvedObject, reason: name })
}, 60_000)

afterAll(() => client?.close())

async function dump(options: Partial<DumpOptions> = {}): Promise<Map<string, string>> {
  const entries = new Map<string, string>()
  const archive = {
    get count() {
      return entries.size
    },
    add: async (name: string, text: string) => void entries.set(name, text),
  }
  const context = { client, archive, signal: new AbortController().signal, warn: () => {}, progress: () => {} }
  const defaults: DumpOptions = { path: '', namespace: ws, only: undefined, secrets: 'none', contents: 'none', fetchLimit: 500 }
  await createDump(context, { ...defaults, ...options })
  return entries
}

/** Names of the entries of our namespace, without it. */
async function names(options: Partial<DumpOptions> = {}): Promise<string[]> {
  return [...(await dump(options)).keys()]
    .filter((name) => name.includes(`_${ws}`))
    .map((name) => name.replace(`_${ws}`, ''))
    .sort()
}

const deployments = ['bundledeployments_of-a', 'bundledeployments_of-chart']
const everything = [
  'bundles_a',
  'bundles_b',
  'bundles_c',
  'bundles_chart',
  ...deployments,
  'clusters_one',
  'events',
  'gitrepos_repo',
  'helmops_op',
].sort()

test('a workspace is read whole, however small the pages are', async () => {
  expect(await names()).toEqual(everything)
  expect(await names({ fetchLimit: 1 })).toEqual(everything)
  expect(await names({ fetchLimit: 0 })).toEqual(everything)
})

test('filters keep what belongs together', async () => {
  const others = ['clusters_one', 'events']
  expect(await names({ only: { kind: 'gitrepo', name: 'repo' } })).toEqual(
    ['bundles_a', 'bundles_b', 'bundles_c', 'bundledeployments_of-a', 'gitrepos_repo', ...others].sort(),
  )
  expect(await names({ only: { kind: 'helmop', name: 'op' } })).toEqual(
    ['bundles_chart', 'bundledeployments_of-chart', 'helmops_op', ...others].sort(),
  )
  expect(await names({ only: { kind: 'bundle', name: 'b' } })).toEqual(['bundles_b', ...others].sort())
  await expect(dump({ only: { kind: 'bundle', name: 'nothere' } })).rejects.toThrow('bundle nothere does not exist')
})

test('of secrets those that are referred to come, as YAML of a whole object', async () => {
  const entries = await dump({ secrets: 'all' })
  expect(entries.get(`secrets_${ws}_helm-auth`)).toMatch(/^apiVersion: v1\ndata:\n {2}password: .*\nkind: Secret\n/)
  expect(entries.has(`secrets_${ws}_unrelated`)).toBe(false)
  expect((await dump({ secrets: 'metadata' })).get(`secrets_${ws}_helm-auth`)).not.toContain(CANARY)
  expect((await dump({ namespace: undefined, secrets: 'all' })).has(`secrets_${ws}_unrelated`)).toBe(true)
})

test('of contents those that the workspace deploys come', async () => {
  expect((await dump({ contents: 'all' })).get(`contents_${content}`)).toContain(CANARY)
  expect((await dump({ contents: 'metadata' })).get(`contents_${content}`)).not.toContain(CANARY)
  expect((await dump({ contents: 'all', only: { kind: 'bundle', name: 'b' } })).has(`contents_${content}`)).toBe(false)
})

test('events are one line each', async () => {
  const lines = (await dump()).get(`events_${ws}`)?.split('\n') ?? []
  expect(lines.map((line) => (JSON.parse(line) as { reason: string }).reason).sort()).toEqual(['e1', 'e2'])
})
