import { expect, test } from 'vitest'
import { parseYaml } from '../lib/yaml/parse.ts'
import { type Secret, secretText } from './kinds.ts'
import { hubConfig, NOW, token } from './objects.testing.ts'
import { tokenLife, tokenRights, tokenValuesSecret } from './token.ts'

const HOUR = 3_600_000

test.each([
  [undefined, false, 'endless'],
  ['0s', false, 'endless'],
  ['-1h', false, 'endless'],
  [undefined, true, 'refused'],
  ['0s', true, 'refused'],
  ['1h', true, 'good'],
])('ttl %s, required %s: %s', (ttl, required, state) => {
  expect(tokenLife(token(ttl ? { ttl } : {}), required, NOW).state).toBe(state)
})

test.each(['soon', '1d', '12'])('a ttl that is none is named: %s', (ttl) => {
  expect(() => tokenLife(token({ ttl }), true, NOW)).toThrow(`spec.ttl "${ttl}" is not a duration: write one such as 90s, 15m or 1h30m`)
})

test('a token ends exactly its ttl after it was made', () => {
  const life = (now: number) => tokenLife(token({ ttl: '1h' }), false, now)
  expect(life(NOW)).toEqual({ state: 'good', expires: NOW + HOUR })
  expect(life(NOW + HOUR + 1)).toEqual({ state: 'expired', expires: NOW + HOUR })
})

test('the account of a token may create registrations in its namespace and nothing else', () => {
  const [account, role, binding] = tokenRights(token())
  expect(account?.metadata).toMatchObject({ name: 'join-token-uid', namespace: 'ws' })
  expect(role).toMatchObject({
    metadata: { name: 'join-token-uid-role' },
    rules: [{ verbs: ['create'], apiGroups: ['fleet.cattle.io'], resources: ['clusterregistrations'] }],
  })
  expect(binding).toMatchObject({
    metadata: { name: 'join-token-uid-to-role' },
    roleRef: { name: 'join-token-uid-role' },
    subjects: [{ name: 'join-token-uid' }],
  })
})

test('the values are what the chart of the agent takes', () => {
  const values = (systemNamespace: string) =>
    parseYaml(secretText(tokenValuesSecret(token(), 'jwt', hubConfig(), systemNamespace) as Secret, 'values'))
  const usual = { clusterNamespace: 'ws', apiServerURL: 'https://hub.example.com', apiServerCA: 'ca', token: 'jwt', tokenName: 'join' }
  expect(values('cattle-fleet-system')).toEqual({ ...usual, systemRegistrationNamespace: 'cattle-fleet-clusters-system' })
  expect(values('mine')).toEqual({ ...usual, systemRegistrationNamespace: 'mine-clusters-system', internal: { systemNamespace: 'mine' } })
})
