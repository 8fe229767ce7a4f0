import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkBranch, checkTag, isCommitId } from './refs.ts'

describe('commit ids', () => {
  test('are 40 or 64 hexadecimal digits', () => {
    expect(isCommitId('0123456789abcdef0123456789ABCDEF01234567')).toBe(true)
    expect(isCommitId('a'.repeat(64))).toBe(true)
    for (const text of ['', 'a'.repeat(39), 'a'.repeat(41), 'g'.repeat(40), `${'a'.repeat(40)}\n`]) expect(isCommitId(text)).toBe(false)
  })
})

describe('names of branches and tags', () => {
  test.each(['master', 'release/v1.2', 'feature/ünïcode', 'a-b_c+d', '-x', 'v1.0', 'a@b', '日本'])('%s is a name', (name) => {
    expect(() => checkBranch(name)).not.toThrow()
    expect(() => checkTag(name)).not.toThrow()
  })

  test.each([
    '',
    '@',
    'a..b',
    'a//b',
    'a?',
    'a*',
    'a[',
    'a@{1}',
    'a\\b',
    'a b',
    'a~1',
    'a^',
    'a:b',
    '.a',
    'a/.b',
    'a.lock',
    'a.lock/b',
    '/a',
    'a/',
    'a.',
    'a\u0000b',
    'a\u007fb',
    'a\nb',
    'x'.repeat(256),
  ])('%j is no name', (name) => {
    expect(() => checkBranch(name)).toThrow(/invalid branch name/)
    expect(() => checkTag(name)).toThrow(/invalid tag name/)
    expect(() => checkTag(name)).toThrow(expect.objectContaining({ kind: 'unknown-ref' }))
  })

  test('what is taken fits on one line of the protocol', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (name) => {
        fc.pre(isName(name))
        expect(name).toMatch(/^[^\s\p{Cc}~^:?*[\\]+$/u)
        expect(name.split('/')).not.toContain('..')
      }),
    )
  })
})

function isName(name: string): boolean {
  try {
    checkBranch(name)
    return true
  } catch {
    return false
  }
}
