// Events as a real API server takes them: its validation is strict about names, times and series.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { testCluster, uniqueNamespace } from '../../testing/cluster.ts'
import { eventually } from '../../testing/eventually.ts'
import { createClient, type KubeClient } from '../kube/client.ts'
import { loadConnection } from '../kube/connection.ts'
import type { KubeObject } from '../kube/types.ts'
import { systemClock } from './clock.ts'
import { createEventRecorder } from './events.ts'
import { silentLogger } from './log.ts'

type Event = KubeObject & { note: string; regarding: { name: string }; series?: { count: number } }

let client: KubeClient
beforeAll(async () => {
  client = createClient(await loadConnection({ kubeconfig: testCluster('hub').kubeconfig }))
})
afterAll(() => client?.close())

test('an event is recorded, repeated ones become a series, and long notes fit', async () => {
  const namespace = uniqueNamespace('events')
  await client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } })
  const object = await client.create<KubeObject>({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'app.v1', namespace } })
  const recorder = createEventRecorder(client, { component: 'fleet-gitops', instance: 'pod-1', clock: systemClock, log: silentLogger })
  const input = { type: 'Warning', reason: 'FailedToCheckCommit', action: 'CheckCommit', note: 'no such branch' } as const
  recorder.event(object, input)
  recorder.event(object, input)
  recorder.event(object, { ...input, note: 'ü'.repeat(5_000) })
  await eventually(async () => {
    const { items } = await client.list<Event>({ apiVersion: 'events.k8s.io/v1', kind: 'Event' }, { namespace })
    expect(items.map(({ note }) => note.slice(0, 14)).sort()).toEqual(['no such branch', 'ü'.repeat(14)])
    expect(items.find(({ note }) => note === input.note)).toMatchObject({
      series: { count: 2 },
      regarding: { name: 'app.v1' },
      reportingInstance: 'pod-1',
    })
  })
})
