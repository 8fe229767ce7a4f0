// What a snapshot is made of, on a real API server that others use too.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { BUNDLE, CONTENT, GIT_REPO } from '../../api/kinds.ts'
import { BUNDLE_VALUES_SECRET } from '../../api/labels.ts'
import { systemClock } from '../../lib/controller/clock.ts'
import type { KubeClient } from '../../lib/kube/client.ts'
import type { KubeObject, ObjectMeta, ResourceType } from '../../lib/kube/types.ts'
import { testCluster, uniqueNamespace } from '../../testing/cluster.ts'
import { clientOf, createNamespace } from '../../testing/kube.ts'
import { collect } from './collect.ts'
import { takeSnapshot } from './take-snapshot.ts'

const CANARY = Buffer.from('canary').toString('base64')
let client: KubeClient
let ws: string

beforeAll(async () => {
  client = await clientOf(testCluster('hub').kubeconfig)
  ws = await createNamespace(client, 'monitor')
}, 60_000)

afterAll(() => client?.close())

async function create(type: ResourceType, name: string, fields: object, metadata: Partial<ObjectMeta> = {}): Promise<void> {
  await client.create({ ...type, metadata: { name, namespace: ws, ...metadata }, ...fields } as KubeObject)
}

async function read(namespace = ws) {
  const warnings: string[] = []
  const hub = { client, clock: systemClock, signal: new AbortController().signal, warn: (text: string) => void warnings.push(text) }
  const state = await collect(hub, { namespace, systemNamespace: 'cattle-fleet-system' })
  return { state, warnings, snapshot: takeSnapshot(state, Date.now()) }
}

test('bundles and contents lose their bytes, secrets never come with theirs', async () => {
  const content = uniqueNamespace('s-monitor')
  await create(BUNDLE, 'app', { spec: { resources: [{ name: 'a', content: CANARY.repeat(100) }] } })
  await create(CONTENT, content, { content: CANARY }, { namespace: '' })
  await create({ apiVersion: 'v1', kind: 'Secret' }, 'app', { type: BUNDLE_VALUES_SECRET, data: { values: CANARY } })
  await create({ apiVersion: 'v1', kind: 'Secret' }, 'other', { data: { values: CANARY } })
  const { state, snapshot } = await read()
  expect(JSON.stringify(state)).not.toContain(CANARY)
  expect(snapshot.bundles?.find(({ namespace }) => namespace === ws)?.sizeBytes).toBeGreaterThan(800)
  expect(snapshot.contents?.find(({ name }) => name === content)?.size).toBe(6)
  expect(snapshot.orphanedSecrets?.filter(({ namespace }) => namespace === ws)).toMatchObject([{ name: 'app', type: BUNDLE_VALUES_SECRET }])
  expect(snapshot.apiConsistency).toMatchObject({ consistent: true })
})

test('events of Fleet are among the recent ones', async () => {
  const involvedObject = { apiVersion: GIT_REPO.apiVersion, kind: 'GitRepo', name: 'r', namespace: ws }
  const event = {
    involvedObject,
    type: 'Warning',
    reason: 'Bad',
    message: 'why',
    lastTimestamp: new Date(Date.now() + 3_600_000).toISOString(),
  }
  await create({ apiVersion: 'v1', kind: 'Event' }, 'ours', event)
  await create({ apiVersion: 'v1', kind: 'Event' }, 'theirs', {
    ...event,
    involvedObject: { ...involvedObject, apiVersion: 'v1', kind: 'Pod' },
  })
  const { snapshot } = await read()
  expect(snapshot.recentEvents?.filter(({ namespace }) => namespace === ws)).toMatchObject([
    { involvedKind: 'GitRepo', reason: 'Bad', count: 1 },
  ])
})

test('a namespace that does not exist is warned of', async () => {
  const { warnings, snapshot } = await read(uniqueNamespace('nothere'))
  expect(warnings).toEqual([expect.stringContaining('consistency of the API server is not checked')])
  expect(snapshot.apiConsistency).toBeUndefined()
})
