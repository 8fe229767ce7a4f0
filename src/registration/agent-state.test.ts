import { expect, test } from 'vitest'
import type { Cluster, ClusterStatus } from '../api/cluster.ts'
import { CLUSTER } from '../api/kinds.ts'
import { agentSettings, recordedSettings } from './agent-state.ts'

const spec = { agentEnvVars: [{ name: 'COLOR', value: 'red' }] }
const recorded = agentSettings(spec)
const cluster = (status: ClusterStatus): Cluster => ({ ...CLUSTER, metadata: { name: 'c', namespace: 'w' }, spec, status })

test('settings that change while a cluster is not imported are remembered for its next import', () => {
  expect(recordedSettings(cluster({ agentDeployedGeneration: 0 }))).toEqual({ ...recorded, agentConfigChanged: true })
})

test('settings that an import has brought to the agent need no other one', () => {
  expect(recordedSettings(cluster({ agentDeployedGeneration: 0, ...recorded })).agentConfigChanged).toBeUndefined()
  expect(recordedSettings(cluster({ agentDeployedGeneration: 0, ...recorded, agentConfigChanged: false })).agentConfigChanged).toBe(false)
})

test('a change that was remembered stays so until an import', () => {
  expect(recordedSettings(cluster({ agentDeployedGeneration: 0, ...recorded, agentConfigChanged: true })).agentConfigChanged).toBe(true)
})

test('of a cluster that registered by itself, settings are recorded and nothing else', () => {
  expect(recordedSettings(cluster({}))).toEqual({ ...recorded, agentConfigChanged: undefined })
})
