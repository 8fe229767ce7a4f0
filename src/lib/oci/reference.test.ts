import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { OciError } from './errors.ts'
import { originOf, parseImage, parseRepository } from './reference.ts'

const DIGEST = `sha256:${'a1'.repeat(32)}`

describe('a repository', () => {
  test.each([
    ['ghcr.io/org/fleet', 'ghcr.io', 'org/fleet'],
    ['oci://Registry.Example:5000/a//', 'registry.example:5000', 'a'],
    ['registry/a__b/c-d.e', 'registry', 'a__b/c-d.e'],
    ['[::1]:5000/a', '[::1]:5000', 'a'],
  ])('%s', (text, host, path) => {
    expect(parseRepository(text)).toEqual({ host, path })
  })

  test.each([
    '',
    'ghcr.io',
    'ghcr.io/',
    'ghcr.io/Upper',
    'ghcr.io/a/../b',
    'ghcr.io//a',
    'a b/c',
    'x/y?z',
    'x/y#z',
    'h:99999/a',
    'https://h/a',
    `h/${'a'.repeat(300)}`,
  ])('%j is none', (text) => {
    expect(() => parseRepository(text)).toThrow(/is no reference: write host\/path/)
  })

  test('with a password is refused without showing it', () => {
    expect(() => parseRepository('user:canary@ghcr.io/a')).toThrow(/^(?!.*canary)"ghcr\.io\/a" is no reference/)
  })

  test('answers where its host says', () => {
    expect([originOf('h', false), originOf('h:5000', true), originOf('docker.io', false)]).toEqual([
      'https://h',
      'http://h:5000',
      'https://registry-1.docker.io',
    ])
  })
})

describe('an image', () => {
  test.each([
    ['nginx', { host: 'docker.io', path: 'library/nginx' }],
    ['org/app:v1', { host: 'docker.io', path: 'org/app', tag: 'v1' }],
    ['localhost/app', { host: 'localhost', path: 'app' }],
    ['h:5000/a/b:1.2.3_x', { host: 'h:5000', path: 'a/b', tag: '1.2.3_x' }],
    [`ghcr.io/a/b:c@${DIGEST}`, { host: 'ghcr.io', path: 'a/b', tag: 'c', digest: DIGEST }],
    [`ghcr.io/a@${DIGEST}`, { host: 'ghcr.io', path: 'a', digest: DIGEST }],
  ])('%s', (text, expected) => {
    expect(parseImage(text)).toEqual(expected)
  })

  test.each(['', ':tag', 'a:', 'a:-x', 'a@sha256:12', `a@${DIGEST}@${DIGEST}`, 'A/b'])('%j is none', (text) => {
    expect(() => parseImage(text)).toThrow(OciError)
  })

  test('is understood or refused, whatever it is', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[a-z:./@-]{0,30}$/)), (text) => {
        try {
          const { host, path } = parseImage(text)
          expect(new URL(originOf(host, false)).pathname + path).not.toMatch(/\.\.|[?#\s]/)
        } catch (error) {
          expect(error).toBeInstanceOf(OciError)
        }
      }),
    )
  })
})
