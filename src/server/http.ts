// The small HTTP servers of a program: probes for the kubelet, metrics for Prometheus. Both answer GET only and take no input.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What a path answers. */
export interface Answer {
  readonly status: number
  readonly body: string
  readonly contentType?: string
}

export interface RunningServer {
  /** the port that it listens on; useful when it was given port 0 */
  readonly port: number
  stop(): Promise<void>
}

interface ServerOptions {
  readonly host: string | undefined
  readonly port: number
  /** path → answer; anything else is 404 */
  readonly routes: Readonly<Record<string, () => Answer | Promise<Answer>>>
}

const LIMITS = { headersTimeout: 5_000, requestTimeout: 10_000, maxHeaderSize: 16_384 }

/** Starts a server; fails when the address is taken. A route that throws answers 500 without details. */
export function serve({ host, port, routes }: ServerOptions): Promise<RunningServer> {
  const server = createServer(LIMITS, (request, response) => void respond(request, response, routes))
  server.maxConnections = 100
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(new Error(`cannot listen on ${host ?? ''}:${port}: ${error.message}`, { cause: error })))
    server.listen(port, host, () => resolve({ port: (server.address() as AddressInfo).port, stop: () => stop(server) }))
  })
}

async function respond(request: IncomingMessage, response: ServerResponse, routes: ServerOptions['routes']): Promise<void> {
  request.resume()
  const path = (request.url ?? '/').split('?')[0] ?? '/'
  const { status, body, contentType } = await answer(request.method, Object.hasOwn(routes, path) ? routes[path] : undefined)
  response.writeHead(status, { 'content-type': contentType ?? 'text/plain; charset=utf-8', 'content-length': Buffer.byteLength(body) })
  response.end(request.method === 'HEAD' ? undefined : body)
}

async function answer(method: string | undefined, route: (() => Answer | Promise<Answer>) | undefined): Promise<Answer> {
  if (!route) return { status: 404, body: 'not found\n' }
  if (method !== 'GET' && method !== 'HEAD') return { status: 405, body: 'only GET is served here\n' }
  try {
    return await route()
  } catch {
    // what went wrong is nothing that an unauthenticated reader should see
    return { status: 500, body: 'internal error\n' }
  }
}

function stop(server: Server): Promise<void> {
  server.closeAllConnections()
  return new Promise((resolve) => server.close(() => resolve()))
}

/** Routes of the probes: alive as long as the process answers, ready when `waitingFor` names nothing. */
export function probeRoutes(waitingFor: () => readonly string[]): ServerOptions['routes'] {
  return {
    '/healthz': () => ({ status: 200, body: 'ok\n' }),
    '/readyz': () => {
      const waiting = waitingFor()
      return waiting.length === 0 ? { status: 200, body: 'ok\n' } : { status: 503, body: `waiting for ${waiting.join(', ')}\n` }
    },
  }
}
