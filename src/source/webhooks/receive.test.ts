import { createHmac } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { GitRepo, GitRepoSpec } from '../../api/git-repo.ts'
import { checkVectors } from '../../testing/vectors.ts'
import { type Decision, receive, triage, type WebhookSecret } from './receive.ts'
import type { WebhookRequest } from './types.ts'

const COMMIT = '0123456789abcdef0123456789abcdef01234567'
const URL = 'https://git.example/team/app'
const NONE: WebhookSecret = { kind: 'none' }
const GOOD = secret({ github: 'good', gitlab: 'good', gogs: 'good', bitbucket: '{u-1}', 'bitbucket-server': 'good' })

function secret(texts: Record<string, string>): WebhookSecret {
  return { kind: 'keys', keys: Object.fromEntries(Object.entries(texts).map(([key, text]) => [key, Buffer.from(text)])) }
}

function gitRepo(spec: Partial<GitRepoSpec> = {}, status = {}): GitRepo {
  return { apiVersion: 'x', kind: 'GitRepo', metadata: { name: 'r', namespace: 'n' }, spec: { repo: URL, ...spec }, status }
}

interface Scene {
  gitRepos?: GitRepo[]
  secretOf?: (gitRepo: GitRepo) => WebhookSecret
  admitStranger?: () => boolean
}

function answer(
  { headers, body, method = 'POST' }: { headers: Record<string, string>; body: unknown; method?: string },
  scene: Scene = {},
): Decision {
  const raw = Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body))
  const request: WebhookRequest = { method, headers: lowerCased(headers), body: raw }
  const first = triage(request)
  if ('status' in first) return first
  return receive(first, request, {
    gitRepos: scene.gitRepos ?? [gitRepo()],
    secretOf: scene.secretOf ?? (() => NONE),
    admitStranger: scene.admitStranger ?? (() => true),
  })
}

function lowerCased(headers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
}

const PUSH = { ref: 'refs/heads/main', after: COMMIT, repository: { html_url: URL } }
const sign = (key: string, body: unknown): string => createHmac('sha256', key).update(JSON.stringify(body)).digest('hex')
const githubHeaders = (signature?: string) => ({
  'x-github-event': 'push',
  ...(signature ? { 'x-hub-signature-256': `sha256=${signature}` } : {}),
})

interface UrlVector {
  headers: Record<string, string>
  body: unknown
  gitRepo: GitRepoSpec
}

checkVectors<UrlVector, { status: number; webhookCommit: string | null }>('webhook-urls.json', ({ headers, body, gitRepo: spec }) => {
  const { status, hints } = answer({ headers, body }, { gitRepos: [gitRepo(spec)] })
  return { status, webhookCommit: hints[0]?.commit ?? null }
})

