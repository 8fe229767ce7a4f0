// Everything it takes to talk to the http(s) server of a repository: used by the bridge that git talks to, and for large files.
import type { Dispatcher } from 'undici'
import type { Dispatchers } from '../dispatchers.ts'
import { GitError } from '../errors.ts'
import type { GitHubAppTokens } from '../github-app.ts'
import type { GitRemote, HttpCredentials } from '../types.ts'
import { parseHttpUrl, redactUrl } from '../url.ts'

export interface HttpAccess {
  /** Without credentials. */
  readonly url: string
  /** The only place credentials go to. */
  readonly origin: string
  readonly credentials: HttpCredentials | undefined
  readonly dispatcherFor: (target: string) => Dispatcher
  /** The server did not take the credentials. */
  forget(): void
}

/** Throws GitError for an address that is none, or credentials that do not fit. */
export async function openHttpAccess(
  remote: GitRemote,
  dispatchers: Dispatchers,
  tokens: GitHubAppTokens,
  signal: AbortSignal,
): Promise<HttpAccess> {
  const { url, origin, credentials: inside } = parseHttpUrl(remote.url)
  const given = remote.credentials ?? inside
  if (given?.kind === 'ssh')
    throw new GitError(
      'authentication',
      `an SSH private key does not open ${redactUrl(url)}: use its ssh address, or a user name and password`,
    )
  const app = given?.kind === 'github-app' ? given : undefined
  return {
    url,
    origin,
    credentials: given?.kind === 'github-app' ? await tokens.credentialsFor(remote, given, signal) : given,
    dispatcherFor: (target) => dispatchers.for(remote, target),
    forget: () => app && tokens.forget(remote, app),
  }
}

/** The header that shows the credentials, if the address belongs to the origin they are for. */
export function authorizationFor(target: URL, { origin, credentials }: Pick<HttpAccess, 'origin' | 'credentials'>): Record<string, string> {
  if (!credentials || target.origin !== origin) return {}
  if (credentials.kind === 'bearer') return { authorization: `Bearer ${credentials.token}` }
  return { authorization: `Basic ${Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64')}` }
}
