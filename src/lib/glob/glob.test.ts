import { posix } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkVectors } from '../../testing/vectors.ts'
import { BadPatternError } from './error.ts'
import { expandPattern, type GlobTree } from './expand.ts'
import { matchPath } from './path-pattern.ts'
import { compileTextPattern } from './text-pattern.ts'

interface Input {
  kind: 'match' | 'text' | 'files'
  pattern: string
  text: string
  tree: string[]
}

function clean(path: string): string {
  return posix.join(path, '.').replace(/(.)\/$/, '$1')
}

function treeOf(files: readonly string[]): GlobTree {
  const folders = new Map<string, Set<string>>([['.', new Set()]])
  for (const file of files) {
    for (let path = file; path !== '.'; path = posix.dirname(path)) {
      const parent = posix.dirname(path)
      folders.set(parent, (folders.get(parent) ?? new Set()).add(posix.basename(path)))
    }
  }
  return {
    exists: async (path) => files.includes(clean(path)) || folders.has(clean(path)),
    list: async (path) => (folders.has(clean(path)) ? [...(folders.get(clean(path)) ?? [])] : undefined),
  }
}

checkVectors<Input, boolean>('globs.json', ({ pattern, text }) => matchPath(pattern, text), { only: ({ kind }) => kind === 'match' })
checkVectors<Input, boolean>('globs.json', ({ pattern, text }) => compileTextPattern(pattern)(text), {
  only: ({ kind }) => kind === 'text',
})
checkVectors<Input, string[]>('globs.json', ({ pattern, tree }) => expandPattern(pattern, treeOf(tree), 100), {
  only: ({ kind }) => kind === 'files',
})

describe('matchPath', () => {
  test.each([
    ['*.y?ml', 'a.yaml', true],
    ['*', 'a/b', false],
    ['a/*/c', 'a/b/c', true],
    ['[^a]', '/', true],
    ['[a-c]x', 'bx', true],
    ['a*b*c', 'axbxbc', true],
    ['*/b', 'a/c/b', false],
    ['\\*', '*', true],
    ['**', 'a', true],
  ])('%s on %s: %s', (pattern, text, expected) => {
    expect(matchPath(pattern, text)).toBe(expected)
  })

  test.each(['[', '[]', '[^]', '[a', '[a-]', '[-a]', 'a\\', 'a[', '[a\\'])('%s is a bad pattern, whatever the text', (pattern) => {
    for (const text of ['', 'a', 'zz']) expect(() => matchPath(pattern, text)).toThrow(BadPatternError)
  })

  test('a mistake behind a star counts for texts that match so far', () => {
    expect(matchPath('b*[', 'a')).toBe(false)
    expect(() => matchPath('a*[', 'a')).toThrow(BadPatternError)
  })

  test('takes no long time for many stars', () => {
    expect(matchPath(`${'*a'.repeat(50)}b`, 'a'.repeat(5000))).toBe(false)
  })
})

describe('compileTextPattern', () => {
  test.each([
    ['a/*', 'a/b/c', true],
    ['{a,{b,c}}d', 'cd', true],
    ['{a,b', 'b', true],
    ['{a,ab}c', 'abc', true],
    ['[xa-c]', '-', true],
    ['[!a-c]', 'd', true],
    ['a,b', 'a,b', true],
    ['{\\,,x}', ',', true],
    ['{}', '', true],
    ['ab*bc', 'abc', true],
    ['x{ab*bc}', 'xabc', false],
    ['?', '', true],
    ['?a', 'a', false],
  ])('%s on %s: %s', (pattern, text, expected) => {
    expect(compileTextPattern(pattern)(text)).toBe(expected)
  })

  test.each(['[', '[a', '[]', '[!]', '[a-cx]', '[c-a]', '[a-'])('%s is a bad pattern', (pattern) => {
    expect(() => compileTextPattern(pattern)).toThrow(BadPatternError)
  })

  test('takes no long time for many stars', () => {
    expect(compileTextPattern(`${'*a'.repeat(50)}b`)('a'.repeat(5000))).toBe(false)
  })
})

describe('expandPattern', () => {
  test('stops at too many matches and at absurd patterns', async () => {
    const tree = treeOf(Array.from({ length: 20 }, (_, at) => `f${at}`))
    await expect(expandPattern('*', tree, 10)).rejects.toThrow(/more than 10 paths/)
    await expect(expandPattern('*/'.repeat(200), tree, 10)).rejects.toThrow(BadPatternError)
  })
})

test('any pattern matches or is refused', () => {
  const part = fc.constantFrom('*', '?', '[', ']', '{', '}', ',', '!', '^', '-', '\\', 'a', 'b', '/', 'é')
  fc.assert(
    fc.property(fc.array(part, { maxLength: 12 }), fc.array(part, { maxLength: 12 }), (pattern, text) => {
      for (const match of [(p: string, t: string) => matchPath(p, t), (p: string, t: string) => compileTextPattern(p)(t)]) {
        try {
          match(pattern.join(''), text.join(''))
        } catch (error) {
          expect(error).toBeInstanceOf(BadPatternError)
        }
      }
    }),
  )
})
