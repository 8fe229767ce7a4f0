import { Registry } from 'prom-client'
import { expect, test } from 'vitest'
import { createGitMetrics } from './git-metrics.ts'

test('the time of the newest reading is told for two minutes', async () => {
  const registry = new Registry()
  let now = 0
  const metrics = createGitMetrics(registry, () => now)
  const gauges = async (): Promise<string[]> =>
    (await registry.metrics()).split('\n').filter((line) => line.startsWith('fleet_gitjob_duration_seconds_gauge{'))
  metrics.read({ name: 'a', namespace: 'ws' }, true, 3)
  metrics.read({ name: 'failed', namespace: 'ws' }, false, 3)
  now = 100_000
  metrics.read({ name: 'b', namespace: 'ws' }, true, 4)
  expect(await gauges()).toHaveLength(2)
  now = 120_000
  expect(await gauges()).toEqual(['fleet_gitjob_duration_seconds_gauge{name="b",namespace="ws"} 4'])
  metrics.forget({ name: 'b', namespace: 'ws' })
  expect(await gauges()).toEqual([])
  expect(await registry.metrics()).toContain('fleet_gitjobs_created_success_total{name="a",namespace="ws"} 1')
})
