// Needs the helm command, which only tests with a cluster are given.
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ChartServer, startChartServer } from '../../testing/chart-server.ts'
import { testCluster } from '../../testing/cluster.ts'
import { type ChartDownloader, createChartDownloader } from './downloads.ts'
import { ChartError } from './errors.ts'
import type { ChartAccess } from './types.ts'

const user = { username: 'reader', password: 'pass-word' }
const never = new AbortController().signal
const nobody = () => Promise.reject(new Error('no git'))
let dir: string
let downloader: ChartDownloader
let open: ChartServer
let guarded: ChartServer
let encrypted: ChartServer
let address: string

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'oci-test-'))
  downloader = createChartDownloader({
    helm: join(testCluster('hub').bin, 'helm'),
    backend: { resolve: nobody, fetch: nobody },
    tempDir: dir,
    pid: process.pid,
  })
  ;[open, guarded, encrypted] = await Promise.all([startChartServer(), startChartServer({ auth: user }), startChartServer({ tls: true })])
  for (const server of [open, guarded, encrypted])
    for (const version of ['1.0.0', '1.2.0', '2.0.0']) address = await server.push('charts', 'hello', version)
})
afterAll(async () => {
  await Promise.all([open.stop(), guarded.stop(), encrypted.stop(), downloader.close()])
  expect(await readdir(dir)).toEqual([]) // credentials least of all
  await rm(dir, { recursive: true })
})

const at = (server: ChartServer): string => address.replace(/127\.0\.0\.1:\d+/, new URL(server.url).host)
const plain: ChartAccess = { plainHttp: true }

async function pull(server: ChartServer, version: string, access: ChartAccess): Promise<string> {
  const files = await downloader.session().chart({ chart: '', repo: at(server), version }, () => access, never)
  return files.map(({ content }) => /version: (.*)/.exec(content.toString('utf8'))?.[1]).join()
}

test.each([
  ['1.0.0', '1.0.0'],
  ['1.x', '1.2.0'],
  ['', '2.0.0'],
])('version %j of a registry is %s', async (version, expected) => {
  expect(await pull(open, version, plain)).toBe(expected)
})

test('a reference may name its tag or its digest itself, and a tag has no plus', async () => {
  const repo = await open.push('pinned', 'hello', 'v1.3.0_build.7')
  await open.push('pinned', 'hello', '2.0.0')
  const versionAt = async (reference: string, version = '') => {
    const files = await downloader.session().chart({ chart: '', repo: reference, version }, () => plain, never)
    return files.map(({ content }) => /version: (.*)/.exec(content.toString('utf8'))?.[1]).join()
  }
  expect(await versionAt(`${repo}:v1.3.0_build.7`)).toBe('v1.3.0_build.7')
  expect(await versionAt(repo, 'v1.3.0+build.7')).toBe('v1.3.0_build.7')
  const { headers } = await fetch(`${open.url}/v2/pinned/hello/manifests/v1.3.0_build.7`)
  const digest = headers.get('docker-content-digest')
  expect(await versionAt(`${repo}@${digest}`)).toBe('v1.3.0_build.7')
  expect(await versionAt(`${repo}@${digest}`, 'v1.3.0+build.7')).toBe('v1.3.0_build.7')
})

test('what the registry does not have is an error that names it', async () => {
  await expect(pull(open, '9.9.9', plain)).rejects.toThrow(/hello 9\.9\.9 cannot be pulled/)
  await expect(pull(open, '9.9.9', plain)).rejects.toBeInstanceOf(ChartError)
})

test('credentials open the registry they are for, and do not show', async () => {
  const origin = `oci://${new URL(guarded.url).host}`
  expect(await pull(guarded, '1.0.0', { ...plain, credentials: { origin, ...user } })).toBe('1.0.0')
  const elsewhere = { ...plain, credentials: { origin: 'oci://other', ...user }, withheld: 'not for this one' }
  await expect(pull(guarded, '1.0.0', elsewhere)).rejects.toThrow(/credential not found: not for this one$/)
  const wrong = await pull(guarded, '1.0.0', { ...plain, credentials: { origin, username: 'reader', password: 'mistaken' } }).catch(String)
  expect(wrong).toMatch(/401|unauthorized/i)
  expect(wrong).not.toContain('mistaken')
})

test('a certificate needs its authority, or the consent to skip the check', async () => {
  await expect(pull(encrypted, '1.0.0', {})).rejects.toThrow(/x509: certificate .*: add the authority to cacerts of the secret$/)
  expect(await pull(encrypted, '1.0.0', { caBundle: encrypted.ca })).toBe('1.0.0')
  expect(await pull(encrypted, '1.0.0', { insecureSkipTLSVerify: true })).toBe('1.0.0')
})

test('a dependency comes from a registry', async () => {
  const fetch = downloader.session().dependencies(() => plain)
  const empty = { condition: '', tags: [], enabled: false, importValues: [], alias: '' }
  const repository = at(open).replace(/\/hello$/, '')
  const { version, archive } = await fetch({ name: 'hello', version: '^1', repository, ...empty }, never)
  expect([version, archive.name]).toEqual(['1.2.0', 'hello-1.2.0.tgz'])
})
