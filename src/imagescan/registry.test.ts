import { expect, test } from 'vitest'
import { OciError } from '../lib/oci/errors.ts'
import type { Repository } from '../lib/oci/registry.ts'
import type { RegistryAccess } from '../lib/oci/types.ts'
import type { Question } from './question.ts'
import { createImageRegistry } from './registry.ts'

const never = new AbortController().signal
const login = { username: 'u', password: 'p' }
const question = (host: string, access: RegistryAccess = {}): Question => ({
  id: host,
  repository: { host, path: 'a' },
  access,
  canonical: `${host}/a`,
})

/** Registries that know no TLS. */
function plainRegistries(kind: OciError['kind'] = 'protocol') {
  const calls: string[] = []
  const registry = createImageRegistry({
    repository: ({ host }, { basicHttp, credentials }) => {
      const answer = async <T>(value: T): Promise<T> => {
        calls.push(`${basicHttp ? 'http' : 'https'} ${host}${credentials ? ' with credentials' : ''}`)
        if (!basicHttp) throw new OciError(kind, 'no TLS here')
        return value
      }
      return { tags: () => answer(['t']), head: () => answer('sha256:0') } as unknown as Repository
    },
  })
  return { calls, registry }
}

test.each(['127.0.0.1:5000', 'localhost:5000', 'registry.localhost', '[::1]:5000'])(
  '%s may do without TLS, even with credentials',
  async (host) => {
    const { calls, registry } = plainRegistries()
    expect(await registry.tags(question(host, { credentials: login }), never)).toEqual(['t'])
    expect(await registry.digest(question(host, { credentials: login }), 't', never)).toBe('sha256:0')
    expect(calls).toEqual([`https ${host} with credentials`, `http ${host} with credentials`, `http ${host} with credentials`])
  },
)

test.each(['10.1.2.3:5000', '192.168.0.1', '172.20.0.1:80', 'registry.local:5000'])(
  '%s may do without TLS, but gets no credentials then',
  async (host) => {
    const { registry } = plainRegistries()
    expect(await registry.tags(question(host), never)).toEqual(['t'])
    await expect(registry.tags(question(host, { credentials: login }), never)).rejects.toThrow('no TLS here')
    await expect(registry.tags(question(host, { identityToken: 't' }), never)).rejects.toThrow('no TLS here')
  },
)

test.each(['ghcr.io', '127.0.0.1.evil.example', 'localhost.evil.example', '172.32.0.1', '8.8.8.8:5000'])('%s may not', async (host) => {
  await expect(plainRegistries().registry.tags(question(host), never)).rejects.toThrow('no TLS here')
})

test('a certificate that is not trusted is no reason to do without', async () => {
  const { calls, registry } = plainRegistries('certificate')
  await expect(registry.tags(question('127.0.0.1:5000'), never)).rejects.toThrow('no TLS here')
  expect(calls).toEqual(['https 127.0.0.1:5000'])
})
