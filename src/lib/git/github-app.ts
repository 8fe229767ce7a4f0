// GitHub Apps: a signed statement of the App is exchanged for a token of its installation, which is good for an hour and is kept until shortly before that.
import { createHash, createPrivateKey, type KeyObject, sign } from 'node:crypto'
import type { Dispatcher } from 'undici'
import { unlessAborted } from './abort.ts'
import type { Dispatchers } from './dispatchers.ts'
import { StatusError, toGitError } from './error-table.ts'
import { GitError } from './errors.ts'
import type { GitHubApp, GitRemote, HttpCredentials } from './types.ts'
import { redactUrl } from './url.ts'

/** Tokens of installations, shared by all who name the same App. */
export interface GitHubAppTokens {
  /** Credentials for a repository, from the API of the server where it is. Errors are GitErrors, but for the reason of an aborted signal. */
  credentialsFor(remote: GitRemote, app: GitHubApp, signal: AbortSignal): Promise<HttpCredentials>
  /** The server did not take the token: the next one asks for another. */
  forget(remote: GitRemote, app: GitHubApp): void
}

interface Token {
  readonly token: string
  /** Milliseconds. */
  readonly goodUntil: number
}

const RENEW_BEFORE_MS = 5 * 60_000
/** For a server that does not say how long a token is good. */
const DEFAULT_LIFE_MS = 10 * 60_000
const MAX_TOKENS = 1_000
const TIMEOUT_MS = 30_000
const MAX_ANSWER_BYTES = 64 * 1_024
/** Our clock may be ahead of the server's; a statement is good for ten minutes at most. */
const STATEMENT_AGE_S = 60
const STATEMENT_LIFE_S = 8 * 60

export function createGitHubAppTokens(dispatchers: Dispatchers, now: () => number): GitHubAppTokens {
  const tokens = new Map<string, Promise<Token>>()

  function ask(id: string, remote: GitRemote, app: GitHubApp): Promise<Token> {
    const asked = requestToken(dispatchers, remote, app, now())
    tokens.delete(id)
    tokens.set(id, asked)
    asked.catch(() => {
      if (tokens.get(id) === asked) tokens.delete(id) // the next one tries anew
    })
    const [oldest] = tokens.keys()
    if (tokens.size > MAX_TOKENS && oldest !== undefined) tokens.delete(oldest)
    return asked
  }

  async function find(remote: GitRemote, app: GitHubApp): Promise<Token> {
    const id = idOf(remote, app)
    const known = tokens.get(id)
    if (!known) return ask(id, remote, app)
    const token = await known
    return token.goodUntil - RENEW_BEFORE_MS > now() ? token : tokens.get(id) === known ? ask(id, remote, app) : find(remote, app)
  }

  return {
    async credentialsFor(remote, app, signal) {
      const { token } = await unlessAborted(signal, find(remote, app))
      return { kind: 'basic', username: 'x-access-token', password: token }
    },
    forget: (remote, app) => void tokens.delete(idOf(remote, app)),
  }
}

/** The address of the API for a repository: of github.com, of a company's own github.com (`*.ghe.com`), or of a GitHub Enterprise Server. */
export function gitHubApi(url: string): string {
  const { protocol, hostname, host } = new URL(url)
  if (hostname === 'github.com' || hostname === 'www.github.com') return 'https://api.github.com'
  if (hostname.endsWith('.ghe.com')) return `${protocol}//api.${host}`
  return `${protocol}//${host}/api/v3`
}

/** The statement by which an App proves who it is: a JSON web token, signed with RS256. */
export function appStatement(appId: string, key: KeyObject, nowMs: number): string {
  const seconds = Math.floor(nowMs / 1_000)
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const claims = { iat: seconds - STATEMENT_AGE_S, exp: seconds + STATEMENT_LIFE_S, iss: appId }
  const body = `${part({ alg: 'RS256', typ: 'JWT' })}.${part(claims)}`
  return `${body}.${sign('RSA-SHA256', Buffer.from(body), key).toString('base64url')}`
}

