// Against the real docker-registry; faults that it does not make come from a small server.
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { PUSHER, REGISTRY_PROGRAM, startTestRegistry, type TestRegistry } from '../../testing/registry.ts'
import { startTokenServer, type TokenServer } from '../../testing/token-server.ts'
import { artifactLayer, pushArtifact } from './artifact.ts'
import { digestOf } from './digest.ts'
import { OciError } from './errors.ts'
import { imageInfo } from './image.ts'
import { parseRepository } from './reference.ts'
import { createRegistries, IMAGE_INDEX, IMAGE_MANIFEST, type Registries, type Repository } from './registry.ts'
import type { RegistryAccess, RegistryLimits } from './types.ts'

const never = new AbortController().signal
const http = { basicHttp: true }
const registries = createRegistries()
afterAll(() => registries.close())

function at(host: string, path: string, access: RegistryAccess = http, from: Registries = registries): Repository {
  return from.repository(parseRepository(`${host}/${path}`), access)
}

function limited(limits: Partial<RegistryLimits>): Registries {
  const own = createRegistries({ limits })
  onTestFinished(() => own.close())
  return own
}

async function errorOf(work: Promise<unknown>): Promise<OciError> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(OciError)
  return error as OciError
}

function artifact(text: string, id = 's-1') {
  return { artifactType: 'application/test', mediaType: 'application/test.file', annotations: { id }, bytes: Buffer.from(text) }
}

async function pushImage(repository: Repository, tag: string, config: object): Promise<string> {
  const descriptor = await repository.pushBlob(Buffer.from(JSON.stringify(config)), 'application/vnd.oci.image.config.v1+json', never)
  const manifest = { schemaVersion: 2, mediaType: IMAGE_MANIFEST, config: descriptor, layers: [] }
  return repository.pushManifest(tag, IMAGE_MANIFEST, Buffer.from(JSON.stringify(manifest)), never)
}

