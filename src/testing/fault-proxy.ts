// Stands between a program and an API server, and breaks things on command. Ends TLS with a certificate of its own and passes bearer tokens on.
import {
  type ClientRequest,
  createServer as createHttpServer,
  request as httpRequest,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http'
import { Agent, createServer as createHttpsServer, request as httpsRequest } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { createSelfSigned } from './self-signed.ts'

export interface FaultProxyOptions {
  readonly target: { readonly url: string; readonly ca?: string; readonly token?: string }
  /** Asked before each request is passed on. False: it never is, and nobody answers it. Otherwise called when it has been answered or given up. */
  readonly gate?: (request: SeenRequest) => false | (() => void)
}

/** A request as rules see it. */
export interface SeenRequest {
  readonly method: string
  /** With query. */
  readonly path: string
  readonly watch: boolean
}

export interface FailRule {
  /** Which requests; all when unset. */
  readonly match?: (request: SeenRequest) => boolean
  readonly status: number
  /** How many requests fail; 1. Infinity: until `resume`. */
  readonly count?: number
  /** Seconds in the Retry-After header. */
  readonly retryAfter?: number
}

export interface FaultProxy {
  readonly url: string
  /** PEM. */
  readonly ca: string
  /** Text of a kubeconfig with the token of the target. */
  readonly kubeconfig: string
  /** Requests since the start or the last `forget`, at most 10,000. */
  readonly seen: readonly SeenRequest[]
  /** Watches that are open now. */
  readonly watches: number
  forget(): void
  /** Breaks all connections. New ones are accepted. */
  cut(): void
  /** From now on each request waits before it is passed on. */
  delay(ms: number): void
  /** Open and new watches get no more bytes. */
  stallWatches(): void
  /** The next requests that match are refused. The API server never sees them. */
  fail(rule: FailRule): void
  /** All open watches are told that their resource version is too old, and end. */
  expireWatches(): void
  /** What each open watch sends next is cut in the middle, with its connection. */
  halfWrite(): void
  /** Ends the delay, the stall and all rules. */
  resume(): void
  stop(): Promise<void>
}

interface OpenWatch {
  readonly response: ServerResponse
  readonly upstream: IncomingMessage
  half: boolean
}

interface Rule extends FailRule {
  left: number
}

const MAX_SEEN = 10_000
/** As an API server does it: a program that is busy for a while finds its connections as it left them. */
const KEEP_ALIVE_MS = 120_000
const EXPIRED = { kind: 'Status', apiVersion: 'v1', status: 'Failure', reason: 'Expired', code: 410, message: 'too old resource version' }

/** A proxy on a free port of 127.0.0.1; plain HTTP when the target is. */
export async function startFaultProxy({ target, gate }: FaultProxyOptions): Promise<FaultProxy> {
  const upstream = new URL(target.url)
  const secure = upstream.protocol === 'https:'
  const agent = secure ? new Agent({ keepAlive: true, ...(target.ca ? { ca: target.ca } : {}) }) : undefined
  const tls = createSelfSigned('fault proxy')
  const sockets = new Set<Socket>()
  /** With those whose TLS handshake is not over. */
  const connections = new Set<Socket>()
  const watches = new Set<OpenWatch>()
  let seen: SeenRequest[] = []
  let rules: Rule[] = []
  let delayMs = 0
  let stalled = false

  const server = secure ? createHttpsServer({ cert: tls.cert, key: tls.key }, onRequest) : createHttpServer(onRequest)
  server.on(secure ? 'secureConnection' : 'connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => {}) // cut on purpose
  })
  server.on('connection', (socket: Socket) => {
    connections.add(socket)
    socket.on('close', () => connections.delete(socket))
  })

  function onRequest(incoming: IncomingMessage, response: ServerResponse): void {
    response.on('error', () => {}) // cut on purpose
    const path = incoming.url ?? '/'
    const request: SeenRequest = { method: incoming.method ?? 'GET', path, watch: /[?&]watch=(?:true|1)(?:&|$)/.test(path) }
    if (seen.length < MAX_SEEN) seen.push(request)
    const rule = rules.find((candidate) => candidate.left > 0 && (candidate.match?.(request) ?? true))
    if (rule) {
      rule.left--
      refuse(incoming, response, rule)
    } else if (delayMs > 0) setTimeout(() => forward(incoming, response, request), delayMs).unref()
    else forward(incoming, response, request)
  }

  function refuse(incoming: IncomingMessage, response: ServerResponse, { status, retryAfter }: Rule): void {
    incoming.resume()
    const body = {
      kind: 'Status',
      apiVersion: 'v1',
      status: 'Failure',
      code: status,
      reason: REASONS[status] ?? '',
      message: `refused by the fault proxy with ${status}`,
    }
    const wait = retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) }
    response.writeHead(status, { 'content-type': 'application/json', ...wait }).end(JSON.stringify(body))
  }

  function forward(incoming: IncomingMessage, response: ServerResponse, request: SeenRequest): void {
    if (response.destroyed) return // cut while it was delayed
    const passed = gate?.(request)
    if (passed === false) return void incoming.resume()
    if (passed) response.on('close', passed)
    const headers = { ...incoming.headers, host: upstream.host }
    const options = {
      method: request.method,
      path: `${upstream.pathname.replace(/\/$/, '')}${request.path}`,
      host: upstream.hostname,
      port: upstream.port,
      headers,
    }
    const outgoing: ClientRequest = agent ? httpsRequest({ ...options, agent }) : httpRequest(options)
    outgoing.on('error', () => response.destroy())
    response.on('close', () => outgoing.destroy())
    outgoing.on('response', (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.on('error', () => response.destroy())
      if (request.watch && answer.statusCode === 200) pipeWatch(answer, response)
      else answer.pipe(response)
    })
    incoming.on('error', () => outgoing.destroy())
    incoming.pipe(outgoing)
  }

  function pipeWatch(answer: IncomingMessage, response: ServerResponse): void {
    const watch: OpenWatch = { response, upstream: answer, half: false }
    watches.add(watch)
    response.flushHeaders()
    response.on('close', () => watches.delete(watch))
    answer.on('data', (chunk: Buffer) => {
      if (!watch.half) return void response.write(chunk)
      response.write(chunk.subarray(0, chunk.length >> 1), () => response.destroy())
    })
    answer.on('end', () => response.end())
    if (stalled) answer.pause()
  }

  server.keepAliveTimeout = KEEP_ALIVE_MS
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `${secure ? 'https' : 'http'}://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url,
    ca: secure ? tls.cert : '',
    kubeconfig: kubeconfigText(url, secure ? tls.cert : '', target.token ?? ''),
    get seen() {
      return seen
    },
    get watches() {
      return watches.size
    },
    forget() {
      seen = []
    },
    cut() {
      for (const socket of sockets) socket.destroy()
    },
    delay(ms) {
      delayMs = ms
    },
    stallWatches() {
      stalled = true
      for (const watch of watches) watch.upstream.pause()
    },
    fail(rule) {
      rules.push({ ...rule, left: rule.count ?? 1 })
    },
    expireWatches() {
      for (const { response, upstream: answer } of watches) {
        answer.pause()
        response.end(`${JSON.stringify({ type: 'ERROR', object: EXPIRED })}\n`)
      }
    },
    halfWrite() {
      for (const watch of watches) watch.half = true
    },
    resume() {
      rules = []
      delayMs = 0
      stalled = false
      for (const watch of watches) watch.upstream.resume()
    },
    async stop() {
      for (const socket of [...sockets, ...connections]) socket.destroy()
      agent?.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const REASONS: Readonly<Record<number, string>> = {
  401: 'Unauthorized',
  403: 'Forbidden',
  409: 'Conflict',
  410: 'Expired',
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'ServiceUnavailable',
}

function kubeconfigText(server: string, ca: string, token: string): string {
  const name = 'fault-proxy'
  const cluster = { server, ...(ca ? { 'certificate-authority-data': Buffer.from(ca).toString('base64') } : {}) }
  return `${JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': name,
    clusters: [{ name, cluster }],
    users: [{ name, user: token ? { token } : {} }],
    contexts: [{ name, context: { cluster: name, user: name } }],
  })}\n`
}
