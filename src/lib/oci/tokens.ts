// What is shown to registries: user name and password, or a token that the realm of the registry gives for them. Tokens are kept until they expire.
import { createHash } from 'node:crypto'
import type { Dispatcher } from 'undici'
import type { Clock } from '../controller/clock.ts'
import { type Challenge, parseChallenges } from './challenge.ts'
import { collect } from './digest.ts'
import { clean, OciError, toOciError } from './errors.ts'
import type { RegistryAccess } from './types.ts'

/** A request to a registry, as far as authorization goes. */
export interface Purpose {
  readonly origin: string
  readonly access: RegistryAccess
  /** `repository:<path>:<actions>`; empty for the registry as a whole */
  readonly scope: string
  /** for messages */
  readonly where: string
  readonly signal: AbortSignal
}

export interface Tokens {
  /** The header for a request, by what the registry asked for before; undefined while that is not known. */
  header(purpose: Purpose): Promise<string | undefined>
  /** The header for a request that was refused. Throws OciError `authentication` if there is none that could help. */
  answer(purpose: Purpose, refusal: string | readonly string[] | undefined, refused: string | undefined): Promise<string>
}

export interface TokensOptions {
  readonly clock: Clock
  readonly dispatcherFor: (access: RegistryAccess, target: string) => Dispatcher
}

interface Token {
  readonly header: string
  readonly until: number
}

const MAX_REMEMBERED = 512
const MAX_TOKEN_BYTES = 256 * 1_024
const IDLE_MS = 30_000
const CLIENT_ID = 'fleet'
/** What a registry means that does not say how long a token is good for. */
const DEFAULT_LIFE_S = 60
const MAX_LIFE_S = 3_600
/** A token that is about to expire is not used any more. */
const MARGIN_MS = 10_000

export function createTokens({ clock, dispatcherFor }: TokensOptions): Tokens {
  const challenges = new Map<string, Challenge>()
  const tokens = new Map<string, Promise<Token>>()

  async function credential(purpose: Purpose, challenge: Challenge, refused?: string): Promise<string> {
    if (challenge.scheme === 'basic') return basic(purpose)
    const key = keyOf(purpose, purpose.scope)
    const known = await tokens.get(key)?.catch(() => undefined) // whoever asked for it was told
    if (known && known.until > clock.now() && known.header !== refused) return known.header
    const asked = ask(purpose, challenge)
    remember(tokens, key, asked)
    try {
      return (await asked).header
    } catch (error) {
      if (tokens.get(key) === asked) tokens.delete(key)
      throw error
    }
  }

  async function ask(purpose: Purpose, { parameters }: Challenge): Promise<Token> {
    const realm = realmOf(parameters.realm ?? '', purpose)
    const scopes = [...new Set([purpose.scope, ...(parameters.scope ?? '').split(' ')])].filter((scope) => scope !== '')
    const { identityToken } = purpose.access
    try {
      const { statusCode, body } = await dispatcherFor(purpose.access, realm.href).request({
        ...(identityToken ? grant(realm, parameters.service, scopes, identityToken) : question(realm, parameters.service, scopes, purpose)),
        headersTimeout: IDLE_MS,
        bodyTimeout: IDLE_MS,
        signal: purpose.signal,
      })
      const bytes = await collect(body as AsyncIterable<Uint8Array>, {}, MAX_TOKEN_BYTES, `the token for ${purpose.where}`)
      if (statusCode === 400 || statusCode === 401 || statusCode === 403) throw refusedBy(purpose)
      if (identityToken && (statusCode === 404 || statusCode === 405))
        throw new OciError('unsupported', `${realm.host} takes no identity token for ${purpose.where}: give a user name and a password`)
      if (statusCode !== 200)
        throw new OciError('busy', `${realm.host} gives no token for ${purpose.where} (status ${statusCode}): it is tried again`)
      return tokenOf(bytes, purpose)
    } catch (error) {
      throw purpose.signal.aborted ? purpose.signal.reason : toOciError(error, purpose.where)
    }
  }

  function tokenOf(bytes: Buffer, { where }: Purpose): Token {
    const {
      token,
      access_token: other,
      expires_in: life,
    } = parsed(bytes) as { token?: unknown; access_token?: unknown; expires_in?: unknown }
    const text = [token, other].find((value) => typeof value === 'string' && /^[!-~]+$/.test(value))
    if (!text) throw new OciError('protocol', `what should give a token for ${where} answers with something else: check the registry`)
    const seconds = typeof life === 'number' && life > 0 ? Math.min(life, MAX_LIFE_S) : DEFAULT_LIFE_S
    return { header: `Bearer ${text as string}`, until: clock.now() + seconds * 1_000 - MARGIN_MS }
  }

  return {
    async header(purpose) {
      const challenge = challenges.get(keyOf(purpose, ''))
      return challenge && credential(purpose, challenge)
    },
    async answer(purpose, refusal, refused) {
      const offered = parseChallenges(refusal)
      const challenge = offered.find(({ scheme }) => scheme === 'bearer') ?? offered.find(({ scheme }) => scheme === 'basic')
      if (!challenge) throw refusedBy(purpose)
      if (challenge.scheme === 'basic' && refused?.startsWith('Basic ')) throw refusedBy(purpose)
      remember(challenges, keyOf(purpose, ''), { ...challenge, parameters: withoutScope(challenge.parameters) })
      return credential(purpose, challenge, refused)
    },
  }
}

