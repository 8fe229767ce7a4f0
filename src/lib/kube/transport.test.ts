import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { createSelfSigned } from '../../testing/self-signed.ts'
import { loadConnection } from './connection.ts'
import type { Headers } from './credentials.ts'
import { createTransport, type Transport, type TransportOptions } from './transport.ts'

const ending: (() => unknown)[] = []

afterEach(async () => {
  for (const end of ending.splice(0).reverse()) await end()
})

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  ending.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

async function serve(answer: RequestListener): Promise<string> {
  return `http://127.0.0.1:${await listen(createServer(answer))}`
}

function kubeconfig(cluster: object, user: object = {}): string {
  return JSON.stringify({
    contexts: [{ name: 'x', context: { cluster: 'x', user: 'x' } }],
    clusters: [{ name: 'x', cluster }],
    users: [{ name: 'x', user }],
  })
}

async function transportTo(cluster: object, options: TransportOptions = {}, user: object = {}): Promise<Transport> {
  const transport = createTransport(await loadConnection({ kubeconfigText: kubeconfig(cluster, user) }), options)
  ending.push(() => transport.close())
  return transport
}

describe('a request', () => {
  test('goes below the path of the server, with query, headers and body', async () => {
    const server = await serve((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () =>
        response.end(JSON.stringify({ url: request.url, headers: request.headers, body: Buffer.concat(chunks).toString() })),
      )
    })
    const transport = await transportTo({ server: `${server}/k8s/clusters/c-1` }, { userAgent: 'fleet/1' }, { token: 'tok' })
    const { body } = await transport.request({
      method: 'POST',
      path: '/api',
      query: { a: 'b c', none: undefined },
      headers: { x: 'y' },
      body: 'ü',
    })
    const seen = JSON.parse(body.toString())
    expect(seen).toMatchObject({ url: '/k8s/clusters/c-1/api?a=b+c', body: 'ü' })
    expect(seen.headers).toMatchObject({ authorization: 'Bearer tok', 'user-agent': 'fleet/1', x: 'y', accept: 'application/json' })
  })

  test('uses no more connections than allowed', async () => {
    let left = 4 * 16
    let most = 0
    const sockets = new Set<Socket>()
    const waiting: ServerResponse[] = []
    const server = await serve((request, response) => {
      sockets.add(request.socket)
      waiting.push(response)
      left--
      if (waiting.length < 16) return
      // time for one more than there may be
      setTimeout(() => {
        most = Math.max(most, waiting.length)
        for (const each of waiting.splice(0)) each.end('{}')
      }, 20)
    })
    const transport = await transportTo({ server })
    await Promise.all(Array.from({ length: left }, () => transport.request({ method: 'GET', path: '/' })))
    expect([sockets.size, most, left]).toEqual([16, 16, 0])
  })

  test('ends at its time limit, before and after the headers', async () => {
    const server = await serve((request, response) => {
      if (request.url === '/half') response.write('{')
    })
    const transport = await transportTo({ server })
    for (const path of ['/none', '/half']) {
      await expect(transport.request({ method: 'GET', path, timeoutMs: 100 })).rejects.toMatchObject({
        code: 'TIMEOUT',
        message: `${server} did not answer GET ${path} within 0.1 s`,
      })
    }
  })

  test('refuses answers that are too large', async () => {
    const server = await serve((_, response) => response.end('x'.repeat(2_000)))
    const transport = await transportTo({ server }, { maxResponseBytes: 1_000 })
    await expect(transport.request({ method: 'GET', path: '/' })).rejects.toMatchObject({ code: 'TOO_LARGE' })
  })

  test('says that the server cannot be reached', async () => {
    const transport = await transportTo({ server: 'http://127.0.0.1:1' })
    await expect(transport.request({ method: 'POST', path: '/' })).rejects.toMatchObject({
      name: 'ConnectionError',
      code: 'ECONNREFUSED',
      message: expect.stringContaining('cannot reach the API server http://127.0.0.1:1'),
    })
    await transport.close()
    await expect(transport.request({ method: 'GET', path: '/' })).rejects.toMatchObject({ code: 'CLOSED' })
  })
})

