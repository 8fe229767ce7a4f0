// Stands between a program with its child processes and an API server, and lets a test decide about each request by all that is known of it.

import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import { Agent, createServer, request as httpsRequest } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { SeenRequest } from './fault-proxy.ts'
import type { LocalCertificate } from './local-certificate.ts'

export interface Call extends SeenRequest {
  readonly headers: IncomingHttpHeaders
}

/** What happens instead: the API server refuses, the connection breaks before the request got there, or after it did. */
export type Mishap = 409 | 429 | 500 | 'no connection' | 'no answer'

/** hold: nobody ever answers. A function: passed on, and called when it was answered or given up. */
export type Verdict = 'pass' | 'hold' | Mishap | (() => void)

export interface CallProxyOptions {
  readonly target: { readonly url: string; readonly ca: string }
  readonly certificate: LocalCertificate
  judge(call: Call): Verdict
}

export interface CallProxy {
  readonly url: string
  /** PEM */
  readonly ca: string
  stop(): Promise<void>
}

/** As an API server does it: a program that is busy for a while finds its connections as it left them. */
const KEEP_ALIVE_MS = 120_000
const REASONS = { 409: 'Conflict', 429: 'TooManyRequests', 500: 'InternalError' } as const

/** A proxy on a free port of 127.0.0.1. */
export async function startCallProxy({ target, certificate, judge }: CallProxyOptions): Promise<CallProxy> {
  const upstream = new URL(target.url)
  const agent = new Agent({ keepAlive: true, ca: target.ca })
  const server = createServer({ cert: certificate.cert, key: certificate.key }, (incoming, response) => {
    response.on('error', () => {}) // broken on purpose
    const { method = 'GET', url: path = '/', headers } = incoming
    const verdict = judge({ method, path, headers, watch: /[?&]watch=(?:true|1)(?:&|$)/.test(path) })
    if (typeof verdict === 'function') response.on('close', verdict)
    if (typeof verdict === 'function' || verdict === 'pass' || verdict === 'no answer') forward(incoming, response, verdict === 'no answer')
    else if (verdict === 'no connection') response.destroy()
    else {
      incoming.resume()
      if (verdict !== 'hold') refuse(response, verdict)
    }
  })

  function forward(incoming: IncomingMessage, response: ServerResponse, losesAnswer: boolean): void {
    const { method, url: path, headers } = incoming
    const outgoing = httpsRequest({
      method,
      path,
      host: upstream.hostname,
      port: upstream.port,
      headers: { ...headers, host: upstream.host },
      agent,
    })
    outgoing.on('error', () => response.destroy())
    outgoing.on('response', (answer) => {
      answer.on('error', () => response.destroy())
      if (losesAnswer) return void answer.resume().on('end', () => response.destroy())
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      response.flushHeaders()
      answer.pipe(response)
    })
    response.on('close', () => outgoing.destroy())
    incoming.on('error', () => outgoing.destroy())
    incoming.pipe(outgoing)
  }

  server.keepAliveTimeout = KEEP_ALIVE_MS
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    ca: certificate.ca,
    async stop() {
      server.closeAllConnections()
      agent.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function refuse(response: ServerResponse, code: keyof typeof REASONS): void {
  const status = {
    kind: 'Status',
    apiVersion: 'v1',
    status: 'Failure',
    code,
    reason: REASONS[code],
    message: `no luck today: ${REASONS[code]}`,
  }
  const wait = code === 429 ? { 'retry-after': '1' } : {}
  response.writeHead(code, { 'content-type': 'application/json', ...wait }).end(JSON.stringify(status))
}
