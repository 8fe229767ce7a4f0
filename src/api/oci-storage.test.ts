import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { agentStorageData, artifactRepository, parseOciStorage, storageData } from './oci-storage.ts'

function encoded(values: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, Buffer.from(value).toString('base64')]))
}

function decoded(data: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]))
}

const PUSHER = { username: 'pusher', password: 'push' }

describe('the secret of a registry', () => {
  test('says where, how and with which credentials', () => {
    const full = { reference: ' oci://host/path/ ', ...PUSHER, basicHTTP: 'True', insecureSkipTLS: '1', cacerts: 'PEM', other: 'x' }
    const common = { basicHttp: true, insecureSkipTLSVerify: true, caBundle: 'PEM' }
    expect(parseOciStorage(encoded(full), 'n')).toEqual({
      reference: 'host/path',
      access: { ...common, credentials: PUSHER },
      agentAccess: { ...common, credentials: PUSHER },
    })
    expect(parseOciStorage(encoded({ reference: 'h' }), 'n').access).toEqual({
      basicHttp: false,
      insecureSkipTLSVerify: false,
      caBundle: undefined,
      credentials: undefined,
    })
    expect(artifactRepository('host/path', 's-1')).toEqual({ host: 'host', path: 'path/s-1' })
  })

  test.each([
    [{}, /secret n: the key reference is missing/],
    [{ reference: 'h', basicHTTP: 'yes' }, /secret n: basicHTTP is neither true nor false/],
    [{ reference: 'h', agentUsername: 'a' }, /secret n: agentUsername has no agentPassword/],
  ])('%j is refused', (values, message) => {
    expect(() => parseOciStorage(encoded(values), 'n')).toThrow(message)
  })
})

describe('what agents get', () => {
  const data = (values: Record<string, string>) => decoded(agentStorageData(encoded(values)))

  test('are their own credentials', () => {
    const all = { reference: 'h', ...PUSHER, agentUsername: 'agent', agentPassword: 'pull', basicHTTP: 'true', cacerts: 'c', other: 'x' }
    expect(data(all)).toEqual({ reference: 'h', agentUsername: 'agent', agentPassword: 'pull', basicHTTP: 'true', cacerts: 'c' })
    expect(data({ reference: 'h', ...PUSHER, agentPassword: 'pull' })).toEqual({
      reference: 'h',
      agentUsername: 'pusher',
      agentPassword: 'pull',
    })
    expect(data({ reference: 'h', ...PUSHER, agentUsername: '', agentPassword: '' })).toEqual({ reference: 'h', ...PUSHER })
  })

  test('never holds the password to push with when there is another; said twice it is the same', () => {
    const values = fc.record(
      {
        reference: fc.string(),
        username: fc.string(),
        password: fc.constant('push-canary'),
        agentUsername: fc.string(),
        agentPassword: fc.string(),
      },
      { requiredKeys: ['reference'] },
    )
    fc.assert(
      fc.property(values, (given) => {
        const once = agentStorageData(encoded(given as Record<string, string>))
        expect(agentStorageData(once)).toEqual(once)
        if (given.agentUsername || given.agentPassword) expect(JSON.stringify(decoded(once))).not.toContain('push-canary')
        expect(storageData(once)).toEqual(once)
      }),
    )
  })
})
