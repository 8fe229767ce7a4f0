import { describe, expect, test } from 'vitest'
import { startCpuTimer } from '../testing/cpu-time.ts'
import { createPatternMatcher } from './patterns.ts'

const matches = createPatternMatcher()

describe('patterns', () => {
  test.each([
    ['git\\.example', 'https://git.example/x', 'part', 'match'],
    ['git\\.example', 'https://git.example/x', 'whole', 'no match'],
    ['https://a/.*|https://b/.*', 'https://b/x', 'whole', 'match'],
    ['a|b', 'ab', 'whole', 'no match'],
    ['(?i)HTTPS://GIT/.*', 'https://git/x', 'whole', 'match'],
    ['\\Ahttps://git/x\\z', 'https://git/x', 'part', 'match'],
    ['https://[[:alpha:]]+/(?P<path>x)', 'https://git/x', 'whole', 'match'],
    ['x\\\\A', 'x\\A', 'whole', 'match'],
    ['https://(', 'https://(', 'whole', 'invalid'],
    ['a)|(b', 'b', 'whole', 'invalid'],
    ['(?=x)', 'x', 'part', 'invalid'],
    ['a'.repeat(1_001), 'a', 'part', 'invalid'],
    ['a', 'a'.repeat(2_049), 'part', 'invalid'],
  ] as const)('%s on %s (%s): %s', (pattern, text, extent, expected) => {
    expect(matches(pattern, text, extent)).toBe(expected)
  })

  test('of any kind end soon', () => {
    const spent = startCpuTimer()
    const [text, many] = [`${'a'.repeat(2_000)}!`, '(a*)*'.repeat(100)]
    expect(matches('^(a+)+$', text, 'part')).toBe('no match')
    expect(matches(`^${many}$`, text, 'part')).not.toBe('match')
    expect(matches('(a{0,30}){0,30}b', text, 'part')).not.toBe('match')
    expect(spent()).toBeLessThan(2_000)
  })
})
