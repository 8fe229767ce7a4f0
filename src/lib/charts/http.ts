// Downloads over http(s): credentials only for their origin, few redirects, limits on time and bytes.
import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'
import { gunzipSync } from 'node:zlib'
import type { Dispatcher } from 'undici'
import { TerminalError } from '../controller/errors.ts'
import type { Dispatchers } from '../git/dispatchers.ts'
import { toGitError } from '../git/error-table.ts'
import { GitError } from '../git/errors.ts'
import type { GitProxy } from '../git/types.ts'
import { redactUrl } from '../git/url.ts'
import { ChartError } from './errors.ts'
import { statusError } from './status-error.ts'
import type { ChartAccess } from './types.ts'

export interface ChartHttpOptions {
  /** Connections, shared with whoever else downloads. */
  readonly dispatchers: Dispatchers
  readonly proxy?: GitProxy | undefined
  /** Milliseconds for one download. */
  readonly timeMs: number
}

export interface DownloadOptions {
  readonly access: ChartAccess
  readonly maxBytes: number
  readonly signal: AbortSignal
}

/** A text, and what the server called this version of it (its ETag); undefined if it did not. */
export interface MarkedText {
  readonly text: string
  readonly mark: string | undefined
}

/** All methods throw TerminalError for addresses that cannot be asked, ChartError for everything else, and the reason of the signal. */
export interface ChartHttp {
  /** A text, which the server may send packed. */
  text(url: string, options: DownloadOptions): Promise<string>
  /** A text with the mark by which the server knows it again; undefined if it is still the one with the mark `known`. */
  changedText(url: string, known: string | undefined, options: DownloadOptions): Promise<MarkedText | undefined>
  /** Writes the answer to a new file. */
  file(url: string, into: string, options: DownloadOptions): Promise<void>
}

const MAX_REDIRECTS = 5
const REDIRECTS = new Set([301, 302, 303, 307, 308])
const USER_AGENT = 'Helm/4 (fleet)'
/** The longest silence of a server. */
const IDLE_MS = 60_000
const PACKED = { 'accept-encoding': 'gzip' } as const
const MAX_MARK = 1_024
const GZIP_MAGIC = Buffer.from([0x1f, 0x8b])

