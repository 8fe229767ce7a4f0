// The transport of the git library over http(s): credentials only for their origin, few redirects, and a limit on everything.
import type { Dispatcher } from 'undici'
import { StatusError, toGitError } from './error-table.ts'
import { GitError } from './errors.ts'
import type { HttpCredentials } from './types.ts'
import { redactUrl } from './url.ts'

/** A request of the git library. */
export interface TransportRequest {
  readonly url: string
  readonly method?: string | undefined
  readonly headers?: Readonly<Record<string, string>> | undefined
  readonly body?: Iterable<Uint8Array> | AsyncIterable<Uint8Array> | undefined
}

/** The answer as the git library wants it. */
export interface TransportResponse {
  readonly url: string
  readonly method: string
  readonly statusCode: number
  readonly statusMessage: string
  readonly headers: Record<string, string>
  readonly body: AsyncIterableIterator<Uint8Array>
}

export interface TransportOptions {
  /** The repository, without credentials. */
  readonly url: string
  readonly origin: string
  readonly credentials?: HttpCredentials | undefined
  /** The connections for an address. */
  readonly dispatcherFor: (target: string) => Dispatcher
  /** Longest wait for headers, and for each further piece of the body, in milliseconds. */
  readonly idleMs: number
  /** Bytes of one answer. */
  readonly maxBytes: number
  readonly signal: AbortSignal
}

/** Sends requests; a status other than 200 is an error. */
export interface Transport {
  request(request: TransportRequest): Promise<TransportResponse>
}

const MAX_REDIRECTS = 5
const REDIRECTS = new Set([301, 302, 303, 307, 308])
const USER_AGENT = 'git/fleet'
const MAX_RETRY_AFTER_MS = 3_600_000

/**
 * A transport for one job on one repository. When the first question is redirected, later requests go to where it led, as git does it
 * (http.followRedirects=initial); what is sent to another origin carries no credentials, and nothing goes from https to http.
 */
export function createTransport(options: TransportOptions): Transport {
  let base = options.url

  async function request({ url, method = 'GET', headers = {}, body }: TransportRequest): Promise<TransportResponse> {
    const suffix = url.startsWith(options.url) ? url.slice(options.url.length) : undefined
    if (suffix === undefined) throw new Error('the git library left the repository')
    const bytes = body === undefined ? undefined : await collect(body)
    let target = new URL(`${base}${suffix}`)
    for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
      const answer = await send(target, method, headers, bytes)
      if (!REDIRECTS.has(answer.statusCode)) return finish(answer, target, method, suffix)
      target = redirected(target, answer, method)
    }
    throw new GitError('protocol', `the server of ${redactUrl(options.url)} sends us from one address to the next; correct the URL`)
  }

  async function send(
    target: URL,
    method: string,
    headers: Readonly<Record<string, string>>,
    body: Buffer | undefined,
  ): Promise<Dispatcher.ResponseData> {
    try {
      return await options.dispatcherFor(target.origin).request({
        origin: target.origin,
        path: `${target.pathname}${target.search}`,
        method: method as Dispatcher.HttpMethod,
        headers: { ...withoutAuthorization(headers), 'user-agent': USER_AGENT, ...authorization(target, options) },
        ...(body ? { body } : {}),
        headersTimeout: options.idleMs,
        bodyTimeout: options.idleMs,
        signal: options.signal,
      })
    } catch (error) {
      throw failure(error)
    }
  }

  function redirected(from: URL, answer: Dispatcher.ResponseData, method: string): URL {
    discard(answer)
    const location = single(answer.headers.location)
    const to = location && URL.canParse(location, from.href) ? new URL(location, from) : undefined
    const isSafe = to && (to.protocol === 'https:' || (to.protocol === 'http:' && from.protocol === 'http:'))
    if (!isSafe || method !== 'GET')
      throw new GitError(
        'protocol',
        `the server of ${redactUrl(options.url)} sends us elsewhere (${redactUrl(location ?? 'nowhere')}); use that address if it is right`,
      )
    return to
  }

  async function finish(answer: Dispatcher.ResponseData, target: URL, method: string, suffix: string): Promise<TransportResponse> {
    if (answer.statusCode !== 200) {
      discard(answer)
      throw failure(new StatusError(answer.statusCode, retryAfter(answer)))
    }
    const whole = `${target.origin}${target.pathname}${target.search}`
    if (method === 'GET' && whole.endsWith(suffix)) base = whole.slice(0, -suffix.length)
    return {
      url: whole,
      method,
      statusCode: 200,
      statusMessage: 'OK',
      headers: Object.fromEntries(Object.entries(answer.headers).map(([name, value]) => [name, single(value) ?? ''])),
      body: drain(await read(answer)),
    }
  }

  /** The whole body before the library sees the first byte: an error in the middle would otherwise escape it. */
  async function read(answer: Dispatcher.ResponseData): Promise<Uint8Array[]> {
    const chunks: Uint8Array[] = []
    let size = 0
    try {
      for await (const chunk of answer.body as AsyncIterable<Uint8Array>) {
        size += chunk.byteLength
        if (size > options.maxBytes) throw tooLarge()
        chunks.push(chunk)
      }
      return chunks
    } catch (error) {
      throw failure(error)
    }
  }

  function tooLarge(): GitError {
    const megabytes = Math.ceil(options.maxBytes / 2 ** 20)
    return new GitError(
      'too-large',
      `the repository ${redactUrl(options.url)} sends more than ${megabytes} MiB; split it, or take large files out of it`,
    )
  }

  function failure(error: unknown): unknown {
    return options.signal.aborted ? options.signal.reason : toGitError(error, options.url)
  }

  return { request }
}

/** Credentials belong to one origin. */
function authorization(target: URL, { origin, credentials }: TransportOptions): Record<string, string> {
  if (!credentials || target.origin !== origin) return {}
  if (credentials.kind === 'bearer') return { authorization: `Bearer ${credentials.token}` }
  return { authorization: `Basic ${Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64')}` }
}

/** The library never has credentials; should it think up some, they go nowhere. */
function withoutAuthorization(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => name.toLowerCase() !== 'authorization'))
}

function discard(answer: Dispatcher.ResponseData): void {
  answer.body.on('error', () => {}) // nobody reads it, so nobody minds how it ends
  answer.body.destroy()
}

function retryAfter(answer: Dispatcher.ResponseData): number | undefined {
  const seconds = Number(single(answer.headers['retry-after']))
  return seconds > 0 ? Math.min(seconds * 1_000, MAX_RETRY_AFTER_MS) : undefined
}

function single(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value
}

/** Gives each piece away, so that it can be collected once it was used. */
async function* drain(chunks: Uint8Array[]): AsyncGenerator<Uint8Array> {
  chunks.reverse()
  for (let chunk = chunks.pop(); chunk; chunk = chunks.pop()) yield chunk
}

async function collect(body: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of body) chunks.push(chunk)
  return Buffer.concat(chunks)
}