type TokenRequest = Pick<Dispatcher.RequestOptions, 'origin' | 'path' | 'method' | 'headers' | 'body'>

/** A token for a user, or for nobody. */
function question(realm: URL, service: string | undefined, scopes: readonly string[], purpose: Purpose): TokenRequest {
  if (service) realm.searchParams.set('service', service)
  for (const scope of scopes) realm.searchParams.append('scope', scope)
  const authorization = purpose.access.credentials ? { authorization: basic(purpose) } : {}
  return {
    origin: realm.origin,
    path: `${realm.pathname}${realm.search}`,
    method: 'GET',
    headers: { accept: 'application/json', ...authorization },
  }
}

/** A token for an identity token, as OAuth 2 exchanges them (RFC 6749, 6). */
function grant(realm: URL, service: string | undefined, scopes: readonly string[], identityToken: string): TokenRequest {
  const form = new URLSearchParams({ grant_type: 'refresh_token', client_id: CLIENT_ID, refresh_token: identityToken })
  if (service) form.set('service', service)
  if (scopes.length > 0) form.set('scope', scopes.join(' '))
  return {
    origin: realm.origin,
    path: `${realm.pathname}${realm.search}`,
    method: 'POST',
    headers: { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' },
    body: form.toString(),
  }
}

/** Credentials go by https, or without it to the host of a registry that is itself spoken to so. */
function realmOf(text: string, { origin, where }: Purpose): URL {
  const realm = URL.canParse(text) ? new URL(text) : undefined
  const registry = new URL(origin)
  const isSafe =
    realm?.protocol === 'https:' || (realm?.protocol === 'http:' && registry.protocol === 'http:' && realm.hostname === registry.hostname)
  if (!realm || !isSafe || realm.username || realm.password) {
    throw new OciError(
      'authentication',
      `the registry of ${where} wants a token from ${clean(realm ? realm.origin : 'nowhere')}, which is not safe: it has to be https, or the host of the registry`,
    )
  }
  return realm
}

function basic(purpose: Purpose): string {
  const { credentials, identityToken } = purpose.access
  if (!credentials && identityToken)
    throw new OciError(
      'authentication',
      `the registry of ${purpose.where} gives no tokens, so that an identity token is no use: give a user name and a password`,
    )
  if (!credentials) throw refusedBy(purpose)
  return `Basic ${Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64')}`
}

function refusedBy({ access, where }: Purpose): OciError {
  return new OciError('authentication', refusalOf(access, where))
}

/** What a user is told whose registry says no; `status` is what it said. */
export function refusalOf({ credentials, identityToken }: RegistryAccess, where: string, status = ''): string {
  if (identityToken)
    return `the registry does not accept the identity token for ${where}${status}: log in again and take over the new one, or give a user name and a password`
  return credentials
    ? `the registry does not accept the credentials for ${where}${status}: correct them, or give them the right to it`
    : `the registry wants credentials for ${where}${status}: give a user name and a password`
}

function keyOf({ origin, access }: Purpose, scope: string): string {
  const { credentials, identityToken, caBundle, insecureSkipTLSVerify } = access
  const parts = [origin, scope, credentials?.username, credentials?.password, identityToken, caBundle, insecureSkipTLSVerify ?? false]
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64')
}

function withoutScope({ scope: _, ...parameters }: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return parameters
}

/** The newest are kept. */
function remember<T>(map: Map<string, T>, key: string, value: T): void {
  map.delete(key)
  map.set(key, value)
  const [oldest] = map.keys()
  if (map.size > MAX_REMEMBERED && oldest !== undefined) map.delete(oldest)
}

function parsed(bytes: Buffer): object {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'))
    return typeof value === 'object' && value !== null ? value : {}
  } catch {
    return {} // the message of the parser quotes the answer, which may hold a token
  }
}
