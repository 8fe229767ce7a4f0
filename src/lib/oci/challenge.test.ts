import fc from 'fast-check'
import { expect, test } from 'vitest'
import { startCpuTimer } from '../../testing/cpu-time.ts'
import { parseChallenges } from './challenge.ts'

test.each([
  ['Basic realm="Registry"', [{ scheme: 'basic', parameters: { realm: 'Registry' } }]],
  [
    'Bearer realm="https://auth.example/token",service="registry.example",scope="repository:a/b:pull,push"',
    [
      {
        scheme: 'bearer',
        parameters: { realm: 'https://auth.example/token', service: 'registry.example', scope: 'repository:a/b:pull,push' },
      },
    ],
  ],
  [
    'Bearer realm="r" , Basic realm="s, \\"t\\""',
    [
      { scheme: 'bearer', parameters: { realm: 'r' } },
      { scheme: 'basic', parameters: { realm: 's, "t"' } },
    ],
  ],
  ['BEARER Realm=plain,SERVICE = x, realm=second', [{ scheme: 'bearer', parameters: { realm: 'plain', service: 'x' } }]],
  ['Negotiate', [{ scheme: 'negotiate', parameters: {} }]],
  ['', []],
  ['Bearer realm="never closed', [{ scheme: 'bearer', parameters: {} }]],
])('%s', (header, expected) => {
  expect(parseChallenges(header).slice(0, expected.length)).toEqual(expected)
})

test('several headers are several challenges', () => {
  expect(parseChallenges(['Bearer realm="a"', 'Basic realm="b"']).map(({ scheme }) => scheme)).toEqual(['bearer', 'basic'])
  expect(parseChallenges(undefined)).toEqual([])
})

test('any text gives challenges, quickly', () => {
  const piece = fc.constantFrom('Bearer', 'Basic', ' ', ',', '=', '"', '\\', 'realm', 'a', '\t', '__proto__', '\0', 'é')
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(piece, { maxLength: 200 }).map((parts) => parts.join('')),
      ),
      (text) => {
        for (const { scheme, parameters } of parseChallenges(text)) {
          expect(scheme).toMatch(/^\S+$/)
          for (const value of Object.values(parameters)) expect(typeof value).toBe('string')
        }
      },
    ),
  )
  const spent = startCpuTimer()
  parseChallenges(`Bearer ${'a="\\'.repeat(100_000)}`)
  parseChallenges('a,'.repeat(100_000))
  expect(spent()).toBeLessThan(1_000)
})

test('what was written is what is read', () => {
  const word = fc.stringMatching(/^[a-z]{1,8}$/)
  fc.assert(
    fc.property(
      word,
      fc.dictionary(
        word,
        fc.string().filter((text) => !/[\r\n]/.test(text)),
        { minKeys: 1, maxKeys: 5 },
      ),
      (scheme, parameters) => {
        const named = Object.entries(parameters).map(([name, value]) => `${name}="${value.replace(/["\\]/g, '\\$&')}"`)
        expect(parseChallenges(`${scheme} ${named.join(', ')}`)).toEqual([{ scheme, parameters: { ...parameters } }])
      },
    ),
  )
})
