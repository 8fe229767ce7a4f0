import fc from 'fast-check'
import { expect, test } from 'vitest'
import { TerminalError } from '../../lib/controller/errors.ts'
import { startCpuTimer } from '../../testing/cpu-time.ts'
import { compileUrlPattern } from './url-pattern.ts'

const GOOD = 'https://good\\.example(?:[:/]|$)'

test.each([
  ['https://h/.*', 'https://h/charts', true],
  ['h/charts', 'https://h/charts', false],
  ['/charts|nothing', 'https://h/charts', false],
  ['', 'https://h', true],
  ['https://h$', 'https://h', true],
  ['https://h/$', 'https://h', true],
  ['(?i)HTTPS://H', 'https://h/x', true],
  ['https://(?P<host>h)\\z', 'https://h', true],
  ['git::https://h/', 'git::https://h/r.git//c', true],
  ['https://h/', 'git::https://h/r.git//c', true],
  ['oci://ghcr\\.io/o/.*', 'oci://ghcr.io/o/c', true],
  ['github.com/o/', 'github.com/o/r', true],
  [GOOD, 'https://good.example/x', true],
  [GOOD, 'https://good.example@evil.example/x', false],
  [GOOD, 'https://good.example:pw@evil.example/x', false],
  [GOOD, 'https://good.example\\@evil.example/x', false],
  [GOOD, 'https://good.example\t.evil.example/x', false],
  [GOOD, 'https://user:pw@good.example/x', true],
  ['https://[[:alpha:]]+$', 'https://h', true],
])('%s on %s is %s', (expression, address, expected) => {
  expect(compileUrlPattern(expression)(address)).toBe(expected)
})

test('what cannot be read is an error', () => {
  expect(() => compileUrlPattern('(')).toThrow('helmRepoURLRegex "(" is no regular expression: correct it')
  expect(() => compileUrlPattern('x'.repeat(2_000))).toThrow(TerminalError)
})

test('an expression with nested repetitions takes no longer than others', () => {
  const spent = startCpuTimer()
  const pattern = compileUrlPattern('https://h/(a+)+$')
  for (let i = 0; i < 10; i++) expect(pattern(`https://h/${'a'.repeat(1_000)}!`)).toBe(false)
  expect(spent()).toBeLessThan(3_000)
})

test('an address matches only if the host that is asked is the one meant', () => {
  const pattern = compileUrlPattern(GOOD)
  const part = fc.string({
    unit: fc.constantFrom('good.example', 'evil.example', '@', ':', '/', '\\', '?', '#', '.', ' ', '%40', 'https://', 'git::'),
    maxLength: 8,
  })
  fc.assert(
    fc.property(part, (text) => {
      const address = `https://${text}`
      const host = URL.canParse(address) ? new URL(address).hostname : ''
      if (pattern(address)) expect(host).toBe('good.example')
    }),
    { numRuns: 500 },
  )
})
