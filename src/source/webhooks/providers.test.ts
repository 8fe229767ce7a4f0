// Bodies and headers from nobody knows where: no service's functions throw or hang.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { GitRepo } from '../../api/git-repo.ts'
import { startCpuTimer } from '../../testing/cpu-time.ts'
import { PROVIDERS } from './providers.ts'
import { receive, type WebhookSecret } from './receive.ts'
import { createRepoMatcher, sshToUrl } from './repo-url.ts'
import { PayloadError, type WebhookRequest } from './types.ts'

const KEYS = ['github', 'gitlab', 'gogs', 'bitbucket', 'bitbucket-server', 'azure-username', 'azure-password']
const SECRET: WebhookSecret = { kind: 'keys', keys: Object.fromEntries(KEYS.map((key) => [key, Buffer.from('s')])) }
const NONE: WebhookSecret = { kind: 'none' }
const HEADERS = [
  'x-gogs-event',
  'x-gogs-signature',
  'x-github-event',
  'x-hub-signature',
  'x-hub-signature-256',
  'x-gitlab-event',
  'x-gitlab-token',
  'x-hook-uuid',
  'x-event-key',
  'x-vss-activityid',
  'authorization',
]
const FIELDS = [
  'ref',
  'after',
  'checkout_sha',
  'repository',
  'html_url',
  'ssh_url',
  'project',
  'web_url',
  'push',
  'changes',
  'new',
  'target',
  'hash',
]
const MORE = [
  'links',
  'clone',
  'html',
  'href',
  'name',
  'type',
  'refId',
  'toHash',
  'eventType',
  'resource',
  'refUpdates',
  'remoteUrl',
  '__proto__',
]

const word = fc.oneof(
  fc.constantFrom(
    'refs/heads/main',
    'git.push',
    'http',
    'branch',
    'a'.repeat(40),
    'https://git.example/a',
    'git@git.example:a',
    '%',
    '(((',
  ),
  fc.string({ unit: 'binary' }),
)
const { body } = fc.letrec((tie) => ({
  body: fc.oneof(
    { maxDepth: 6 },
    word,
    fc.jsonValue(),
    fc.array(tie('body'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom(...FIELDS, ...MORE), tie('body'), { maxKeys: 6 }),
  ),
}))
const headers = fc.dictionary(
  fc.constantFrom(...HEADERS),
  fc.oneof(word, fc.constantFrom('push', 'Push Hook', 'repo:push', 'sha256=00', 'Basic eA==')),
)
const repo = fc.oneof(word, fc.webUrl())

function gitRepo(url: string): GitRepo {
  return { apiVersion: 'x', kind: 'GitRepo', metadata: { name: 'r' }, spec: { repo: url } }
}

describe.each(PROVIDERS.map((provider) => [provider.name, provider] as const))('%s', (_name, provider) => {
  test('answers anything', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          body.map((value) => Buffer.from(JSON.stringify(value) ?? '')),
          fc.uint8Array().map(Buffer.from),
        ),
        headers,
        repo,
        fc.boolean(),
        (raw, names, url, isOpen) => {
          const request: WebhookRequest = { method: 'POST', headers: names, body: raw as Buffer }
          provider.detect(names)
          const { status } = receive(provider, request, {
            gitRepos: [gitRepo(url)],
            secretOf: () => (isOpen ? NONE : SECRET),
            admitStranger: () => true,
          })
          expect([200, 401, 500]).toContain(status)
        },
      ),
      { numRuns: 500 },
    )
  })

  test('parses anything, or says that it cannot', () => {
    fc.assert(
      fc.property(body, (value) => {
        try {
          const push = provider.parse(JSON.parse(JSON.stringify(value) ?? 'null'))
          expect(push?.commit ?? '').toMatch(/^([0-9a-fA-F]{7,64})?$/)
        } catch (error) {
          expect(error).toBeInstanceOf(PayloadError)
        }
      }),
      { numRuns: 500 },
    )
  })
})

describe('addresses', () => {
  test('are matched in linear time', () => {
    const spent = startCpuTimer()
    for (const part of ['a', '/', '@', ':', '1', '.git', 'ssh.', '_git/', 'v1/', '(', '\\']) {
      const long = part.repeat(Math.floor(2_000 / part.length))
      for (const url of [`https://h/${long}`, `https://${long}`, `ssh://git@h:${long}`, long]) {
        sshToUrl(url)
        try {
          const matches = createRepoMatcher([url])
          for (const tested of [url, long, `git@${long}`, `https://h/${long}!`]) matches(tested)
        } catch (error) {
          expect(error).toBeInstanceOf(PayloadError)
        }
      }
    }
    expect(spent()).toBeLessThan(1_000)
  })

  test.each([
    ['https://git.example/a', 'https://git.example/a', true],
    ['https://git.example/a', 'https://user:token@git.example:8443/a.git', true],
    ['https://git.example/a', 'git+ssh://git@git.example/a', true],
    ['https://git.example/a', 'https://evil.example/https://git.example/a', false],
    ['https://git.example/a', 'https://evil.example/x@git.example/a', false],
    ['https://git.example/a', 'https://gitXexample/a', false],
    ['https://[::1]:3000/a', 'https://[::1]/a', true],
    ['https://git.example/a.b', 'https://git.example/a-b', false],
    ['ssh://bbs.example:7999/prj/repo.git', 'https://bbs.example/prj/repo', false],
  ])('%s means %s: %s', (url, tested, expected) => {
    expect(createRepoMatcher([url])(tested)).toBe(expected)
  })

  test('of Azure are those of all its hosts', () => {
    const azure = PROVIDERS.find(({ name }) => name === 'azure')
    const urlsOf = (remoteUrl: string) => azure?.parse({ eventType: 'git.push', resource: { repository: { remoteUrl } } })?.urls ?? []
    for (const remoteUrl of ['https://dev.azure.com/org/proj/_git/repo', 'https://org.visualstudio.com/DefaultCollection/proj/_git/repo']) {
      const matches = createRepoMatcher(urlsOf(remoteUrl))
      for (const tested of [
        'https://org@dev.azure.com/org/proj/_git/repo',
        'git@ssh.dev.azure.com:v3/org/proj/repo',
        'https://org.visualstudio.com/proj/_git/repo',
        'https://org.visualstudio.com/DefaultCollection/proj/_git/repo',
        'org@vs-ssh.visualstudio.com:v3/org/proj/repo',
      ])
        expect([tested, matches(tested)]).toEqual([tested, true])
      expect(matches('https://dev.azure.com/other/proj/_git/repo')).toBe(false)
    }
  })
})
