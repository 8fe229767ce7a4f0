import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { startGitServer } from '../../testing/git-server.ts'
import { createDispatchers } from './dispatchers.ts'
import { appStatement, createGitHubAppTokens, gitHubApi } from './github-app.ts'
import { createIsomorphicBackend } from './isomorphic.ts'
import type { GitHubApp, GitRemote } from './types.ts'

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const app: GitHubApp = {
  kind: 'github-app',
  appId: '17',
  installationId: '99',
  privateKey: String(privateKey.export({ type: 'pkcs1', format: 'pem' })),
}
const never = new AbortController().signal
const HOUR_MS = 3_600_000

type Answer = (request: IncomingMessage, response: ServerResponse) => void

describe('addresses of the API', () => {
  test.each([
    ['https://github.com/org/repo', 'https://api.github.com'],
    ['https://octo.ghe.com/org/repo.git', 'https://api.octo.ghe.com'],
    ['https://github.example.com:8443/org/repo', 'https://github.example.com:8443/api/v3'],
  ])('%s', (url, api) => {
    expect(gitHubApi(url)).toBe(api)
  })
})

test('the statement is signed, and good for less than ten minutes', () => {
  const [head = '', claims = '', signature = ''] = appStatement('17', privateKey, 1_700_000_000_500).split('.')
  const read = (part: string): unknown => JSON.parse(Buffer.from(part, 'base64url').toString())
  expect(read(head)).toEqual({ alg: 'RS256', typ: 'JWT' })
  expect(read(claims)).toEqual({ iss: '17', iat: 1_699_999_940, exp: 1_700_000_480 })
  expect(
    verify(
      'RSA-SHA256',
      Buffer.from(`${head}.${claims}`),
      createPublicKey(publicKey.export({ type: 'spki', format: 'pem' })),
      Buffer.from(signature, 'base64url'),
    ),
  ).toBe(true)
})