/** A server that answers as it is told; its host. */
async function fake(answer: RequestListener): Promise<string> {
  const server = createServer(answer).listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  onTestFinished(() => server.closeAllConnections())
  await once(server, 'listening')
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

describe.skipIf(!REGISTRY_PROGRAM)('a registry (skipped without docker-registry and openssl)', { timeout: 60_000 }, () => {
  let open: TestRegistry
  let guarded: TestRegistry
  let tokens: TokenServer
  let bearer: TestRegistry
  beforeAll(async () => {
    tokens = await startTokenServer({ [`${PUSHER.username}:${PUSHER.password}`]: ['pull', 'push', 'delete'], '': ['pull'] })
    ;[open, guarded, bearer] = await Promise.all([
      startTestRegistry(),
      startTestRegistry({ tls: true, guarded: true }),
      startTestRegistry({ tokens }),
    ])
  })
  afterAll(() => Promise.all([open?.stop(), guarded?.stop(), bearer?.stop(), tokens?.stop()]))

  test('keeps artifacts, gives them back, and deletes them', async () => {
    const repository = at(open.host, 'kept/s-1')
    await repository.ping(never)
    expect([await repository.manifest('latest', never), await repository.head('latest', never), await repository.tags(never)]).toEqual([
      undefined,
      undefined,
      [],
    ])
    await pushArtifact(repository, 'latest', artifact('{"resources":[]}\n'), never)
    const stored = await repository.manifest('latest', never)
    await pushArtifact(repository, 'latest', artifact('{"resources":[]}\n'), never)
    expect(await repository.head('latest', never)).toBe(stored?.digest)
    expect(stored?.content).toMatchObject({
      schemaVersion: 2,
      mediaType: IMAGE_MANIFEST,
      artifactType: 'application/test',
      config: { mediaType: 'application/vnd.oci.empty.v1+json', size: 2, data: 'e30=' },
      layers: [{ mediaType: 'application/test.file', size: 17, annotations: { id: 's-1' } }],
    })
    const layer = await artifactLayer(repository, 'latest', { id: 's-1' }, never)
    expect(String(await repository.blob(layer, never))).toBe('{"resources":[]}\n')
    expect((await repository.manifest(stored?.digest ?? '', never))?.bytes).toEqual(stored?.bytes)
    expect(await repository.tags(never)).toEqual(['latest'])

    expect(await repository.deleteManifest('latest', never)).toBe(true)
    expect(await repository.deleteManifest('latest', never)).toBe(false)
    expect((await errorOf(artifactLayer(repository, 'latest', { id: 's-1' }, never))).kind).toBe('not-found')
  })

  test('with an artifact of other annotations, or more layers, is refused', async () => {
    const repository = at(open.host, 'other')
    await pushArtifact(repository, 'latest', artifact('x', 's-2'), never)
    expect((await errorOf(artifactLayer(repository, 'latest', { id: 's-1' }, never))).message).toMatch(/not annotated as it should be/)
    const layers = [await repository.pushBlob(Buffer.from('1'), 'a/b', never), await repository.pushBlob(Buffer.from('2'), 'a/b', never)]
    const config = await repository.pushBlob(Buffer.from('{}'), 'application/vnd.oci.empty.v1+json', never)
    const manifest = { schemaVersion: 2, mediaType: IMAGE_MANIFEST, config, layers }
    await repository.pushManifest('two', IMAGE_MANIFEST, Buffer.from(JSON.stringify(manifest)), never)
    expect((await errorOf(artifactLayer(repository, 'two', { id: 's-1' }, never))).message).toMatch(/has 2 layers, it should have one/)
  })

  test('lists all tags, page by page, and no more than may be', async () => {
    const repository = at(open.host, 'tags')
    for (let index = 0; index < 12; index++) await pushImage(repository, `v${index}`, {})
    expect(await repository.tags(never)).toHaveLength(12)
    expect((await errorOf(at(open.host, 'tags', http, limited({ tags: 5 })).tags(never))).kind).toBe('too-large')
  })

  test('tells when an image was made, through an index too', async () => {
    const repository = at(open.host, 'images')
    const digest = await pushImage(repository, 'one', { created: '2024-05-06T07:08:09Z' })
    expect(await imageInfo(repository, 'one', never)).toEqual({ digest, created: Date.parse('2024-05-06T07:08:09Z') })
    const size = (await repository.manifest('one', never))?.bytes.length
    const manifests = [{ mediaType: IMAGE_MANIFEST, digest, size, platform: { os: 'linux', architecture: 'amd64' } }]
    const index = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: IMAGE_INDEX, manifests }))
    await repository.pushManifest('many', IMAGE_INDEX, index, never)
    expect(await imageInfo(repository, 'many', never)).toEqual({ digest: digestOf(index), created: Date.parse('2024-05-06T07:08:09Z') })
    const attestation = await pushImage(repository, 'attestation', { created: '2030-01-01T00:00:00Z' })
    const others = [
      { digest: attestation, platform: { os: 'unknown', architecture: 'unknown' } },
      { digest, platform: { os: 'linux', architecture: 'arm64' } },
    ].map((one) => ({ mediaType: IMAGE_MANIFEST, size, ...one }))
    for (const [tag, list] of Object.entries({ arm: others, none: [] }))
      await repository.pushManifest(
        tag,
        IMAGE_INDEX,
        Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: IMAGE_INDEX, manifests: list })),
        never,
      )
    expect((await imageInfo(repository, 'arm', never)).created).toBe(Date.parse('2024-05-06T07:08:09Z'))
    expect((await imageInfo(repository, 'none', never)).created).toBeUndefined()
    await pushImage(repository, 'silent', {})
    expect((await imageInfo(repository, 'silent', never)).created).toBeUndefined()
    expect((await errorOf(imageInfo(repository, 'absent', never))).kind).toBe('not-found')
  })

  test('with basic authentication and a certificate of its own', async () => {
    const access = { credentials: PUSHER, caBundle: guarded.ca }
    await pushArtifact(at(guarded.host, 'a', access), 'latest', artifact('x'), never)
    expect(await at(guarded.host, 'a', access).tags(never)).toEqual(['latest'])
    expect(await at(guarded.host, 'a', { credentials: PUSHER, insecureSkipTLSVerify: true }).tags(never)).toEqual(['latest'])
    const failures: [RegistryAccess, string, RegExp][] = [
      [{ caBundle: guarded.ca }, 'authentication', /wants credentials for .*: give a user name/],
      [{ caBundle: guarded.ca, credentials: { ...PUSHER, password: 'canary' } }, 'authentication', /does not accept the credentials/],
      [{ credentials: PUSHER }, 'certificate', /signed by an unknown authority/],
      [{ credentials: PUSHER, caBundle: 'nonsense' }, 'certificate', /no PEM certificates/],
      [{ credentials: PUSHER, basicHttp: true }, 'protocol', /HTTP request to an HTTPS server|status 400/],
    ]
    for (const [bad, kind, message] of failures) {
      const error = await errorOf(at(guarded.host, 'a', bad).tags(never))
      expect({ kind: error.kind, message: error.message }).toEqual({ kind, message: expect.stringMatching(message) })
      expect(`${error.message} ${error.stack} ${JSON.stringify(error)}`).not.toMatch(/canary/)
    }
  })

  test('with tokens: asked for once a scope, again when they expire, and refused where they allow too little', async () => {
    const own = limited({})
    const repository = at(bearer.host, 'tok/en', { ...http, credentials: PUSHER }, own)
    await pushArtifact(repository, 'latest', artifact('x'), never)
    const before = tokens.seen.length
    await Promise.all([repository.tags(never), repository.manifest('latest', never), repository.head('latest', never)])
    await repository.tags(never)
    expect(tokens.seen.length - before).toBeLessThanOrEqual(1)
    expect(tokens.seen.at(-1)?.scope[0]).toMatch(/^repository:tok\/en:pull/)

    const anonymous = at(bearer.host, 'tok/en', http, own)
    expect(await anonymous.tags(never)).toEqual(['latest'])
    expect(tokens.seen.at(-1)?.authorization).toBeUndefined()
    expect((await errorOf(anonymous.pushBlob(Buffer.from('y'), 'a/b', never))).kind).toBe('authentication')
    const wrong = at(bearer.host, 'tok/en', { ...http, credentials: { ...PUSHER, password: 'canary' } }, own)
    expect((await errorOf(wrong.tags(never))).message).toMatch(/does not accept the credentials(?!.*canary)/)
    expect(await repository.deleteManifest('latest', never)).toBe(true)

    tokens.life = 5 // not longer than the margin
    const short = at(bearer.host, 'tok/en', { ...http, credentials: PUSHER }, limited({}))
    const asked = tokens.seen.length
    for (let index = 0; index < 3; index++) await short.tags(never)
    expect(tokens.seen.length - asked).toBe(3)
  })

  test('that does not delete says so; one that is down too', async () => {
    const strict = await startTestRegistry({ deletes: false })
    onTestFinished(() => strict.stop())
    const repository = at(strict.host, 'a')
    await pushArtifact(repository, 'latest', artifact('x'), never)
    expect((await errorOf(repository.deleteManifest('latest', never))).message).toMatch(/does not allow this .*status 405/)
    await strict.down()
    expect(await errorOf(repository.tags(never))).toMatchObject({
      kind: 'unreachable',
      message: expect.stringMatching(/cannot be reached \(/),
    })
    await strict.up()
    expect(await repository.tags(never)).toEqual(['latest'])
  })
})

