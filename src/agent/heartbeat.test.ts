import { expect, test } from 'vitest'
import { silentLogger } from '../lib/controller/log.ts'
import type { KubeClient } from '../lib/kube/client.ts'
import { createFakeClock } from '../testing/fake-clock.ts'
import { runHeartbeat } from './heartbeat.ts'

test('comes first after 15 seconds, then at its interval, and soon again when the hub did not take it', async () => {
  const clock = createFakeClock(Date.parse('2030-01-01T00:00:00.500Z'))
  const end = new AbortController()
  const patches: unknown[] = []
  const hub = {
    async patch(ref: unknown, body: unknown, options: unknown) {
      patches.push([ref, body, options])
      if (patches.length === 2) throw new Error('hub is away')
    },
  } as unknown as KubeClient
  const cluster = { namespace: 'fleet-default', name: 'one' }
  const running = runHeartbeat({ hub, cluster, agentNamespace: 'cattle-fleet-system', intervalMs: 0, clock, log: silentLogger }, end.signal)
  const counts: number[] = []
  for (const ms of [14_999, 1, 899_999, 1, 59_999, 1, 899_999]) {
    await clock.advance(ms)
    counts.push(patches.length)
  }
  expect(counts).toEqual([0, 1, 1, 2, 2, 3, 3])
  expect(patches[0]).toEqual([
    { apiVersion: 'fleet.cattle.io/v1alpha1', kind: 'Cluster', ...cluster },
    { status: { agent: { lastSeen: '2030-01-01T00:00:15Z', namespace: 'cattle-fleet-system' } } },
    { type: 'merge', subresource: 'status' },
  ])
  end.abort(new Error('enough'))
  await running
})
