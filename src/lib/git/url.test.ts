import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { hostOf, isSshUrl, parseHttpUrl, parseSshUrl, redactUrl } from './url.ts'

describe('addresses of repositories', () => {
  test.each([
    ['https://git.example/team/app.git', 'https://git.example/team/app.git', 'https://git.example'],
    ['HTTPS://Git.Example:443/team/app/', 'https://git.example/team/app', 'https://git.example'],
    ['http://127.0.0.1:3000/app.git//', 'http://127.0.0.1:3000/app.git', 'http://127.0.0.1:3000'],
    ['https://[::1]:8443/app', 'https://[::1]:8443/app', 'https://[::1]:8443'],
  ])('%s is taken', (text, url, origin) => {
    expect(parseHttpUrl(text)).toEqual({ url, origin })
  })

  test('user name and password inside the URL are credentials', () => {
    const { url, credentials } = parseHttpUrl('https://me:p%40ss%zz@git.example/app')
    expect(url).toBe('https://git.example/app')
    expect(credentials).toEqual({ kind: 'basic', username: 'me', password: 'p%40ss%zz' })
    expect(parseHttpUrl('https://me:p%40ss@git.example/app').credentials).toEqual({ kind: 'basic', username: 'me', password: 'p@ss' })
  })

  test.each([
    ['ssh://git@git.example/app', /needs an SSH private key/],
    ['git@git.example:team/app.git', /git@git\.example:team\/app\.git needs an SSH private key/],
    ['git.example:app', /needs an SSH private key/],
    ['git+ssh://git@git.example/app', /needs an SSH private key/],
    ['file:///etc', /cannot be reached by file/],
    ['git://git.example/app', /cannot be reached by git/],
    ['ext::sh -c true', /SSH|is not a URL/],
    ['/srv/git/app', /is not a URL/],
    ['', /is not a URL/],
    ['https://git.example/a b', /is not a URL/],
    ['https://git.example/a\nb', /is not a URL/],
    ['https://git.example/app?x=1', /has a query/],
    ['https://git.example/app#x', /fragment/],
    [`https://git.example/${'a'.repeat(3000)}`, /longer than/],
  ])('%s is refused', (text, message) => {
    expect(() => parseHttpUrl(text)).toThrow(message)
    expect(() => parseHttpUrl(text)).toThrow(expect.objectContaining({ kind: 'invalid-url' }))
  })

  test('only what git reaches by ssh counts as ssh', () => {
    expect(['ssh://h/x', 'git@h:x', 'h:x/y', 'SSH://h'].every(isSshUrl)).toBe(true)
    expect(['https://h/x', 'http://h:80/x', './a:b', '/a:b', 'https://u:p@h/x'].some(isSshUrl)).toBe(false)
  })
})

test.each([
  ['https://me:secret@Git.Example:8443/team/app', 'git.example'],
  ['ssh://git@git.example:2222/app', 'git.example'],
  ['git@Git.example:team/app', 'git.example'],
  ['git.example:app', 'git.example'],
  ['git@[::1]:app', '[::1]'],
  ['https://[::1]:8443/app', '[::1]'],
  ['', ''],
])('%s is at the host %s', (text, host) => {
  expect(hostOf(text)).toBe(host)
})

describe('addresses for ssh', () => {
  test.each<[string, string, string, number, string]>([
    ['ssh://me@git.example:2222/team/app.git', 'me', 'git.example', 2222, '/team/app.git'],
    ['ssh://Git.Example/app/', 'git', 'git.example', 22, '/app'],
    ['git+ssh://git@git.example/~me/app', 'git', 'git.example', 22, '~me/app'],
    ['ssh://git@[::1]:2222/a%20b', 'git', '::1', 2222, '/a b'],
    ['ssh://me:password@git.example/app', 'me', 'git.example', 22, '/app'],
    ['git@git.example:team/app.git', 'git', 'git.example', 22, 'team/app.git'],
    ['git.example:/srv/app', 'git', 'git.example', 22, '/srv/app'],
    ['git@[::1]:app', 'git', '::1', 22, 'app'],
    ['org@vs-ssh.visualstudio.com:v3/org/project/repo', 'org', 'vs-ssh.visualstudio.com', 22, 'v3/org/project/repo'],
  ])('%s is taken', (text, user, host, port, path) => {
    expect(isSshUrl(text)).toBe(true)
    expect(parseSshUrl(text)).toEqual({ user, host, port, path })
  })

  test.each([
    'ssh://git.example/',
    'ssh://git@git.example/app?x=1',
    'ssh://git@git.example/app#x',
    'ssh://git@git.example:99999/app',
    'ssh://-oProxyCommand=x/app',
    'ssh://-x@git.example/app',
    'git@-oProxyCommand=x:app',
    'git@git.example:-app',
    'git@git.example:a\u0000b',
    'ssh://git@git.example/a%0ab',
    'https:git.example/app',
    'ext::sh -c true',
    `git@git.example:${'a'.repeat(3000)}`,
  ])('%s is refused', (text) => {
    expect(() => parseSshUrl(text)).toThrow(expect.objectContaining({ kind: 'invalid-url' }))
  })

  test('any text gives an address that no server takes for an option, or is refused', () => {
    const piece = fc.oneof(
      fc.constantFrom('ssh://', '@', ':', '/', '~', '-', '%00', '%2d', '[', ']', '::1', ' ', "'", '..'),
      fc.string({ maxLength: 6 }),
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const text = pieces.join('')
        fc.pre(isSshUrl(text))
        try {
          const { user, host, port, path } = parseSshUrl(text)
          for (const part of [user, host, path]) expect(part).toMatch(/^[^-]/)
          expect(port).toBeGreaterThanOrEqual(0)
          expect(`${host}${path}`).not.toMatch(/\p{Cc}/u)
        } catch (error) {
          expect(error).toMatchObject({ name: 'GitError', kind: 'invalid-url' })
        }
      }),
      { numRuns: 3_000 },
    )
  })
})

describe('addresses in messages', () => {
  test.each([
    ['https://me:secret@git.example/app', 'https://git.example/app'],
    ['https://me:sec/ret@git.example/app', 'git.example/app'],
    ['https://me:secret@git.example:99999/app', 'git.example:99999/app'],
    ['https://git.example/app?token=secret', 'https://git.example/app'],
    ['https://me:12/34@git.example/app', 'https://me:12/***@git.example/app'],
    ['https://git.example/@team/app', 'https://git.example/@team/app'],
    ['git@git.example:app', 'git@git.example:app'],
    ['me:secret@git.example:app', 'git.example:app'],
  ])('%s is shown as %s', (text, shown) => {
    expect(redactUrl(text)).toBe(shown)
  })

  test('a password is never shown, wherever it stands', () => {
    const part = fc.string({ minLength: 1, maxLength: 20, unit: 'grapheme' })
    fc.assert(
      fc.property(fc.constantFrom('https://', 'http://', 'ssh://', '', 'x://'), part, part, part, (scheme, user, noise, path) => {
        const text = `${scheme}${user}:${noise}CANARY@git.example/${path.replaceAll('@', '')}`
        expect(redactUrl(text)).not.toContain('CANARY')
        expect(messageOf(() => parseHttpUrl(text))).not.toContain('CANARY')
      }),
      { numRuns: 2_000 },
    )
  })

  test('any text can be shown', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(redactUrl(text).length).toBeLessThanOrEqual(200)
      }),
    )
  })
})

function messageOf(act: () => unknown): string {
  try {
    act()
    return ''
  } catch (error) {
    return String(error)
  }
}
