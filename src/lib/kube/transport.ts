// HTTP to one API server: two pools of connections (requests, watches), time and size limits, credentials, retries.
import type { IncomingMessage } from 'node:http'
import { type Clock, sleep, systemClock } from '../controller/clock.ts'
import type { KubeConnection, TlsMaterial } from './connection.ts'
import { errorOf } from './decode.ts'
import { ApiError, ConnectionError } from './errors.ts'
import { createHttpPool, type HttpPool } from './http-pool.ts'
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

const MAX_ERROR_BYTES = 256 * 1024

interface Pools {
  readonly tls: TlsMaterial
  readonly requests: HttpPool
  readonly watches: HttpPool
}

/** The transport to the server of a connection. Nothing is opened before the first request. */
export function createTransport(connection: KubeConnection, options: TransportOptions = {}): Transport {
  const { clock = systemClock, random = Math.random, userAgent = 'fleet', maxResponseBytes = 256 * 2 ** 20 } = options
  const server = new URL(connection.server)
  const prefix = server.pathname.replace(/\/+$/, '')
  const running = new Set<AbortController>()
  let pools: Pools | undefined
  let closed = false

  function currentPools(): Pools {
    const tls = connection.tls()
    if (pools?.tls === tls) return pools
    pools?.requests.retire()
    pools?.watches.retire()
    const common = { server, tls, clock, proxy: connection.proxyUrl() }
    const requests = createHttpPool({ ...common, connections: options.connections ?? 16 })
    pools = { tls, requests, watches: createHttpPool({ ...common, connections: Number.POSITIVE_INFINITY }) }
    return pools
  }

  async function open(request: TransportRequest, pool: 'requests' | 'watches', signal: AbortSignal): Promise<IncomingMessage> {
    const credentials = await connection.authorize()
    if (closed) throw closedError()
    if (credentials['impersonate-user'] && request.headers?.['impersonate-user'])
      throw new Error('a connection that already acts as somebody cannot act as somebody else')
    const { method, query, body } = request
    const headers = { accept: 'application/json', 'user-agent': userAgent, ...credentials, ...request.headers }
    const path = `${prefix}${request.path}${queryText(query)}`
    try {
      return await currentPools()[pool].request({ method, path, headers, body, signal })
    } catch (error) {
      throw connectionError(error, signal)
    }
  }

  async function attempt(request: TransportRequest, signal: AbortSignal): Promise<TransportResponse> {
    const response = await open(request, 'requests', signal)
    const { statusCode: status = 0, headers } = response
    if (!isSuccess(response)) throw await refusal(response, `${request.method} ${request.path}`, signal)
    return { status, headers, body: await readBody(response, signal, maxResponseBytes) }
  }

  async function refusal(response: IncomingMessage, what: string, signal: AbortSignal): Promise<ApiError> {
    const bytes = await readBody(response, signal, MAX_ERROR_BYTES)
    return errorOf(response.statusCode ?? 0, bytes, what, retryAfterMs(response.headers['retry-after'], clock.now()))
  }

  // by events: iterating over each small answer costs more than all the rest
  function readBody(body: IncomingMessage, signal: AbortSignal, maxBytes: number): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const chunks: Buffer[] = []
      let size = 0
      body.on('data', (chunk: Buffer) => {
        size += chunk.length
        chunks.push(chunk)
        if (size > maxBytes) body.destroy(new ConnectionError(`the answer is larger than ${maxBytes} bytes`, 'TOO_LARGE'))
      })
      body.on('end', () => resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, size)))
      body.on('error', (error) => reject(connectionError(error, signal)))
      body.on('close', () => reject(connectionError(new Error('the connection was closed'), signal)))
    })
  }

  function connectionError(error: unknown, signal: AbortSignal): unknown {
    if (signal.aborted) return signal.reason
    const { code, message } = error as { code?: string; message?: string }
    if (code === 'TOO_LARGE') return error
    return new ConnectionError(`cannot reach the API server ${connection.server}: ${message || code}`, code ?? 'UNKNOWN', error)
  }

  function closedError(): ConnectionError {
    return new ConnectionError(`the client of ${connection.server} is closed`, 'CLOSED')
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

  /** A controller that is aborted with `outer` and by `close`, and a function that ends that. */
  function track(outer: AbortSignal | undefined): { controller: AbortController; end: () => void } {
    const controller = new AbortController()
    const unlink = linkSignal(outer, controller)
    running.add(controller)
    return {
      controller,
      end() {
        unlink()
        running.delete(controller)
      },
    }
  }

  async function* chunksOf(body: IncomingMessage, signal: AbortSignal, end: () => void): AsyncGenerator<Buffer, void, undefined> {
    try {
      yield* body as AsyncIterable<Buffer>
    } catch (error) {
      throw connectionError(error, signal)
    } finally {
      end()
    }
  }

  return {
    async request(request) {
      const timeoutMs = request.timeoutMs ?? options.timeoutMs ?? 60_000
      const { controller, end } = track(request.signal)
      const timer = clock.setTimeout(() => controller.abort(timeoutError(connection.server, request, timeoutMs)), timeoutMs)
      try {
        return await withRetries(request, controller.signal, clock.now() + timeoutMs)
      } finally {
        clock.clearTimeout(timer)
        end()
      }
    },
    async stream(request) {
      const { controller, end } = track(request.signal)
      try {
        const response = await open(request, 'watches', controller.signal)
        if (isSuccess(response)) return chunksOf(response, controller.signal, end)
        if (response.statusCode === 401) connection.expire()
        throw await refusal(response, `watch ${request.path}`, controller.signal)
      } catch (error) {
        end()
        throw error
      }
    },
    async close() {
      closed = true
      for (const controller of running) controller.abort(closedError())
      pools?.requests.destroy()
      pools?.watches.destroy()
    },
  }
}

function isSuccess({ statusCode = 0 }: IncomingMessage): boolean {
  return statusCode >= 200 && statusCode < 300
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
