import { createServer, request as forward, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type GitServer, startGitServer } from '../../testing/git-server.ts'
import { createDispatchers, type Dispatchers } from './dispatchers.ts'
import { createIsomorphicBackend } from './isomorphic.ts'
import type { GitProxy, GitRemote } from './types.ts'

const HOST = 'git.example'

describe('connections through a proxy', () => {
  let proxy: Server
  let address: string
  let seen: string[]
  let refuse = false
  let plain: GitServer
  let encrypted: GitServer
  let dispatchers: Dispatchers

  beforeAll(async () => {
    proxy = createServer(passOn)
    proxy.on('connect', (request: IncomingMessage, socket: Socket) => {
      socket.on('error', () => {}) // broken off by the other side
      seen.push(`CONNECT ${request.url} ${request.headers['proxy-authorization'] ?? ''}`.trim())
      if (refuse) return socket.end('HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n')
      const port = Number(request.url?.split(':')[1])
      const upstream = connect(port, '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n')
        upstream.pipe(socket).pipe(upstream)
      })
      upstream.on('error', () => socket.destroy())
      socket.on('error', () => upstream.destroy())
    })
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
    address = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`
    dispatchers = createDispatchers()
    ;[plain, encrypted] = await Promise.all([startGitServer(), startGitServer({ tls: true })])
  })
  afterAll(async () => {
    await dispatchers.close()
    proxy.close()
    proxy.closeAllConnections()
    await Promise.all([plain.stop(), encrypted.stop()])
  })
  beforeEach(() => {
    seen = []
    refuse = false
  })

  function passOn(request: IncomingMessage, response: ServerResponse): void {
    seen.push(`${request.method} ${request.url}`)
    const { method, headers } = request
    const upstream = forward((request.url ?? '').replace(HOST, '127.0.0.1'), { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(response)
    })
    upstream.on('error', () => response.destroy())
    request.pipe(upstream)
  }

  /** The address by which only the proxy finds the server: those on loopback are reached without one. */
  const byName = (url: string): string => url.replace('127.0.0.1', HOST)
  const resolve = (remote: GitRemote): Promise<string> =>
    createIsomorphicBackend(dispatchers).resolve(remote, { branch: 'master' }, new AbortController().signal)
  const via = (proxyUrl: string, none?: string): GitProxy => ({ http: proxyUrl, https: proxyUrl, none })

  test('go through a tunnel for https, with the certificate checked inside it', async () => {
    const git = await encrypted.repository('a')
    const remote = { url: byName(git.url), proxy: via(address), caBundle: encrypted.ca }
    expect(await resolve(remote)).toBe(await git.head())
    expect(new Set(seen)).toEqual(new Set([`CONNECT ${new URL(byName(git.url)).host}`]))
    await expect(resolve({ ...remote, caBundle: undefined })).rejects.toMatchObject({ kind: 'certificate' })
  })

  test('go through it for http too', async () => {
    const git = await plain.repository('b')
    expect(await resolve({ url: byName(git.url), proxy: via(address) })).toBe(await git.head())
    expect(seen.length).toBeGreaterThan(0)
  })

  test('carry the credentials of the proxy', async () => {
    const git = await encrypted.repository('c')
    await resolve({ url: byName(git.url), proxy: via(address.replace('//', '//me:secret@')), caBundle: encrypted.ca })
    expect(seen[0]).toContain(`Basic ${Buffer.from('me:secret').toString('base64')}`)
  })

  test('leave it out for the hosts that are excepted', async () => {
    const git = await encrypted.repository('d')
    await expect(resolve({ url: byName(git.url), proxy: via(address, 'example.invalid,git.example') })).rejects.toThrow(
      /host .* cannot be found/,
    )
    expect(await resolve({ url: git.url, proxy: via(address), caBundle: encrypted.ca })).toBe(await git.head())
    expect(seen).toEqual([])
  })

  test('tell of a proxy that refuses or is gone', async () => {
    const git = await encrypted.repository('e')
    refuse = true
    await expect(
      resolve({ url: byName(git.url), proxy: via(address.replace('127.0.0.1', 'localhost')), caBundle: encrypted.ca }),
    ).rejects.toMatchObject({
      kind: 'unreachable',
      message: expect.stringContaining('proxy refuses'),
    })
    await expect(resolve({ url: byName(git.url), proxy: via('http://127.0.0.1:1'), caBundle: encrypted.ca })).rejects.toMatchObject({
      kind: 'unreachable',
    })
  })
})

describe('pools of connections', () => {
  test('are one for each combination of settings, and not too many', async () => {
    const dispatchers = createDispatchers(2)
    const url = 'https://a.example'
    const first = dispatchers.for({ url }, url)
    expect(dispatchers.for({ url: 'https://b.example' }, 'https://b.example')).toBe(first)
    const second = dispatchers.for({ url, insecureSkipTLSVerify: true }, url)
    expect(second).not.toBe(first)
    expect(dispatchers.for({ url }, url)).toBe(first)
    const proxy = { https: 'proxy.example:3128' }
    expect(dispatchers.for({ url, proxy }, url)).not.toBe(first)
    expect(dispatchers.for({ url, proxy: { ...proxy, none: 'a.example' } }, url)).toBe(first)
    expect(dispatchers.for({ url, insecureSkipTLSVerify: true }, url)).not.toBe(second)
    await dispatchers.close()
  })
})
