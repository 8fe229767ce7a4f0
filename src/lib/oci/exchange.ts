// One request to a registry and its answer: authorization, few redirects, limits on time and bytes, and sentences for whatever goes wrong.
import type { Dispatcher } from 'undici'
import type { Clock } from '../controller/clock.ts'
import type { Dispatchers } from '../git/dispatchers.ts'
import { GitError } from '../git/errors.ts'
import type { GitProxy } from '../git/types.ts'
import { collect, type Expected } from './digest.ts'
import { clean, OciError, toOciError } from './errors.ts'
import { createTokens, type Purpose, refusalOf } from './tokens.ts'
import type { RegistryAccess } from './types.ts'

export interface ExchangeOptions {
  /** Connections, shared with whoever else downloads. */
  readonly dispatchers: Dispatchers
  readonly proxy?: GitProxy | undefined
  readonly clock: Clock
}

export interface Request {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE'
  readonly url: URL
  /** where the registry is; credentials go nowhere else */
  readonly origin: string
  readonly access: RegistryAccess
  readonly scope: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Buffer
  /** statuses that are an answer; everything else is an error */
  readonly accept: readonly number[]
  readonly maxBytes: number
  readonly expected?: Expected
  /** what is asked for, in messages */
  readonly where: string
  readonly signal: AbortSignal
}

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: Buffer
  /** the address that answered */
  readonly url: URL
}

/** Throws OciError, or the reason of the signal. */
export type Exchange = (request: Request) => Promise<Answer>

const MAX_REDIRECTS = 5
const REDIRECTS = new Set([301, 302, 303, 307, 308])
const USER_AGENT = 'fleet'
/** The longest silence of a server. */
const IDLE_MS = 60_000
const MAX_ERROR_BYTES = 64 * 1_024
const MAX_RETRY_AFTER_MS = 3_600_000

export function createExchange({ dispatchers, proxy, clock }: ExchangeOptions): Exchange {
  const dispatcherFor = ({ caBundle, insecureSkipTLSVerify }: RegistryAccess, target: string): Dispatcher => {
    try {
      return dispatchers.for({ url: target, caBundle, insecureSkipTLSVerify, proxy }, target)
    } catch (error) {
      if (!(error instanceof GitError)) throw error
      const what = error.kind === 'certificate' ? 'certificates given for it are no PEM certificates' : 'address of the proxy is not valid'
      throw new OciError(error.kind === 'certificate' ? 'certificate' : 'unreachable', `${new URL(target).host}: the ${what}: correct it`)
    }
  }
  const tokens = createTokens({ clock, dispatcherFor })

  async function exchange(request: Request): Promise<Answer> {
    const { origin, access, scope, where, signal } = request
    const purpose: Purpose = { origin, access, scope, where, signal }
    try {
      const first = await tokens.header(purpose)
      const answer = await follow(request, first)
      if (answer.response.statusCode !== 401 || answer.url.origin !== origin) return await finish(request, answer)
      discard(answer.response)
      const second = await tokens.answer(purpose, answer.response.headers['www-authenticate'], first)
      return await finish(request, await follow(request, second))
    } catch (error) {
      throw signal.aborted ? signal.reason : toOciError(error, where)
    }
  }

  async function follow(request: Request, authorization: string | undefined): Promise<{ response: Dispatcher.ResponseData; url: URL }> {
    let { url } = request
    for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
      const response = await send(request, url, url.origin === request.origin ? authorization : undefined)
      const isRedirect = REDIRECTS.has(response.statusCode) && (request.method === 'GET' || request.method === 'HEAD')
      if (!isRedirect) return { response, url }
      discard(response)
      url = redirected(request, url, single(response.headers.location))
    }
    throw new OciError('protocol', `the registry of ${request.where} sends us from one address to the next: check the reference`)
  }

  function send(request: Request, url: URL, authorization: string | undefined): Promise<Dispatcher.ResponseData> {
    return dispatcherFor(request.access, url.href).request({
      origin: url.origin,
      path: `${url.pathname}${url.search}`,
      method: request.method,
      headers: { 'user-agent': USER_AGENT, ...request.headers, ...(authorization ? { authorization } : {}) },
      ...(request.body ? { body: request.body } : {}),
      headersTimeout: IDLE_MS,
      bodyTimeout: IDLE_MS,
      signal: request.signal,
    })
  }

  return exchange
}

function redirected({ where }: Request, from: URL, location: string | undefined): URL {
  const to = location && URL.canParse(location, from.href) ? new URL(location, from) : undefined
  if (to?.protocol === 'https:' || (to?.protocol === 'http:' && from.protocol === 'http:')) return to
  throw new OciError('protocol', `the registry of ${where} sends us elsewhere (${clean(to?.origin ?? 'nowhere')}), which is not safe`)
}

async function finish(request: Request, { response, url }: { response: Dispatcher.ResponseData; url: URL }): Promise<Answer> {
  const { statusCode: status, headers } = response
  const body = response.body as AsyncIterable<Uint8Array>
  if (!request.accept.includes(status)) throw await refusal(request, response)
  const isBodyless = request.method === 'HEAD' || status === 404
  if (isBodyless) discard(response)
  const bytes = isBodyless ? Buffer.alloc(0) : await collect(body, request.expected ?? {}, request.maxBytes, request.where)
  return { status, headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, single(value)])), body: bytes, url }
}

async function refusal({ where, access, maxBytes }: Request, response: Dispatcher.ResponseData): Promise<OciError> {
  const { statusCode: status } = response
  const said = await reasonOf(response, Math.min(maxBytes, MAX_ERROR_BYTES) || MAX_ERROR_BYTES)
  if (status === 401 || status === 403) return new OciError('authentication', refusalOf(access, where, ` (status ${status}${said})`))
  if (status === 404)
    return new OciError('not-found', `the registry has no ${where}${said ? ` (${said.slice(2)})` : ''}: check the reference`)
  if (status === 405)
    return new OciError('unsupported', `the registry does not allow this for ${where} (status 405${said}): check its settings`)
  const wait = status === 429 || status >= 500
  const what = wait ? 'it is tried again' : 'check the reference'
  const seconds = Number(single(response.headers['retry-after']))
  const retryAfterMs = seconds > 0 ? Math.min(seconds * 1_000, MAX_RETRY_AFTER_MS) : undefined
  return new OciError(wait ? 'busy' : 'protocol', `the registry answers for ${where} with status ${status}${said}: ${what}`, retryAfterMs)
}

/** What the registry has to say, in a few words: `, CODE message`. */
async function reasonOf(response: Dispatcher.ResponseData, maxBytes: number): Promise<string> {
  try {
    const bytes = await collect(response.body as AsyncIterable<Uint8Array>, {}, maxBytes, '')
    const { errors } = JSON.parse(bytes.toString('utf8')) as { errors?: { code?: unknown; message?: unknown }[] }
    const text = [errors?.[0]?.code, errors?.[0]?.message].filter((part) => typeof part === 'string').join(' ')
    return text ? `, ${clean(text)}` : ''
  } catch {
    return '' // no answer as registries give it: the status says enough
  }
}

/** Reads what is left, so that the connection can be used again; nobody minds how that ends. */
function discard({ body }: Dispatcher.ResponseData): void {
  body.on('error', () => {})
  void body.dump({ limit: MAX_ERROR_BYTES }).catch(() => {})
}

function single(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value
}