export function createChartHttp({ dispatchers, proxy, timeMs }: ChartHttpOptions): ChartHttp {
  /** Opens the answer, hands it to `use`, and makes a sentence of whatever goes wrong. */
  async function download<T>(
    url: string,
    options: DownloadOptions,
    headers: Readonly<Record<string, string>>,
    use: (body: AsyncIterable<Buffer>, answer: Dispatcher.ResponseData) => Promise<T>,
  ): Promise<T> {
    const start = parseAddress(url)
    const signal = AbortSignal.any([options.signal, AbortSignal.timeout(timeMs)])
    try {
      const answer = await follow(start, options.access, headers, signal)
      return await use(limited(answer.body as AsyncIterable<Buffer>, start.href, options.maxBytes), answer)
    } catch (error) {
      options.signal.throwIfAborted()
      throw toChartError(signal.aborted ? signal.reason : error, start.href)
    }
  }

  async function follow(
    start: URL,
    access: ChartAccess,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<Dispatcher.ResponseData> {
    let target = start
    for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
      const answer = await ask(target, start, access, headers, signal)
      if (answer.statusCode === 200 || (answer.statusCode === 304 && headers['if-none-match'])) return answer
      discard(answer)
      if (!REDIRECTS.has(answer.statusCode)) throw statusError(redactUrl(start.href), answer, access)
      target = redirected(start, target, answer)
    }
    throw new ChartError(`${redactUrl(start.href)}: the server sends us from one address to the next; correct the address`)
  }

  function ask(
    target: URL,
    start: URL,
    access: ChartAccess,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<Dispatcher.ResponseData> {
    const { caBundle, insecureSkipTLSVerify } = access
    return dispatchers.for({ url: start.href, caBundle, insecureSkipTLSVerify, proxy }, target.href).request({
      origin: target.origin,
      path: `${target.pathname}${target.search}`,
      method: 'GET',
      headers: { 'user-agent': USER_AGENT, ...headers, ...authorization(target, start, access) },
      headersTimeout: IDLE_MS,
      bodyTimeout: IDLE_MS,
      signal,
    })
  }

  return {
    text: (url, options) => download(url, options, PACKED, (body) => readText(body, options.maxBytes)),
    changedText: (url, known, options) =>
      download(url, options, known ? { ...PACKED, 'if-none-match': known } : PACKED, async (body, answer) => {
        if (answer.statusCode !== 304) return { text: await readText(body, options.maxBytes), mark: markOf(answer) }
        discard(answer)
        return undefined
      }),
    file: (url, into, options) =>
      download(url, options, { 'accept-encoding': 'identity' }, async (body) => {
        const file = await open(into, 'wx', 0o600)
        try {
          for await (const chunk of body) await file.write(chunk)
        } finally {
          await file.close()
        }
      }),
  }
}

/** The address of something that can be downloaded; throws TerminalError for whatever else is given. */
export function parseAddress(text: string): URL {
  const url = URL.canParse(text) && !/[\s\p{Cc}\\]/u.test(text) ? new URL(text) : undefined
  if (!url) throw new TerminalError(`${redactUrl(text)} is no address: write https://host/path`)
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    throw new TerminalError(`${redactUrl(text)} cannot be downloaded by ${url.protocol.slice(0, -1)}: use https`)
  return url
}

/** Hexadecimal digest of a file. */
export async function digestOf(path: string, algorithm: string): Promise<string> {
  const hash = createHash(algorithm)
  const file = await open(path)
  for await (const chunk of file.createReadStream()) hash.update(chunk as Buffer)
  return hash.digest('hex')
}

/** Those given for the origin, else those that stand in the address asked first. */
function authorization(target: URL, start: URL, { credentials }: ChartAccess): Record<string, string> {
  if (credentials?.origin === target.origin) return basic(credentials.username, credentials.password)
  if (target.origin !== start.origin || (start.username === '' && start.password === '')) return {}
  return basic(decode(start.username), decode(start.password))
}

function basic(username: string, password: string): Record<string, string> {
  return { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` }
}

/** A stray percent sign stands for itself. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function redirected(start: URL, from: URL, { headers }: Dispatcher.ResponseData): URL {
  const location = Array.isArray(headers.location) ? headers.location[0] : headers.location
  const to = location && URL.canParse(location, from.href) ? new URL(location, from) : undefined
  if (to?.protocol === 'https:' || (to?.protocol === 'http:' && from.protocol === 'http:')) return to
  throw new ChartError(
    `${redactUrl(start.href)}: the server sends us elsewhere (${redactUrl(location ?? 'nowhere')}), which is not safe; use that address if it is right`,
  )
}

function discard({ body }: Dispatcher.ResponseData): void {
  body.on('error', () => {}) // nobody reads it, so nobody minds how it ends
  body.destroy()
}

async function* limited(body: AsyncIterable<Buffer>, url: string, maxBytes: number): AsyncGenerator<Buffer> {
  let size = 0
  for await (const chunk of body) {
    size += chunk.byteLength
    if (size > maxBytes) throw tooLarge(url, maxBytes)
    yield chunk
  }
}

async function readText(body: AsyncIterable<Buffer>, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of body) chunks.push(chunk)
  return unpackedText(Buffer.concat(chunks), maxBytes)
}

function markOf({ headers }: Dispatcher.ResponseData): string | undefined {
  return typeof headers.etag === 'string' && headers.etag.length <= MAX_MARK ? headers.etag : undefined
}

/** Some servers send what is packed without saying so. */
function unpackedText(bytes: Buffer, maxBytes: number): string {
  const isPacked = bytes.subarray(0, 2).equals(GZIP_MAGIC)
  return (isPacked ? gunzipSync(bytes, { maxOutputLength: maxBytes }) : bytes).toString('utf8')
}

function tooLarge(url: string, maxBytes: number): ChartError {
  return new ChartError(`${redactUrl(url)} has more than ${Math.ceil(maxBytes / 2 ** 20)} MiB, which is more than can be read`)
}

function toChartError(error: unknown, url: string): unknown {
  if (error instanceof ChartError || error instanceof TerminalError) return error
  if (error instanceof GitError) return new TerminalError(forCharts(error.message))
  const { kind, message } = toGitError(error, url)
  // the rows of the table for anything else speak of git
  if (kind === 'unreachable' || kind === 'timeout' || kind === 'certificate') return new ChartError(forCharts(message))
  return new ChartError(`${redactUrl(url)} cannot be downloaded: ${reason(error)}`)
}

/** Certificates for charts lie elsewhere than those for git. */
function forCharts(message: string): string {
  return message.replaceAll('caBundle', 'cacerts of the secret')
}

function reason(error: unknown): string {
  const text = error instanceof Error ? error.message : 'unknown error'
  return text.replace(/[\s\p{Cc}]+/gu, ' ').slice(0, 200)
}