describe('tokens', () => {
  const dispatchers = createDispatchers()
  const seen: { path: string; authorization: string }[] = []
  let answer: Answer
  let server: Server
  let remote: GitRemote
  let now: number
  let tokens: ReturnType<typeof createGitHubAppTokens>

  const gives =
    (token: string, lifeMs = HOUR_MS): Answer =>
    (_request, response) =>
      void response.writeHead(201).end(JSON.stringify({ token, expires_at: new Date(now + lifeMs).toISOString() }))
  const ask = (given: Partial<GitHubApp> = {}, signal = never) => tokens.credentialsFor(remote, { ...app, ...given }, signal)

  beforeAll(async () => {
    server = createServer((request, response) => {
      seen.push({ path: `${request.method} ${request.url}`, authorization: request.headers.authorization ?? '' })
      answer(request, response)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    remote = { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/org/repo.git` }
  })
  beforeEach(() => {
    seen.length = 0
    now = 1_700_000_000_000
    tokens = createGitHubAppTokens(dispatchers, () => now)
    answer = gives('one')
  })
  afterAll(async () => {
    await dispatchers.close()
    server.closeAllConnections()
    server.close()
  })

  test('are asked for once, and again shortly before they expire', async () => {
    const expected = { kind: 'basic', username: 'x-access-token', password: 'one' }
    expect(await Promise.all([ask(), ask(), ask()])).toEqual([expected, expected, expected])
    expect(seen).toEqual([
      { path: 'POST /api/v3/app/installations/99/access_tokens', authorization: expect.stringMatching(/^Bearer [\w-]+\.[\w-]+\.[\w-]+$/) },
    ])
    now += HOUR_MS - 5 * 60_000 - 1
    await ask()
    expect(seen).toHaveLength(1)
    now += 2
    answer = gives('two')
    expect((await Promise.all([ask(), ask()])).map((one) => 'password' in one && one.password)).toEqual(['two', 'two'])
    expect(seen).toHaveLength(2)
  })

  test('are not shared by those who have other keys or installations, nor kept after they were refused', async () => {
    await ask()
    await ask({ installationId: '100' })
    const other = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs8', format: 'pem' })
    await ask({ privateKey: String(other) })
    expect(seen).toHaveLength(3)
    tokens.forget(remote, app)
    await ask()
    expect(seen).toHaveLength(4)
  })

  const status =
    (code: number, headers = {}): Answer =>
    (_request, response) =>
      void response.writeHead(code, headers).end('{}')
  test.each<[string, Answer, string, RegExp]>([
    ['401', status(401), 'authentication', /GitHub App 17 .* not known by that key: check github_app_id/],
    ['404', status(404), 'authentication', /no installation 99/],
    ['403', status(403), 'authentication', /suspended/],
    ['429', status(429, { 'retry-after': '30' }), 'unreachable', /too many tokens/],
    ['500', status(500), 'unreachable', /status 500/],
    ['302', status(302, { location: 'http://127.0.0.1:1/' }), 'protocol', /refuses to answer/],
    ['no JSON', (_request, response) => void response.writeHead(201).end('<html>'), 'protocol', /gives no token/],
    ['no token', (_request, response) => void response.writeHead(201).end('{"token":5}'), 'protocol', /gives no token/],
    ['too much', (_request, response) => void response.writeHead(201).end('x'.repeat(100_000)), 'protocol', /status 413/],
    [
      'half an answer',
      (_request, response) => void response.writeHead(201, { 'content-length': '100' }).write('{', () => response.destroy()),
      'unreachable',
      /cannot be reached/,
    ],
  ])('%s is an error, and is not remembered', async (_what, wrong, kind, message) => {
    answer = wrong
    await expect(ask()).rejects.toMatchObject({ name: 'GitError', kind, message: expect.stringMatching(message) })
    answer = gives('good')
    expect(await ask()).toMatchObject({ password: 'good' })
  })

  test('need a key and numbers that can be used', async () => {
    await expect(ask({ privateKey: 'CANARY' })).rejects.toThrow(/^(?!.*CANARY).*no RSA private key in PEM format/)
    const elliptic = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' })
    await expect(ask({ privateKey: String(elliptic) })).rejects.toThrow(/no RSA private key/)
    await expect(ask({ installationId: '../../other' })).rejects.toThrow(/no valid github_app_installation_id/)
    expect(seen).toEqual([])
  })

  test('are not waited for by a caller who gives up; others get them', async () => {
    const held = Promise.withResolvers<void>()
    answer = (request, response) => void held.promise.then(() => gives('late')(request, response))
    const stop = new AbortController()
    const [gaveUp, patient] = [ask({}, stop.signal), ask()]
    stop.abort(new Error('gave up'))
    await expect(gaveUp).rejects.toThrow('gave up')
    held.resolve()
    expect(await patient).toMatchObject({ password: 'late' })
  })

  test('open a repository, and a new one is asked for when the server no longer takes the old', async () => {
    const git = await startGitServer({ auth: { username: 'x-access-token', password: 'good' } })
    try {
      const repository = await git.repository('app')
      // One origin for git and API, as on a company's own server.
      const { port } = new URL(git.url)
      answer = (request, response) => {
        if (request.url?.startsWith('/api/v3/'))
          return gives(seen.filter(({ path }) => path.startsWith('POST /api')).length === 1 ? 'old' : 'good')(request, response)
        fetch(`http://127.0.0.1:${port}${request.url}`, {
          method: request.method ?? 'GET',
          headers: { authorization: request.headers.authorization ?? '' },
        })
          .then(async (got) =>
            response.writeHead(got.status, { 'content-type': got.headers.get('content-type') ?? '' }).end(await got.text()),
          )
          .catch(() => response.destroy())
      }
      const backend = createIsomorphicBackend(dispatchers, () => now)
      const url = new URL('/app.git', remote.url).href
      const resolve = () => backend.resolve({ url, credentials: app }, { branch: 'master' }, never)
      await expect(resolve()).rejects.toMatchObject({ kind: 'authentication' })
      expect(await resolve()).toBe(await repository.head())
      expect(await resolve()).toBe(await repository.head())
      expect(seen.filter(({ path }) => path.startsWith('POST /api'))).toHaveLength(2)
    } finally {
      await git.stop()
    }
  })
})
