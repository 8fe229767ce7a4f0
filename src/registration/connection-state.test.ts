import { expect, test } from 'vitest'
import type { ClusterSpec, ClusterStatus } from '../api/cluster.ts'
import { connectionState } from './connection-state.ts'
import { cluster, NOW, registration } from './objects.testing.ts'

const MINUTE = 60_000
const asked = registration({ clientID: 'id' })
const NOTHING = { registrations: [], rival: undefined, checkinInterval: '15m', agentDisabled: false }
const said = (spec: ClusterSpec, status: ClusterStatus, facts = {}, now = NOW) =>
  connectionState(cluster(spec, status), { ...NOTHING, ...facts }, now)
const words = (...args: Parameters<typeof said>) => {
  const { status, reason, message } = said(...args).condition
  return [status, reason, message?.slice(0, 40)]
}
const seen = { agent: { lastSeen: '2026-01-01T00:00:00Z' } }

test('a cluster says what it waits for before its agent reports', () => {
  expect(words({}, {})).toEqual(['Unknown', 'Pending', 'waits for an agent to register with the '])
  expect(words({ kubeConfigSecret: 's' }, {})).toEqual(['Unknown', 'Pending', 'waits for the agent to be installed: see'])
  expect(words({ kubeConfigSecret: 's' }, { agentDeployedGeneration: 0 })).toEqual([
    'Unknown',
    'Registering',
    'the agent is installed: waits until it s',
  ])
  expect(words({}, {}, { registrations: [asked] })).toEqual(['Unknown', 'Registering', 'waits until registration request-a is gr'])
  expect(words({}, {}, { registrations: [{ ...asked, status: { granted: true } }] })).toEqual([
    'Unknown',
    'Registering',
    'registration request-a is granted: waits',
  ])
})

const registered = { registrations: [{ ...asked, status: { granted: true } }] }

test('an agent that reports is connected until it misses three reports', () => {
  expect(said({}, seen, registered)).toEqual({
    condition: { type: 'Connected', status: 'True', reason: 'Connected' },
    changesAt: NOW + 45 * MINUTE + 1,
  })
  expect(words({}, seen, registered, NOW + 45 * MINUTE + 1)).toEqual(['False', 'Disconnected', 'the agent has not reported since 2026-01'])
})

test('the default interval and a least patience hold', () => {
  expect(said({}, seen, { ...registered, checkinInterval: '0s' }).changesAt).toBe(NOW + 45 * MINUTE + 1)
  expect(said({}, seen, { ...registered, checkinInterval: '1s' }).changesAt).toBe(NOW + MINUTE + 1)
})

test('an agent whose registration is gone cannot come back by itself', () => {
  expect(words({}, seen)).toEqual(['False', 'CredentialExpired', 'the credential of the agent has ended, i'])
  expect(said({}, seen).condition.message).toMatch(/install chart fleet-agent .* again/)
  expect(said({ kubeConfigSecret: 's' }, seen).condition.message).toMatch(/see condition Imported/)
  // whoever registers anew is connected as before until the old agent is missed
  expect(words({}, seen, { registrations: [asked] })[1]).toBe('Connected')
})

test('a cluster whose client id belongs to another one is told to which', () => {
  const rival = cluster({ clientID: 'id' }, {}, { name: 'older' })
  expect(said({ clientID: 'id' }, seen, { ...registered, rival }).condition).toMatchObject({
    status: 'False',
    reason: 'ClientIDTaken',
    message: expect.stringMatching(/^cluster ws\/older, which is older, has the same spec.clientID/),
  })
})

test('an agent that is switched off is not waited for', () => {
  expect(words({}, seen, { agentDisabled: true })).toEqual(['Unknown', 'AgentDisabled', 'the configuration switches the agent of '])
})
