// Policies and filters of ImageScans on a real API server; the newest image by what images say, out of a real registry.
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { digestOf } from '../lib/oci/digest.ts'
import { parseRepository } from '../lib/oci/reference.ts'
import { createRegistries, IMAGE_INDEX, IMAGE_MANIFEST, type Repository } from '../lib/oci/registry.ts'
import { REGISTRY_PROGRAM, startTestRegistry } from '../testing/registry.ts'
import { MINUTE, useImageScans } from './api-fixture.testing.ts'

const t = useImageScans()
const { start, image, unique, createScan, patchScan, scanned, scanStatus, fails, settles } = t
const never = new AbortController().signal

/** What stands before a registry and notes what it is asked for. */
async function watched(host: string): Promise<{ host: string; seen: string[] }> {
  const seen: string[] = []
  async function passOn({ method = '', url = '', headers }: IncomingMessage, response: ServerResponse): Promise<void> {
    seen.push(`${method} ${url.replace(/sha256:([0-9a-f]{6})[0-9a-f]*/, '$1').replace(/\?.*/, '')}`)
    const answer = await fetch(`http://${host}${url}`, { method, headers: { accept: headers.accept ?? '*/*' } })
    const kept = ['content-type', 'docker-content-digest', 'link'].flatMap((name) => [[name, answer.headers.get(name)] as const])
    response.writeHead(answer.status, Object.fromEntries(kept.filter(([, value]) => value !== null)) as Record<string, string>)
    response.end(Buffer.from(await answer.arrayBuffer()))
  }
  // at the end of a test the registry may be gone before the last answer
  const server = createServer((request, response) => void passOn(request, response).catch(() => response.destroy())).listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  onTestFinished(() => server.closeAllConnections())
  await once(server, 'listening')
  return { host: `127.0.0.1:${(server.address() as AddressInfo).port}`, seen }
}

async function pushImage(repository: Repository, tag: string, config: object): Promise<string> {
  const descriptor = await repository.pushBlob(Buffer.from(JSON.stringify(config)), 'application/vnd.oci.image.config.v1+json', never)
  const manifest = { schemaVersion: 2, mediaType: IMAGE_MANIFEST, config: descriptor, layers: [] }
  return repository.pushManifest(tag, IMAGE_MANIFEST, Buffer.from(JSON.stringify(manifest)), never)
}

async function pushIndex(repository: Repository, tag: string, created: Readonly<Record<string, string>>): Promise<string> {
  const manifests: object[] = []
  for (const [platform, time] of Object.entries(created)) {
    const [os, architecture] = platform.split('/')
    const digest = await pushImage(repository, `${tag}-${architecture}`, { created: time, os, architecture })
    const size = (await repository.manifest(digest, never))?.bytes.length
    manifests.push({ mediaType: IMAGE_MANIFEST, digest, size, platform: { os, architecture } })
  }
  const index = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: IMAGE_INDEX, manifests }))
  await repository.pushManifest(tag, IMAGE_INDEX, index, never)
  return digestOf(index)
}

