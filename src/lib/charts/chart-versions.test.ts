import type { IncomingMessage, ServerResponse } from 'node:http'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type ChartServer, startChartServer } from '../../testing/chart-server.ts'
import { TerminalError } from '../controller/errors.ts'
import { type ChartVersions, createChartVersions } from './chart-versions.ts'
import { ChartError } from './errors.ts'

const USER = { username: 'me', password: 'secret' }
const signal = new AbortController().signal
let server: ChartServer
let guarded: ChartServer
let encrypted: ChartServer
let versions: ChartVersions

beforeAll(async () => {
  server = await startChartServer()
  guarded = await startChartServer({ auth: USER })
  encrypted = await startChartServer({ tls: true })
  versions = createChartVersions()
})
afterAll(async () => {
  await versions.close()
  await Promise.all([server.stop(), guarded.stop(), encrypted.stop()])
})

const INDEX = (list: string[]): string =>
  `apiVersion: v1\nentries:\n  a:\n${list.map((version) => `  - version: ${version}\n    urls: [a-${version}.tgz]\n`).join('')}`

describe('the index of a repository', () => {
  test('tells the versions of all charts that are asked for', async () => {
    for (const version of ['1.0.0', '1.1.0']) await server.publish('many', 'a', version)
    await server.publish('many', 'b', '2.0.0')
    const found = await versions.list(server.repository('many'), ['a', 'b', 'missing'], {}, signal)
    expect(Object.fromEntries(found)).toEqual({ a: ['1.1.0', '1.0.0'], b: ['2.0.0'] })
    expect(server.seen.filter(({ path }) => path.startsWith('/many/'))).toHaveLength(1)
  })

  test('is not sent again while it is the same', async () => {
    const current = { mark: '"1"', list: ['1.0.0'] }
    const sent: number[] = []
    server.handle('/marked/index.yaml', (request: IncomingMessage, response: ServerResponse) => {
      const isKnown = request.headers['if-none-match'] === current.mark
      sent.push(isKnown ? 304 : 200)
      response.writeHead(isKnown ? 304 : 200, { etag: current.mark }).end(isKnown ? '' : INDEX(current.list))
    })
    const list = async (...charts: string[]) => (await versions.list(server.repository('marked'), charts, {}, signal)).get('a')
    expect(await list('a')).toEqual(['1.0.0'])
    expect(await list('a')).toEqual(['1.0.0'])
    expect(await list('a', 'b')).toEqual(['1.0.0']) // nothing is known of b yet
    Object.assign(current, { mark: '"2"', list: ['1.0.0', '1.1.0'] })
    expect(await list('a')).toEqual(['1.0.0', '1.1.0'])
    expect(sent).toEqual([200, 304, 200, 200])
  })

  test('does not offer what it has no address for', async () => {
    const index =
      'apiVersion: v1\nentries:\n  a:\n  - version: 2.0.0\n  - version: 1.0.0\n    urls: [a.tgz]\n  b:\n  - version: 1.0.0\n    urls: []\n  c: []\n'
    server.handle('/lost/index.yaml', (_request, response) => void response.end(index))
    const found = await versions.list(server.repository('lost'), ['a', 'b', 'c'], {}, signal)
    expect(Object.fromEntries(found)).toEqual({ a: ['1.0.0'], b: [] })
  })

  test('that cannot be had is an error that says why', async () => {
    const list = (repo: string) => versions.list(repo, ['a'], {}, signal)
    await expect(list(server.repository('nowhere'))).rejects.toThrow(/error code 404/)
    await expect(list(server.repository('nowhere'))).rejects.toBeInstanceOf(ChartError)
    await expect(list('ftp://x.example')).rejects.toBeInstanceOf(TerminalError)
    server.handle('/unasked/index.yaml', (_request, response) => void response.writeHead(304).end())
    await expect(list(server.repository('unasked'))).rejects.toThrow(/304/)
  })

  test('of a private repository needs the login of its origin', async () => {
    await guarded.publish('own', 'a', '1.0.0')
    const repo = guarded.repository('own')
    const credentials = { ...USER, origin: new URL(repo).origin }
    expect((await versions.list(repo, ['a'], { credentials }, signal)).get('a')).toEqual(['1.0.0'])
    await expect(versions.list(repo, ['a'], { credentials: { ...credentials, origin: 'https://other.example' } }, signal)).rejects.toThrow(
      /401/,
    )
    await expect(versions.list(repo, ['a'], {}, signal)).rejects.toThrow(/401/)
  })
})

describe('a registry', () => {
  test('tells versions by its tags', async () => {
    const repo = await server.push('oci', 'a', '1.0.0')
    await server.push('oci', 'a', '1.1.0_build.1')
    expect(Object.fromEntries(await versions.list(repo, [''], { plainHttp: true }, signal))).toEqual({ '': ['1.0.0', '1.1.0+build.1'] })
    expect(await versions.list(repo.replace('/oci/a', '/oci/none'), [''], { plainHttp: true }, signal)).toEqual(new Map())
  })

  test('with a certificate that nobody knows is an error that says where to put the authority', async () => {
    const repo = await encrypted.push('oci', 'a', '1.0.0')
    await expect(versions.list(repo, [''], {}, signal)).rejects.toThrow(
      /unknown authority .*: give its certificate \(as cacerts in the secret\)$/,
    )
    expect((await versions.list(repo, [''], { caBundle: encrypted.ca }, signal)).get('')).toEqual(['1.0.0'])
  })

  test('that cannot be reached is an error that says why', async () => {
    await expect(versions.list('oci://127.0.0.1:1/a', [''], { plainHttp: true }, signal)).rejects.toBeInstanceOf(ChartError)
    await expect(versions.list('oci://BAD HOST/a', [''], {}, signal)).rejects.toBeInstanceOf(TerminalError)
  })
})
