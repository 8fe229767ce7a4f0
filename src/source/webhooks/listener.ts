// The HTTP side of webhooks: small bodies, few connections, little time.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Clock } from '../../lib/controller/clock.ts'
import type { Logger } from '../../lib/controller/log.ts'
import type { Runnable } from '../../lib/controller/manager.ts'
import { untilAborted } from '../../lib/controller/parts.ts'
import type { Answer, AnswerWebhook } from './receiver.ts'

export interface ListenerOptions {
  readonly host: string | undefined
  readonly port: number
  readonly answer: AnswerWebhook
  readonly clock: Clock
  readonly log: Logger
  /** Called with the port once it listens; useful with port 0. */
  readonly onListening?: (port: number) => void
}

const LIMITS = { headersTimeout: 5_000, requestTimeout: 10_000, keepAliveTimeout: 5_000, maxHeaderSize: 16_384 }
const MAX_CONNECTIONS = 50
const MAX_BODY = 1 << 20
/** A sender waits no longer for an answer; what it asked for goes on. */
const ANSWER_MS = 10_000

class TooLargeError extends Error {
  override readonly name = 'TooLargeError'
}

/** Listens on every replica: a push reaches any of them. */
export function createWebhookListener({ host, port, answer, clock, log, onListening }: ListenerOptions): Runnable {
  const open = new Set<Promise<void>>()

  function serve(request: IncomingMessage, response: ServerResponse): void {
    const work = respond(request, response)
    open.add(work)
    void work.finally(() => open.delete(work))
  }

  /** Never throws. */
  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const about = { method: request.method ?? '', headers: request.headers, address: request.socket.remoteAddress ?? '' }
    const late = clock.setTimeout(() => send(response, { status: 503, body: 'this takes too long' }), ANSWER_MS)
    try {
      send(response, await answer(about, () => readBody(request)))
    } catch (error) {
      const isTooLarge = error instanceof TooLargeError
      if (!isTooLarge && !request.destroyed) log.error({ err: error }, 'webhook failed')
      send(response, isTooLarge ? { status: 413, body: 'the body is too large' } : { status: 500, body: 'Webhook processing failed' })
    } finally {
      clock.clearTimeout(late)
      request.resume()
    }
  }

  return {
    name: 'webhooks',
    everywhere: true,
    async run(signal) {
      const server = createServer(LIMITS, serve)
      server.maxConnections = MAX_CONNECTIONS
      await listen(server, host, port)
      const address = server.address()
      if (address !== null && typeof address === 'object') onListening?.(address.port)
      log.info({ address }, 'waiting for webhooks')
      try {
        await untilAborted(signal)
      } finally {
        const closed = new Promise<void>((resolve) => server.close(() => resolve()))
        server.closeIdleConnections()
        await Promise.all(open)
        server.closeAllConnections()
        await closed
      }
    },
  }
}

function listen(server: Server, host: string | undefined, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(new Error(`cannot listen on ${host ?? ''}:${port}: ${error.message}`, { cause: error })))
    server.listen(port, host, resolve)
  })
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  if (Number(request.headers['content-length'] ?? 0) > MAX_BODY) throw new TooLargeError('announced')
  const chunks: Buffer[] = []
  let size = 0
  // a destroyed request could not be answered any more
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > MAX_BODY) throw new TooLargeError('sent')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/** The connection ends with a refused body: nobody wants to read the rest of it. */
function send(response: ServerResponse, { status, body }: Answer): void {
  if (response.headersSent || response.destroyed) return
  response.writeHead(status, {
    'content-type': 'text/plain; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    ...(status === 413 ? { connection: 'close' } : {}),
    ...(status === 429 || status === 503 ? { 'retry-after': '10' } : {}),
  })
  response.end(body)
}
