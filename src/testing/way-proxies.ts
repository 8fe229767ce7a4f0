// Proxies on 127.0.0.1 that lead to whatever port they are asked for on this machine, whatever the host: names that nobody else can look up. They can be told to misbehave.
import { createServer as createHttp, request as forward, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createHttps } from 'node:https'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

/** `forgets`: what goes through is swallowed without a word from now on, as behind a gateway that has lost its table. */
export type ProxyMood = 'good' | 'hangs' | 'refuses' | 'wants credentials' | 'dies' | 'says nonsense' | 'forgets'

export interface WayProxy {
  readonly port: number
  mood: ProxyMood
  /** What it was asked for: `host:port`, or the address of an http request; with the user and password that came along in front, if any did. */
  readonly seen: string[]
  /** Ways that are open now. */
  readonly open: number
  /** Breaks all connections. New ones are accepted. */
  cut(): void
  stop(): Promise<void>
}

interface Ways {
  readonly proxy: Omit<WayProxy, 'port' | 'stop'>
  /** Leads a connection of a client to a port of this machine; `onOpen` is told before the first byte. */
  lead(client: Socket, port: number, onOpen: () => void): void
  track(socket: Socket): void
}

/** An http(s) proxy: CONNECT, and plain requests. */
export async function startConnectProxy(tls?: { readonly cert: string; readonly key: string }): Promise<WayProxy> {
  const ways = createWays()
  const { proxy } = ways
  const server = tls ? createHttps(tls, passOn) : createHttp(passOn)

  function passOn(request: IncomingMessage, response: ServerResponse): void {
    proxy.seen.push(request.url ?? '')
    const target = URL.canParse(request.url ?? '') ? new URL(request.url ?? '') : undefined
    if (!target) return void response.writeHead(400).end()
    target.hostname = '127.0.0.1'
    const { method, headers } = request
    const upstream = forward(target, { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(response)
    })
    upstream.on('error', () => response.destroy())
    request.pipe(upstream)
  }

  server.on('connect', (request: IncomingMessage, client: Socket) => {
    const [, base64 = ''] = (request.headers['proxy-authorization'] ?? '').split(' ')
    proxy.seen.push([Buffer.from(base64, 'base64').toString(), request.url].filter(Boolean).join('@'))
    client.on('error', () => {}) // the client goes away in the middle
    if (proxy.mood === 'hangs') return
    if (proxy.mood === 'dies') return void client.destroy()
    if (proxy.mood === 'says nonsense') return void client.end('I am no proxy\r\n\r\n')
    if (proxy.mood === 'refuses') return void client.end('HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n')
    if (proxy.mood === 'wants credentials')
      return void client.end('HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n')
    ways.lead(client, Number(/:(\d+)$/.exec(request.url ?? '')?.[1]), () => client.write('HTTP/1.1 200 OK\r\n\r\n'))
  })
  return listen(server, ways)
}

/** A SOCKS 5 proxy; with credentials it wants these and no others. */
export function startSocksProxy(credentials?: { readonly username: string; readonly password: string }): Promise<WayProxy> {
  const ways = createWays()
  const { proxy } = ways

  async function serve(client: Socket): Promise<void> {
    const [, count = 0] = await take(client, 2)
    const methods = await take(client, count)
    if (proxy.mood === 'hangs') return
    if (proxy.mood === 'dies') return void client.destroy()
    if (proxy.mood === 'says nonsense') return void client.end('I am no proxy\r\n\r\n')
    if (proxy.mood === 'wants credentials') return void client.end(Buffer.from([5, 0xff]))
    client.write(Buffer.from([5, credentials ? 2 : 0]))
    const shown = credentials && methods.includes(2) ? await readCredentials(client) : ''
    if (credentials) {
      const isRight = shown === `${credentials.username}:${credentials.password}`
      client.write(Buffer.from([1, isRight ? 0 : 1]))
      if (!isRight) return void client.end()
    }
    const target = await readTarget(client)
    proxy.seen.push([shown, target].filter(Boolean).join('@'))
    if (proxy.mood === 'refuses') return void client.end(Buffer.from([5, 2, 0, 1, 0, 0, 0, 0, 0, 0]))
    ways.lead(client, Number(/:(\d+)$/.exec(target)?.[1]), () => client.write(Buffer.from([5, 0, 0, 3, 1, 120, 0, 0])))
  }

  const server = createServer((client) => {
    client.on('error', () => {}) // as above
    serve(client).catch(() => client.destroy())
  })
  return listen(server, ways)
}

function createWays(): Ways {
  const sockets = new Set<Socket>()
  const ways = new Set<Socket>()
  const proxy = {
    mood: 'good' as ProxyMood,
    seen: [],
    get open() {
      return ways.size
    },
    cut() {
      for (const socket of sockets) socket.destroy()
    },
  }
  function track(socket: Socket): void {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => {}) // `close` follows
  }
  return {
    proxy,
    track,
    lead(client, port, onOpen) {
      const upstream = connect(port, '127.0.0.1', () => {
        onOpen()
        client.on('data', (chunk) => proxy.mood === 'forgets' || upstream.write(chunk))
        upstream.on('data', (chunk) => proxy.mood === 'forgets' || client.write(chunk))
      })
      track(upstream)
      ways.add(client)
      client.on('close', () => {
        ways.delete(client)
        upstream.destroy()
      })
      upstream.on('close', () => client.destroy())
    },
  }
}

async function listen(server: Server, { proxy, track }: Ways): Promise<WayProxy> {
  server.on('connection', track)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return Object.assign(proxy, {
    port,
    async stop() {
      const closed = new Promise((resolve) => server.close(resolve))
      proxy.cut()
      await closed
    },
  })
}

async function readCredentials(client: Socket): Promise<string> {
  const [, length = 0] = await take(client, 2)
  const username = (await take(client, length)).toString()
  const [rest = 0] = await take(client, 1)
  return `${username}:${(await take(client, rest)).toString()}`
}

async function readTarget(client: Socket): Promise<string> {
  const [, , , kind] = await take(client, 4)
  const host =
    kind === 3 ? (await take(client, (await take(client, 1))[0] ?? 0)).toString() : await readAddress(client, kind === 1 ? 4 : 16)
  return `${host}:${(await take(client, 2)).readUInt16BE()}`
}

async function readAddress(client: Socket, length: number): Promise<string> {
  const bytes = await take(client, length)
  return length === 4 ? bytes.join('.') : `[${bytes.toString('hex')}]`
}

async function take(client: Socket, count: number): Promise<Buffer> {
  for (;;) {
    const bytes = count === 0 ? Buffer.alloc(0) : (client.read(count) as Buffer | null)
    if (bytes?.length === count) return bytes
    if (bytes || client.readableEnded || client.destroyed) throw new Error('the client went away')
    await new Promise((resolve) => client.once('readable', resolve).once('end', resolve).once('close', resolve))
  }
}
