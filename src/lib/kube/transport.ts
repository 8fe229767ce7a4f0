// HTTP to one API server: two pools of connections (requests, watches), time and size limits, credentials, retries.
import { Agent, type Dispatcher, ProxyAgent } from 'undici'
import { type Clock, sleep, systemClock } from '../controller/clock.ts'
import type { KubeConnection, TlsMaterial } from './connection.ts'
import { errorOf } from './decode.ts'
import { ApiError, ConnectionError } from './errors.ts'
import { retryAfterMs, retryDelayMs } from './retry.ts'

export type HttpMethod = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

export interface TransportRequest {
  method: HttpMethod
  /** Absolute path, below that of the server's URL. */
  path: string
  query?: Readonly<Record<string, string | undefined>>
  headers?: Readonly<Record<string, string | readonly string[]>>
  body?: string
  signal?: AbortSignal
  /** Limit of the whole call, waiting and retries included; 60 s. */
  timeoutMs?: number
}

export interface TransportResponse {
  status: number
  headers: Record<string, string | string[] | undefined>
  body: Buffer
}

export interface Transport {
  /** Resolves for 2xx; otherwise ApiError or ConnectionError. Retries what can be repeated without harm. */
  request(request: TransportRequest): Promise<TransportResponse>
  /** Opens a watch; no retries, no time limit after the headers. Leaving the iteration or aborting the signal ends the connection. */
  stream(request: TransportRequest): Promise<AsyncIterable<Buffer>>
  close(): Promise<void>
}

export interface TransportOptions {
  /** Sent as User-Agent. */
  userAgent?: string
  /** Connections for requests at the same time; 16. Watches have their own. */
  connections?: number
  /** Default time limit of a call; 60 s. */
  timeoutMs?: number
  /** Largest answer; 256 MiB. */
  maxResponseBytes?: number
  clock?: Clock
  /** A number in [0, 1), for jitter. */
  random?: () => number
}

const HEADERS_TIMEOUT_MS = 30_000
const BODY_TIMEOUT_MS = 60_000
const CONNECT_TIMEOUT_MS = 10_000
/** Shorter than the 90 s after which the API server hangs up, and than what load balancers usually allow. */
const KEEP_ALIVE_MS = 30_000
const MAX_ERROR_BYTES = 256 * 1024

interface Pools {
  readonly tls: TlsMaterial
  readonly requests: Dispatcher
  readonly watches: Dispatcher
}

