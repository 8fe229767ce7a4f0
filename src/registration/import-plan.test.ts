import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { caHash } from '../api/agent-hashes.ts'
import type { ClusterSpec, ClusterStatus } from '../api/cluster.ts'
import { agentSettings } from './agent-state.ts'
import { checkSecretNamespace, hubAddress, importReason } from './import-plan.ts'
import { cluster, hubConfig } from './objects.testing.ts'

const config = hubConfig({ garbageCollectionInterval: '15m' })
const address = hubAddress({ apiServerURL: '', apiServerCA: Buffer.alloc(0) }, config)
const installed: ClusterStatus = {
  agentDeployedGeneration: 0,
  agentMigrated: true,
  agentNamespaceMigrated: true,
  cattleNamespaceMigrated: true,
  agent: { namespace: 'cattle-fleet-system' },
  apiServerURL: 'https://hub.example.com',
  apiServerCAHash: caHash(Buffer.from('ca')),
  agentTLSMode: 'system-store',
  garbageCollectionInterval: '15m0s',
}
const reason = (spec: ClusterSpec = {}, status: ClusterStatus = {}, facts = {}) =>
  importReason(cluster(spec, { ...installed, ...status }), {
    config,
    address,
    systemNamespace: 'cattle-fleet-system',
    hasToken: true,
    isRegistered: true,
    ...facts,
  })

test('an agent that is as it should be is left alone', () => {
  expect(reason()).toBeUndefined()
  const spec = { hostNetwork: true, agentEnvVars: [{ name: 'A', value: '1' }] }
  expect(reason(spec, agentSettings(spec))).toBeUndefined()
  expect(reason({ agentNamespace: 'x' }, { agent: { namespace: 'x' } })).toBeUndefined()
})

test('an agent whose registration is gone gets another one', () => {
  expect(reason({}, {}, { isRegistered: false })).toBeUndefined()
  expect(reason({}, { agent: { lastSeen: '2026-01-01T00:00:00Z' } }, { isRegistered: false })).toBe(
    'the registration of the agent is gone, and with it its credential',
  )
})

test('an agent that runs elsewhere than in the usual namespace comes back when its cluster asks for none any more', () => {
  expect(reason({}, { agent: { namespace: 'former' } })).toBe('agentNamespace was changed')
  expect(reason({}, { agent: { namespace: 'former' } }, { systemNamespace: 'former' })).toBeUndefined()
  expect(reason({}, { agent: {} })).toBeUndefined()
})

test.each<[string, ClusterSpec, ClusterStatus]>([
  ['is not installed', {}, { agentDeployedGeneration: undefined }],
  ['redeployAgentGeneration', { redeployAgentGeneration: 2 }, {}],
  ['old release', {}, { agentMigrated: false }],
  ['old namespace', {}, { agent: { namespace: 'fleet-system' } }],
  ['agentNamespace', { agentNamespace: 'x' }, {}],
  ['settings', {}, { agentConfigChanged: true }],
  ['agentHostNetwork', { hostNetwork: true }, {}],
  ['agentPrivateRepoURL', {}, { agentPrivateRepoURL: 'gone.example.com' }],
  ['agentEnvVarsHash', { agentEnvVars: [{ name: 'A' }] }, {}],
  ['address', {}, { apiServerURL: 'https://old.example.com' }],
  ['CA', {}, { apiServerCAHash: 'old' }],
  ['agentTLSMode', {}, { agentTLSMode: 'strict' }],
  ['garbageCollectionInterval', {}, { garbageCollectionInterval: '1h0m0s' }],
  ['garbageCollectionInterval', {}, { garbageCollectionInterval: 'nonsense' }],
])('%s is a reason to install it', (words, spec, status) => {
  expect(reason(spec, status)).toContain(words)
})

test('the old namespace is no reason where somebody chose it', () => {
  const status = { agent: { namespace: 'fleet-system' } }
  expect(reason({ agentNamespace: 'fleet-system' }, status)).toBeUndefined()
  expect(reason({}, status, { systemNamespace: 'fleet-system' })).toBeUndefined()
})

test('an address that is not known, or is nowhere, is no reason', () => {
  const status = { apiServerURL: 'https://old.example.com' }
  expect(reason({}, status, { address: undefined })).toBeUndefined()
  expect(reason({}, status, { address: { apiServerURL: '', apiServerCA: Buffer.alloc(0) } })).toBeUndefined()
})

test('an agent that could not register in time gets a new token', () => {
  expect(reason({}, {}, { hasToken: false })).toContain('token')
  expect(reason({}, { agent: { lastSeen: '2026-01-01T00:00:00Z' } }, { hasToken: false })).toBeUndefined()
})

test('no CA is what other releases hash as null', () => {
  const none = { apiServerURL: installed.apiServerURL ?? '', apiServerCA: Buffer.alloc(0) }
  const nullHash = createHash('sha224').update('null').digest('hex')
  expect(reason({}, { apiServerCAHash: nullHash }, { address: none })).toBeUndefined()
})

test('address and CA of the secret each go before those of the configuration', () => {
  expect(hubAddress({ apiServerURL: 'https://own', apiServerCA: Buffer.alloc(0) }, config)).toEqual({
    apiServerURL: 'https://own',
    apiServerCA: Buffer.from('ca'),
  })
  expect(hubAddress({ apiServerURL: '', apiServerCA: Buffer.from('own') }, config)).toEqual({
    apiServerURL: 'https://hub.example.com',
    apiServerCA: Buffer.from('own'),
  })
})

test.each(['', 'ws', 'fleet-local', 'fleet-default', 'cattle-fleet-system', 'fleet-system', 'cattle-fleet-clusters-system', 'cluster-x'])(
  'a kubeconfig may lie in %j',
  (namespace) => {
    expect(() => checkSecretNamespace(cluster({ kubeConfigSecretNamespace: namespace }))).not.toThrow()
  },
)

test.each(['kube-system', 'other-ws', 'clusters', 'default'])('a kubeconfig must not lie in %j', (namespace) => {
  expect(() => checkSecretNamespace(cluster({ kubeConfigSecretNamespace: namespace }))).toThrow(
    `kubeConfigSecretNamespace "${namespace}" is not an allowed Fleet namespace`,
  )
})