describe('TLS', () => {
  const tls = createSelfSigned()
  const data = (pem: string): string => Buffer.from(pem).toString('base64')

  async function serveTls(answer: RequestListener): Promise<string> {
    return `https://127.0.0.1:${await listen(createTlsServer({ key: tls.key, cert: tls.cert }, answer))}`
  }

  test('is verified with the CA of the cluster, for the name that is given', async () => {
    const server = await serveTls((_, response) => response.end('{}'))
    const ca = { 'certificate-authority-data': data(tls.cert) }
    const get = async (cluster: object): Promise<unknown> => {
      const transport = await transportTo({ server, ...cluster })
      return transport.request({ method: 'GET', path: '/' }).then(
        () => 'ok',
        (error: { code: string }) => error.code,
      )
    }
    expect(await get(ca)).toBe('ok')
    expect(await get({ ...ca, 'tls-server-name': 'localhost' })).toBe('ok')
    expect(await get({ ...ca, 'tls-server-name': 'other' })).toBe('ERR_TLS_CERT_ALTNAME_INVALID')
    expect(await get({})).toBe('DEPTH_ZERO_SELF_SIGNED_CERT')
    expect(await get({ 'certificate-authority-data': data(createSelfSigned().cert) })).toBe('DEPTH_ZERO_SELF_SIGNED_CERT')
    expect(await get({ 'insecure-skip-tls-verify': true })).toBe('ok')
  })

  test('goes through a proxy without being opened there', async () => {
    const server = await serveTls((_, response) => response.end('{"through":"proxy"}'))
    const asked: string[] = []
    const proxy = createServer()
    proxy.on('connect', (request, socket: Socket) => {
      asked.push(request.url ?? '')
      const target = connect(Number(new URL(server).port), '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n')
        target.pipe(socket).pipe(target)
      })
      for (const end of [socket, target]) end.on('error', () => {})
    })
    const url = `http://127.0.0.1:${await listen(proxy)}`
    const transport = await transportTo({ server, 'certificate-authority-data': data(tls.cert), 'proxy-url': url })
    const { body } = await transport.request({ method: 'GET', path: '/' })
    expect(body.toString()).toBe('{"through":"proxy"}')
    expect(asked).toEqual([new URL(server).host])
  })
})

describe('credentials that are refused', () => {
  test('are read again once', async () => {
    const tokens: unknown[] = []
    const server = await serve((request, response) => {
      tokens.push(request.headers.authorization)
      response.writeHead(request.headers.authorization === 'Bearer new' ? 200 : 401).end('{}')
    })
    const connection = await loadConnection({ kubeconfigText: kubeconfig({ server }) })
    let token = 'old'
    const changing = {
      ...{
        server,
        namespace: 'x',
        tls: () => connection.tls(),
        proxyUrl: () => undefined,
        toKubeconfig: () => '',
        impersonate: () => connection,
      },
      authorize: async (): Promise<Headers> => ({ authorization: `Bearer ${token}` }),
      expire: () => {
        token = token === 'old' ? 'new' : 'worse'
        return true
      },
    }
    const transport = createTransport(changing)
    ending.push(() => transport.close())
    expect((await transport.request({ method: 'DELETE', path: '/' })).status).toBe(200)
    expect(tokens).toEqual(['Bearer old', 'Bearer new'])
    token = 'bad'
    await expect(transport.request({ method: 'GET', path: '/' })).rejects.toMatchObject({ status: 401, reason: 'Unauthorized' })
    expect(tokens).toHaveLength(4)
  })
})

describe('a watch', () => {
  test('does not wait for connections of requests, and ends when it is left', async () => {
    let open = 0
    const server = await serve((request, response) => {
      open++
      request.socket.on('close', () => open--)
      response.write('{}\n')
    })
    const transport = await transportTo({ server }, { connections: 1 })
    const streams = await Promise.all(Array.from({ length: 20 }, () => transport.stream({ method: 'GET', path: '/' })))
    for (const stream of streams) {
      for await (const chunk of stream) {
        expect(chunk.toString()).toBe('{}\n')
        break
      }
    }
    await expect.poll(() => open, { timeout: 15_000 }).toBe(0)
  })

  test('fails with the error of the server, or of the connection', async () => {
    const server = await serve((request, response) => {
      if (request.url === '/gone') response.writeHead(410).end()
      else response.write('{}\n', () => setTimeout(() => response.destroy(), 20))
    })
    const transport = await transportTo({ server })
    await expect(transport.stream({ method: 'GET', path: '/gone' })).rejects.toMatchObject({ status: 410 })
    const reading = (async () => {
      for await (const _ of await transport.stream({ method: 'GET', path: '/cut' }));
    })()
    await expect(reading).rejects.toMatchObject({ name: 'ConnectionError' })
  })
})