describe.skipIf(!REGISTRY_PROGRAM)('the newest image (skipped without docker-registry and openssl)', () => {
  test('is found by what images say; what is known is not read again', async () => {
    const real = await startTestRegistry()
    onTestFinished(() => real.stop())
    const registries = createRegistries()
    onTestFinished(() => registries.close())
    const { host, seen } = await watched(real.host)
    const repository = registries.repository(parseRepository(`${real.host}/team/app`), { basicHttp: true })
    await pushImage(repository, 'zzz', { created: '2026-01-01T00:00:00Z' })
    const digest = await pushIndex(repository, 'main', { 'linux/arm64': '2026-01-09T00:00:00Z', 'linux/amd64': '2026-01-03T00:00:00Z' })
    await pushImage(repository, 'same', { created: '1970-01-01T00:00:00Z' })
    const filterTags = { pattern: 'zzz|main|same|next' }
    await start()
    await createScan('one', { image: `${host}/team/app`, policy: { newest: {} }, filterTags })
    await scanned('one', { latestTag: 'main', latestDigest: digest, latestImage: `${host}/team/app:main` })
    expect(seen.filter((line) => line.includes('/blobs/')).length).toBe(3)

    seen.length = 0
    await t.clock.advance(MINUTE)
    const heads = ['main', 'same', 'zzz'].map((tag) => `HEAD /v2/team/app/manifests/${tag}`)
    // time goes on while this waits, so that it may be asked twice
    await settles(async () => expect([...new Set(seen)].sort()).toEqual(['GET /v2/team/app/tags/list', ...heads]))

    seen.length = 0
    const next = await pushImage(repository, 'next', { created: '2026-01-04T00:00:00Z' })
    await t.clock.advance(MINUTE)
    await scanned('one', { latestTag: 'next', latestDigest: next })
    const read = seen.filter((line) => line.startsWith('GET') && !line.endsWith('/tags/list'))
    expect(read).toEqual([`GET /v2/team/app/manifests/${next.slice(7, 13)}`, expect.stringMatching(/^GET \/v2\/team\/app\/blobs\//)])

    await patchScan('one', { filterTags: { pattern: 'same' } })
    await fails('one', /none of the 1 images of .*\/team\/app says when it was made/)
    expect(await scanStatus('one')).toMatchObject({ latestTag: 'next' })
    await patchScan('one', { filterTags: { pattern: 'zzz' } })
    await scanned('one', { latestTag: 'zzz' })
  })

  test('an image that cannot be read is named', async () => {
    const real = await startTestRegistry()
    onTestFinished(() => real.stop())
    const registries = createRegistries()
    onTestFinished(() => registries.close())
    const repository = registries.repository(parseRepository(`${real.host}/app`), { basicHttp: true })
    await pushImage(repository, 'good', { created: '2026-01-01T00:00:00Z' })
    await pushImage(repository, 'huge', { created: '2026-01-02T00:00:00Z', history: 'x'.repeat(9 * 2 ** 20) })
    await start()
    await createScan('one', { image: `${real.host}/app`, policy: { newest: {} } })
    await fails('one', /^tag huge: .*\/app@sha256:.* has more than \d+ bytes/)
    await patchScan('one', { filterTags: { pattern: 'good' } })
    await scanned('one', { latestTag: 'good' })
  })
})

test('numbers, filters, and what they refuse', async () => {
  const app = unique('app')
  t.registry.push(app, ['9', '10', 'main-7-20260301', 'main-8-20260228', 'latest', '1.0.0'])
  await start()
  await createScan('one', { image: image(app), policy: { numerical: { order: 'desc' } } })
  await scanned('one', { latestTag: '10' })
  await patchScan('one', { policy: { numerical: { order: 'ASC' } } })
  await scanned('one', { latestTag: '9' })
  await patchScan('one', { policy: { numerical: null }, filterTags: { pattern: '.*' } })
  await scanned('one', { latestTag: '10', observedGeneration: 3 })
  await patchScan('one', { policy: { numerical: {} }, filterTags: { pattern: 'main-\\d+-(\\d{8})', extract: '$1' } })
  await scanned('one', { latestTag: 'main-7-20260301' })
  await patchScan('one', { policy: { newest: {} } })
  await fails('one', /^policy: numerical and newest exclude each other: keep one of them$/)
  await patchScan('one', { policy: { newest: null }, filterTags: { pattern: 'dev-.*' } })
  await fails('one', /none of the 6 tags of .* matches "dev-\.\*": correct filterTags.pattern/)
  await patchScan('one', { filterTags: { pattern: 'main-(' } })
  await fails('one', /^filterTags.pattern "main-\(" is no regular expression/)
  await patchScan('one', { filterTags: null, policy: { numerical: { order: 'down' } } })
  await fails('one', /^policy.numerical.order is "down": it has to be ASC or DESC$/)
  expect(await scanStatus('one')).toMatchObject({ latestTag: 'main-7-20260301' })
})