/** The transport to the server of a connection. Nothing is opened before the first request. */
export function createTransport(connection: KubeConnection, options: TransportOptions = {}): Transport {
  const { clock = systemClock, random = Math.random, userAgent = 'fleet', maxResponseBytes = 256 * 2 ** 20 } = options
  const server = new URL(connection.server)
  const prefix = server.pathname.replace(/\/+$/, '')
  let pools: Pools | undefined
  let closed = false

  function currentPools(): Pools {
    const tls = connection.tls()
    if (pools?.tls === tls) return pools
    // the old ones finish what they carry
    void closePools(pools, 'close')
    pools = { tls, requests: createDispatcher(options.connections ?? 16), watches: createDispatcher(null) }
    return pools
  }

  function createDispatcher(connections: number | null): Dispatcher {
    const tls = { ...connection.tls(), timeout: CONNECT_TIMEOUT_MS }
    const common = {
      connections,
      allowH2: false,
      headersTimeout: HEADERS_TIMEOUT_MS,
      bodyTimeout: connections === null ? 0 : BODY_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      keepAliveMaxTimeout: KEEP_ALIVE_MS,
    }
    const proxy = connection.proxyUrl()
    return proxy ? new ProxyAgent({ ...common, uri: proxy, requestTls: tls }) : new Agent({ ...common, connect: tls })
  }

  async function open(request: TransportRequest, pool: 'requests' | 'watches', signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    if (closed) throw new ConnectionError(`the client of ${connection.server} is closed`, 'CLOSED')
    const credentials = await connection.authorize()
    if (credentials['impersonate-user'] && request.headers?.['impersonate-user'])
      throw new Error('a connection that already acts as somebody cannot act as somebody else')
    const { method, query, body } = request
    const headers = { accept: 'application/json', 'user-agent': userAgent, ...credentials, ...request.headers } as Record<
      string,
      string | string[]
    >
    const dispatcher = currentPools()[pool]
    try {
      const target = { origin: server.origin, path: `${prefix}${request.path}${queryText(query)}` }
      return await dispatcher.request({ ...target, method, headers, signal, body: body ?? null })
    } catch (error) {
      throw connectionError(error, signal)
    }
  }

  async function attempt(request: TransportRequest, signal: AbortSignal): Promise<TransportResponse> {
    const { statusCode: status, headers, body } = await open(request, 'requests', signal)
    const ok = status >= 200 && status < 300
    const bytes = await readBody(body, signal, ok ? maxResponseBytes : MAX_ERROR_BYTES)
    if (!ok) throw errorOf(status, bytes, `${request.method} ${request.path}`, retryAfterMs(headers['retry-after'], clock.now()))
    return { status, headers, body: bytes }
  }

  async function readBody(body: AsyncIterable<Buffer>, signal: AbortSignal, maxBytes: number): Promise<Buffer> {
    const chunks: Buffer[] = []
    let size = 0
    try {
      for await (const chunk of body) {
        size += chunk.length
        if (size > maxBytes) throw new ConnectionError(`an answer of ${connection.server} is larger than ${maxBytes} bytes`, 'TOO_LARGE')
        chunks.push(chunk)
      }
    } catch (error) {
      throw connectionError(error, signal)
    }
    return Buffer.concat(chunks, size)
  }

  function connectionError(error: unknown, signal: AbortSignal): unknown {
    if (signal.aborted) return signal.reason
    if (error instanceof ConnectionError) return error
    const { code, message } = error as { code?: string; message?: string }
    return new ConnectionError(`cannot reach the API server ${connection.server}: ${message || code}`, code ?? 'UNKNOWN', error)
  }

  async function withRetries(request: TransportRequest, signal: AbortSignal, deadline: number): Promise<TransportResponse> {
    for (let attempts = 1; ; attempts++) {
      try {
        return await attempt(request, signal)
      } catch (error) {
        if (signal.aborted) throw error
        const delay = isFirst401(error, attempts) ? refreshDelayMs() : retryDelayMs(error, { method: request.method, attempts, random })
        if (delay === undefined || clock.now() + delay >= deadline) throw error
        await sleep(clock, delay, signal)
      }
    }
  }

  /** After a 401: at once if there are credentials to be read again, never if they cannot change. */
  function refreshDelayMs(): number | undefined {
    return connection.expire() ? 0 : undefined
  }

  return {
    async request(request) {
      const timeoutMs = request.timeoutMs ?? options.timeoutMs ?? 60_000
      const limit = new AbortController()
      const timer = clock.setTimeout(() => limit.abort(timeoutError(connection.server, request, timeoutMs)), timeoutMs)
      const unlink = linkSignal(request.signal, limit)
      try {
        return await withRetries(request, limit.signal, clock.now() + timeoutMs)
      } finally {
        clock.clearTimeout(timer)
        unlink()
      }
    },
    async stream(request) {
      const signal = request.signal ?? new AbortController().signal
      const { statusCode: status, headers, body } = await open(request, 'watches', signal)
      if (status >= 200 && status < 300) return translateErrors(body, (error) => connectionError(error, signal))
      const bytes = await readBody(body, signal, MAX_ERROR_BYTES)
      if (status === 401) connection.expire()
      throw errorOf(status, bytes, `watch ${request.path}`, retryAfterMs(headers['retry-after'], clock.now()))
    },
    async close() {
      closed = true
      await closePools(pools, 'destroy')
    },
  }
}

async function closePools(pools: Pools | undefined, how: 'close' | 'destroy'): Promise<void> {
  await Promise.all([pools?.requests[how](), pools?.watches[how]()])
}

async function* translateErrors(
  body: AsyncIterable<Buffer>,
  translate: (error: unknown) => unknown,
): AsyncGenerator<Buffer, void, undefined> {
  try {
    yield* body
  } catch (error) {
    throw translate(error)
  }
}

function isFirst401(error: unknown, attempts: number): boolean {
  return attempts === 1 && error instanceof ApiError && error.status === 401
}

function timeoutError(server: string, { method, path }: TransportRequest, timeoutMs: number): ConnectionError {
  return new ConnectionError(`${server} did not answer ${method} ${path} within ${timeoutMs / 1_000} s`, 'TIMEOUT')
}

/** Aborts `target` with `source`; the returned function ends the link, so that long-lived signals collect no listeners. */
function linkSignal(source: AbortSignal | undefined, target: AbortController): () => void {
  if (!source) return () => {}
  const onAbort = (): void => target.abort(source.reason)
  if (source.aborted) onAbort()
  source.addEventListener('abort', onAbort, { once: true })
  return () => source.removeEventListener('abort', onAbort)
}

function queryText(query: TransportRequest['query']): string {
  const parameters = new URLSearchParams()
  for (const [key, value] of Object.entries(query ?? {})) {
    if (value !== undefined && value !== '') parameters.append(key, value)
  }
  const text = parameters.toString()
  return text && `?${text}`
}