/** One for each way to reach the server, too: whoever trusts other certificates gets no token by somebody else's. */
function idOf({ url, caBundle, insecureSkipTLSVerify }: GitRemote, { appId, installationId, privateKey }: GitHubApp): string {
  const parts = [gitHubApi(url), appId, installationId, privateKey, caBundle ?? '', insecureSkipTLSVerify ?? false]
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64')
}

async function requestToken(dispatchers: Dispatchers, remote: GitRemote, app: GitHubApp, now: number): Promise<Token> {
  const { appId, installationId } = app
  const repo = redactUrl(remote.url)
  for (const [name, value] of Object.entries({ github_app_id: appId, github_app_installation_id: installationId }))
    if (!/^[\w.-]{1,100}$/.test(value))
      throw refused(`the GitHub App for ${repo} has no valid ${name}: it is a number, or the client id; correct it`)
  const statement = appStatement(appId, readKey(app, repo), now)
  const target = `${gitHubApi(remote.url)}/app/installations/${installationId}/access_tokens`
  try {
    const answer = await dispatchers.for(remote, target).request({
      origin: new URL(target).origin,
      path: new URL(target).pathname,
      method: 'POST',
      headers: {
        accept: 'application/vnd.github+json',
        authorization: `Bearer ${statement}`,
        'user-agent': 'fleet',
        'content-length': '0',
      },
      headersTimeout: TIMEOUT_MS,
      bodyTimeout: TIMEOUT_MS,
      signal: AbortSignal.timeout(TIMEOUT_MS),
    })
    return readToken(await readAnswer(answer), now)
  } catch (error) {
    throw failure(error, app, target, repo)
  }
}

function readKey({ privateKey }: GitHubApp, repo: string): KeyObject {
  let key: KeyObject | undefined
  try {
    key = createPrivateKey(privateKey)
  } catch {
    // said below, without a word of the key
  }
  if (key?.asymmetricKeyType === 'rsa') return key
  throw refused(
    `the github_app_private_key of the GitHub App for ${repo} is no RSA private key in PEM format; download one from the App's settings`,
  )
}

async function readAnswer({ statusCode, headers, body }: Dispatcher.ResponseData): Promise<string> {
  if (statusCode !== 201 && statusCode !== 200) {
    body.on('error', () => {}).destroy() // nobody reads it
    const seconds = Number(headers['retry-after'])
    throw new StatusError(statusCode, seconds > 0 ? Math.min(seconds, 3_600) * 1_000 : undefined)
  }
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of body as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > MAX_ANSWER_BYTES) throw new StatusError(413)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function readToken(text: string, now: number): Token {
  const value = parse(text)
  const { token, expires_at: expires } = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>
  if (typeof token !== 'string' || !/^[\x21-\x7e]+$/.test(token)) throw new SyntaxError('no token')
  const end = typeof expires === 'string' ? Date.parse(expires) : Number.NaN
  return { token, goodUntil: Number.isNaN(end) ? now + DEFAULT_LIFE_MS : end }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined // no JSON: no token either
  }
}

function failure(error: unknown, { appId, installationId }: GitHubApp, target: string, repo: string): GitError {
  if (error instanceof GitError) return error
  if (error instanceof SyntaxError)
    return new GitError('protocol', `what answers at ${redactUrl(target)} gives no token for ${repo}; check the URL of the repository`)
  if (!(error instanceof StatusError)) return toGitError(error, target)
  const { status, retryAfterMs } = error
  const app = `the GitHub App ${appId} for ${repo}`
  if (status === 401)
    return refused(`${app} is not known by that key: check github_app_id and github_app_private_key, and the clock of this machine`)
  if (status === 404) return refused(`${app} has no installation ${installationId}; correct github_app_installation_id`)
  if (retryAfterMs !== undefined || status === 429)
    return new GitError('unreachable', `${app} has asked for too many tokens (status ${status}); it is tried again later`, { retryAfterMs })
  if (status === 403) return refused(`${app} is suspended, or may not read anything; look at its installation ${installationId}`)
  return toGitError(error, target)
}

function refused(message: string): GitError {
  return new GitError('authentication', message)
}