describe('signatures', () => {
  const bitbucketServer = {
    changes: [{ refId: 'refs/heads/main', toHash: COMMIT }],
    repository: { links: { clone: [{ name: 'http', href: URL }] } },
  }
  const gitlab = { ref: 'refs/heads/main', checkout_sha: COMMIT, project: { web_url: URL } }
  const bitbucket = {
    push: { changes: [{ new: { type: 'branch', name: 'main', target: { hash: COMMIT } } }] },
    repository: { links: { html: { href: URL } } },
  }
  const azure = {
    eventType: 'git.push',
    resource: { refUpdates: [{ name: 'refs/heads/main', newObjectId: COMMIT }], repository: { remoteUrl: URL } },
  }
  const azureSecret = secret({ 'azure-username': 'me', 'azure-password': 'a:b' })
  const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`

  test.each([
    ['github', PUSH, githubHeaders(sign('good', PUSH)), githubHeaders(sign('bad', PUSH)), GOOD],
    ['github without', PUSH, githubHeaders(sign('good', PUSH)), githubHeaders(), GOOD],
    [
      'gogs',
      PUSH,
      { 'x-gogs-event': 'push', 'x-gogs-signature': sign('good', PUSH) },
      { 'x-gogs-event': 'push', 'x-gogs-signature': 'é' },
      GOOD,
    ],
    ['gitlab', gitlab, { 'x-gitlab-event': 'Push Hook', 'x-gitlab-token': 'good' }, { 'x-gitlab-event': 'Push Hook' }, GOOD],
    [
      'bitbucket',
      bitbucket,
      { 'x-hook-uuid': 'u-1', 'x-event-key': 'repo:push' },
      { 'x-hook-uuid': 'u-2', 'x-event-key': 'repo:push' },
      GOOD,
    ],
    [
      'bitbucket-server',
      bitbucketServer,
      { 'x-event-key': 'repo:refs_changed', 'x-hub-signature': `sha256=${sign('good', bitbucketServer)}` },
      { 'x-event-key': 'repo:refs_changed', 'x-hub-signature': sign('good', bitbucketServer) },
      GOOD,
    ],
    [
      'azure',
      azure,
      { 'x-vss-activityid': 'x', authorization: basic('me:a:b') },
      { 'x-vss-activityid': 'x', authorization: basic('me:a') },
      azureSecret,
    ],
  ] as const)('of %s are checked', (_name, body, good, bad, keys) => {
    const secretOf = () => keys
    expect(answer({ headers: good, body }, { secretOf })).toMatchObject({
      status: 200,
      body: 'succeeded',
      hints: [{ commit: COMMIT, isSigned: true }],
    })
    expect(answer({ headers: bad, body }, { secretOf })).toMatchObject({ status: 401, body: 'Webhook processing failed', hints: [] })
  })

  test('come before the body: a stranger’s is not even parsed where nobody is open', () => {
    const body = Buffer.from('{{{')
    const secretOf = () => GOOD
    expect(answer({ headers: githubHeaders(), body }, { secretOf }).status).toBe(401)
    expect(answer({ headers: githubHeaders(), body }).status).toBe(500)
  })

  test('with an empty or missing key let nobody in', () => {
    const headers = githubHeaders(createHmac('sha256', '').update(JSON.stringify(PUSH)).digest('hex'))
    for (const keys of [secret({ github: '' }), secret({ gitlab: 'x' }), secret({}), { kind: 'missing' } as const])
      expect(answer({ headers, body: PUSH }, { secretOf: () => keys })).toMatchObject({ status: 500, hints: [] })
  })

  test('of one GitRepo say nothing about another', () => {
    const [a, b, c] = [gitRepo({ webhookSecret: 'a' }), gitRepo({ webhookSecret: 'b' }), gitRepo()]
    const other = secret({ github: 'other' })
    const secretOf = ({ spec }: GitRepo) => ({ a: GOOD, b: other })[spec.webhookSecret ?? ''] ?? NONE
    const signed = answer({ headers: githubHeaders(sign('good', PUSH)), body: PUSH }, { gitRepos: [b, a, c], secretOf })
    expect(signed).toMatchObject({
      status: 200,
      hints: [
        { gitRepo: a, isSigned: true },
        { gitRepo: c, isSigned: false },
      ],
    })
    const unsigned = answer({ headers: githubHeaders(), body: PUSH }, { gitRepos: [a, b, c], secretOf })
    expect(unsigned).toMatchObject({ status: 401, hints: [{ gitRepo: c, isSigned: false }] })
  })

  test('are not all tried when there are too many: then the body tells which', () => {
    const gitRepos = Array.from({ length: 100 }, (_, i) => gitRepo({ repo: `https://git.example/${i}`, webhookSecret: `${i}` }))
    const keys = new Map(gitRepos.map(({ spec }) => [spec.webhookSecret, secret({ github: `key-${spec.webhookSecret}` })]))
    const secretOf = ({ spec }: GitRepo) => keys.get(spec.webhookSecret) ?? NONE
    const body = { ...PUSH, repository: { html_url: 'https://git.example/77' } }
    expect(answer({ headers: githubHeaders(sign('key-77', body)), body }, { gitRepos, secretOf }).hints).toHaveLength(1)
    expect(answer({ headers: githubHeaders(sign('key-76', body)), body }, { gitRepos, secretOf }).status).toBe(401)
  })
})

describe('strangers', () => {
  test('are turned away when there are too many of them; those who know a secret are not', () => {
    const gitRepos = [gitRepo(), gitRepo({ webhookSecret: 'a' })]
    const scene = { gitRepos, secretOf: ({ spec }: GitRepo) => (spec.webhookSecret ? GOOD : NONE), admitStranger: () => false }
    expect(answer({ headers: githubHeaders(), body: PUSH }, scene)).toMatchObject({ status: 429, hints: [] })
    expect(answer({ headers: githubHeaders(sign('good', PUSH)), body: PUSH }, scene)).toMatchObject({ status: 200 })
  })
})

describe('hints', () => {
  test('are not given for what is known already, or for a deleted branch', () => {
    const known = gitRepo({}, { webhookCommit: COMMIT })
    expect(answer({ headers: githubHeaders(), body: PUSH }, { gitRepos: [known] })).toMatchObject({ status: 200, hints: [] })
    expect(answer({ headers: githubHeaders(), body: { ...PUSH, after: '0'.repeat(40) } })).toMatchObject({ status: 200, hints: [] })
    expect(answer({ headers: githubHeaders(), body: { ...PUSH, after: '../../x' } })).toMatchObject({ status: 200, hints: [] })
  })
})

describe('requests', () => {
  test('of the wrong kind are answered without a body', () => {
    expect(answer({ headers: githubHeaders(), body: PUSH, method: 'GET' }).status).toBe(405)
    expect(answer({ headers: { 'x-github-event': 'ping' }, body: {} })).toMatchObject({
      status: 200,
      body: 'Webhook received successfully',
    })
    expect(answer({ headers: {}, body: PUSH })).toEqual({ status: 200, body: '', hints: [] })
  })

  test.each([
    ['null', 200],
    ['{}', 200],
    ['', 500],
    ['[]', 500],
    ['"x"', 500],
    ['{"ref": 5}', 500],
    ['{"repository": []}', 500],
    [`{"ref": "${'x'.repeat(3000)}"}`, 500],
    ['{"repository": {"html_url": "https://git.example:port/x"}}', 500],
  ])('with the body %s answer %i', (body, status) => {
    expect(answer({ headers: githubHeaders(), body: Buffer.from(body) }).status).toBe(status)
  })
})
