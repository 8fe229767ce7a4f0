import { expect, test } from 'vitest'
import { readBootstrap } from './bootstrap.ts'
import type { Secret } from './secrets.ts'

const fields = {
  apiServerURL: 'https://hub.example.com',
  apiServerCA: 'PEM\n',
  token: 'secret',
  tokenName: 'join',
  clusterNamespace: 'fleet-default',
  systemRegistrationNamespace: 'cattle-fleet-clusters-system',
}
const wanted = {
  server: 'https://hub.example.com',
  ca: 'PEM\n',
  token: 'secret',
  tokenName: 'join',
  clusterNamespace: 'fleet-default',
  registrationNamespace: 'cattle-fleet-clusters-system',
}

function secret(data: Record<string, string>): Secret {
  const encoded = Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')])
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'boot', namespace: 'agents' }, data: Object.fromEntries(encoded) }
}

test('a bootstrap secret has a key for each field', () => {
  expect(readBootstrap(secret(fields))).toEqual(wanted)
})

test('a copy of the values secret of a token serves as well', () => {
  expect(readBootstrap(secret({ values: JSON.stringify({ ...fields, internal: { systemNamespace: 'fleet' } }) }))).toEqual(wanted)
})

test('values come before the other keys, unless they cannot be read', () => {
  const { tokenName: _, ...values } = fields
  expect(readBootstrap(secret({ ...fields, values: JSON.stringify(values) })).tokenName).toBe('')
  for (const text of ['{ "token": [', 'just text']) expect(readBootstrap(secret({ ...fields, values: text }))).toEqual(wanted)
})

test('what is missing is named', () => {
  const { token: _, apiServerURL: __, ...rest } = fields
  expect(() => readBootstrap(secret(rest))).toThrow('secret agents/boot lacks apiServerURL, token')
  expect(() => readBootstrap(secret({ values: 'token: 5' }))).toThrow('lacks apiServerURL, token, clusterNamespace')
})