describe('what answers', () => {
  const blob = Buffer.from('contents')
  const descriptor = { mediaType: 'a/b', digest: digestOf(blob), size: blob.length }

  test('a blob may lie elsewhere, where no credentials go', async () => {
    let seen: string | undefined = 'nothing'
    const storage = await fake((request, response) => {
      seen = request.headers.authorization
      response.end(blob)
    })
    const host = await fake((request, response) => {
      if (!request.headers.authorization) response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end()
      else response.writeHead(307, { location: `http://${storage}/blob` }).end()
    })
    expect(await at(host, 'a', { ...http, credentials: PUSHER }).blob(descriptor, never)).toEqual(blob)
    expect(seen).toBeUndefined()
  })

  test.each([
    ['other bytes', Buffer.from('CONTENTS'), 'corrupt', /does not have the digest/],
    ['more bytes', Buffer.from('contents and more'), 'corrupt', /more than the 8 bytes/],
    ['fewer bytes', Buffer.from('cont'), 'corrupt', /has 4 of 8 bytes/],
  ])('a blob of %s is refused', async (_, bytes, kind, message) => {
    const host = await fake((_request, response) => void response.end(bytes))
    expect(await errorOf(at(host, 'a').blob(descriptor, never))).toMatchObject({ kind, message: expect.stringMatching(message) })
  })

  test('a blob larger than the caller takes is not even read', async () => {
    const host = await fake((_request, response) => void response.end(blob))
    expect((await errorOf(at(host, 'a').blob(descriptor, never, 5))).kind).toBe('too-large')
    expect((await errorOf(at(host, 'a', http, limited({ manifestBytes: 5 })).manifest('latest', never))).kind).toBe('too-large')
  })

  test('a manifest that is asked for by digest has it', async () => {
    const host = await fake((_request, response) => void response.end('{"a":1}'))
    const digest = `sha512:${createHash('sha512').update('{"a":1}').digest('hex')}` as const
    expect((await at(host, 'a').manifest(digest, never))?.content).toEqual({ a: 1 })
    expect((await errorOf(at(host, 'a').manifest(digestOf(blob), never))).kind).toBe('corrupt')
    expect((await errorOf(at(host, 'a').manifest('../x', never))).kind).toBe('invalid-reference')
  })

  test.each([
    ['http://evil.example/token', /not safe: it has to be https/],
    ['ftp://127.0.0.1/token', /not safe/],
    ['nonsense', /from nowhere, which is not safe/],
    ['https://user:canary@x.example/token', /not safe/],
  ])('a token from %s is not fetched', async (realm, message) => {
    const host = await fake((_request, response) => void response.writeHead(401, { 'www-authenticate': `Bearer realm="${realm}"` }).end())
    const error = await errorOf(at(host, 'a', { ...http, credentials: PUSHER }).tags(never))
    expect(error.message).toMatch(message)
    expect(error.message).not.toMatch(/canary/)
  })

  test('neither circles of redirects nor other schemes are followed', async () => {
    const circle = await fake((_request, response) => void response.writeHead(307, { location: '/again' }).end())
    expect((await errorOf(at(circle, 'a').tags(never))).message).toMatch(/from one address to the next/)
    const away = await fake((_request, response) => void response.writeHead(307, { location: 'file:///etc/passwd' }).end())
    expect((await errorOf(at(away, 'a').tags(never))).message).toMatch(/not safe/)
    const list = await fake(
      (_request, response) => void response.setHeader('link', '<http://evil.example/>; rel="next"').end('{"tags":["a"]}'),
    )
    expect((await errorOf(at(list, 'a').tags(never))).message).toMatch(/lists its tags elsewhere/)
  })

  test('a registry that is busy says when to come back, and what is the matter', async () => {
    const errors = JSON.stringify({ errors: [{ code: 'TOOMANYREQUESTS', message: 'slow\ndown' }] })
    const host = await fake((_request, response) => void response.writeHead(429, { 'retry-after': '7' }).end(errors))
    expect(await errorOf(at(host, 'a').tags(never))).toMatchObject({
      kind: 'busy',
      retryAfterMs: 7_000,
      message: `the registry answers for ${host}/a with status 429, TOOMANYREQUESTS slow down: it is tried again`,
    })
  })

  test('silence ends at the time limit, and with the caller', async () => {
    const host = await fake(() => {})
    expect((await errorOf(at(host, 'a', http, limited({ timeMs: 200 })).tags(never))).kind).toBe('timeout')
    const reason = new Error('called off')
    await expect(at(host, 'a').tags(AbortSignal.abort(reason))).rejects.toBe(reason)
  })

  test('a web page is no registry', async () => {
    const host = await fake((_request, response) => void response.end('<html>sign in</html>'))
    expect((await errorOf(at(host, 'a').tags(never))).message).toMatch(/is no manifest: check the reference/)
    expect((await errorOf(at('127.0.0.1:1', 'a').tags(never))).kind).toBe('unreachable')
  })
})
