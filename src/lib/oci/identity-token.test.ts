// Identity tokens: what a login leaves in place of a password, exchanged for the tokens of a registry as OAuth 2 says.
import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { PUSHER, REGISTRY_PROGRAM, startTestRegistry } from '../../testing/registry.ts'
import { startTokenServer } from '../../testing/token-server.ts'
import { pushArtifact } from './artifact.ts'
import { OciError } from './errors.ts'
import { parseRepository } from './reference.ts'
import { createRegistries, type Repository } from './registry.ts'
import type { RegistryAccess } from './types.ts'

const never = new AbortController().signal
const IDENTITY = 'identity-canary-1618'

interface Seen {
  readonly method: string | undefined
  readonly authorization: string | undefined
  readonly form: Readonly<Record<string, string>>
}

async function serve(answer: RequestListener): Promise<string> {
  const server = createServer(answer).listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  onTestFinished(() => server.closeAllConnections())
  await once(server, 'listening')
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

async function read(request: IncomingMessage): Promise<Seen> {
  let body = ''
  for await (const chunk of request) body += String(chunk)
  return { method: request.method, authorization: request.headers.authorization, form: Object.fromEntries(new URLSearchParams(body)) }
}

function at(host: string, access: RegistryAccess): Repository {
  const registries = createRegistries()
  onTestFinished(() => registries.close())
  return registries.repository(parseRepository(`${host}/team/app`), { basicHttp: true, ...access })
}

/** A registry that wants `Bearer good`, and what gives tokens for it. */
async function scene(status = 200, answer: object = { access_token: 'good', expires_in: 300, refresh_token: 'other' }) {
  const seen: Seen[] = []
  const realm = await serve(async (request, response) => {
    seen.push(await read(request))
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
  })
  const registry = await serve((request, response) => {
    const challenge = {
      'www-authenticate': `Bearer realm="http://${realm}/oauth2/token?tenant=t",service="reg.example",scope="repository:team/app:pull"`,
    }
    if (request.headers.authorization === 'Bearer good') response.end('{"tags":["1"]}')
    else response.writeHead(401, challenge).end()
  })
  return { registry, seen }
}

async function failure(repository: Repository): Promise<OciError> {
  const error: unknown = await repository.tags(never).catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(OciError)
  expect(`${error} ${(error as Error).stack}`).not.toContain('canary')
  return error as OciError
}

test('an identity token is exchanged once for a token of the registry', async () => {
  const { registry, seen } = await scene()
  const repository = at(registry, { identityToken: IDENTITY, credentials: PUSHER })
  expect(await Promise.all([repository.tags(never), repository.tags(never)])).toEqual([['1'], ['1']])
  expect(await repository.tags(never)).toEqual(['1'])
  expect(seen).toEqual([
    {
      method: 'POST',
      authorization: undefined,
      form: {
        grant_type: 'refresh_token',
        client_id: 'fleet',
        refresh_token: IDENTITY,
        service: 'reg.example',
        scope: 'repository:team/app:pull',
      },
    },
  ])
})

test.each([
  [400, { error: 'invalid_grant' }, 'authentication', /does not accept the identity token for .*: log in again/],
  [401, {}, 'authentication', /does not accept the identity token/],
  [404, {}, 'unsupported', /takes no identity token for .*: give a user name and a password/],
  [503, {}, 'busy', /gives no token for .* \(status 503\): it is tried again/],
  [200, { access_token: 7 }, 'protocol', /answers with something else/],
  [200, { access_token: 'bad' }, 'authentication', /does not accept the identity token for .* \(status 401\): log in again/],
])('an answer of %s %j is told', async (status, answer, kind, message) => {
  const { registry } = await scene(status, answer)
  const error = await failure(at(registry, { identityToken: IDENTITY }))
  expect({ kind: error.kind, message: error.message }).toEqual({ kind, message: expect.stringMatching(message) })
})

test('it is never shown to a registry, and not sent where it would not be safe', async () => {
  const seen: (string | undefined)[] = []
  const basic = await serve((request, response) => {
    seen.push(request.headers.authorization)
    response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end()
  })
  expect((await failure(at(basic, { identityToken: IDENTITY }))).message).toMatch(
    /gives no tokens, so that an identity token is no use: give a user name/,
  )
  expect(seen).toEqual([undefined])
  const elsewhere = await serve(
    (_request, response) => void response.writeHead(401, { 'www-authenticate': 'Bearer realm="http://token.example/"' }).end(),
  )
  expect((await failure(at(elsewhere, { identityToken: IDENTITY }))).message).toMatch(/which is not safe/)
})

test('with a password beside it, a registry that gives no tokens is shown that', async () => {
  const wanted = `Basic ${Buffer.from(`${PUSHER.username}:${PUSHER.password}`).toString('base64')}`
  const host = await serve((request, response) => {
    if (request.headers.authorization === wanted) response.end('{"tags":["1"]}')
    else response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end()
  })
  expect(await at(host, { identityToken: IDENTITY, credentials: PUSHER }).tags(never)).toEqual(['1'])
})

describe.skipIf(!REGISTRY_PROGRAM)('docker-registry (skipped without it and openssl)', { timeout: 60_000 }, () => {
  test('takes what was given for an identity token', async () => {
    const account = `${PUSHER.username}:${PUSHER.password}`
    const tokens = await startTokenServer({ [account]: ['pull', 'push'] })
    onTestFinished(() => tokens.stop())
    const grants: string[] = []
    const exchange = await serve(async (request, response) => {
      const { form, method } = await read(request)
      grants.push(`${method} ${form.scope}`)
      if (form.grant_type !== 'refresh_token' || form.refresh_token !== IDENTITY) return void response.writeHead(401).end()
      const url = new URL(tokens.realm)
      url.searchParams.set('service', form.service ?? '')
      for (const scope of (form.scope ?? '').split(' ')) url.searchParams.append('scope', scope)
      const answer = await fetch(url, { headers: { authorization: `Basic ${Buffer.from(account).toString('base64')}` } })
      const { token } = (await answer.json()) as { token: string }
      response.end(JSON.stringify({ access_token: token, expires_in: 300 }))
    })
    const registry = await startTestRegistry({ tokens: { ...tokens, realm: `http://${exchange}/oauth2/token` } })
    onTestFinished(() => registry.stop())
    const repository = at(registry.host, { identityToken: IDENTITY })
    const artifact = { artifactType: 'application/test', mediaType: 'application/test.file', annotations: {}, bytes: Buffer.from('x') }
    await pushArtifact(repository, 'v1', artifact, never)
    expect(await repository.tags(never)).toEqual(['v1'])
    expect(grants).toContain('POST repository:team/app:pull,push')
    expect((await failure(at(registry.host, { identityToken: 'canary' }))).kind).toBe('authentication')
  })
})
