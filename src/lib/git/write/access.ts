// The ways to a repository that is written to: one for reading what is there, one for pushing; over http they are the same.
import type { Dispatchers } from '../dispatchers.ts'
import { GitError } from '../errors.ts'
import { createGitHubAppTokens } from '../github-app.ts'
import { createTransport, type Transport } from '../http.ts'
import type { GitRemote } from '../types.ts'
import { isSshUrl, parseHttpUrl, redactUrl } from '../url.ts'

export interface WriteAccess {
  readonly reading: Transport
  readonly writing: Transport
  /** for messages */
  readonly url: string
  /** for the git library, which knows http only */
  readonly base: string
  close(): void
}

export interface WriteAccessOptions {
  readonly idleMs: number
  readonly maxBytes: number
  readonly signal: AbortSignal
}

const SSH_STAND_IN = 'http://ssh.invalid/repository'

/** Opens ways to repositories; `dispatchers` keeps connections. All errors are GitErrors. */
export interface WriteAccesses {
  open(remote: GitRemote, options: WriteAccessOptions): Promise<WriteAccess>
  /** The server did not take the credentials: the next way asks for others, where it can. */
  forget(remote: GitRemote): void
}

export function createWriteAccesses(dispatchers: Dispatchers, now: () => number): WriteAccesses {
  const tokens = createGitHubAppTokens(dispatchers, now)

  async function overHttp(remote: GitRemote, options: WriteAccessOptions): Promise<WriteAccess> {
    const { url, origin, credentials: inside } = parseHttpUrl(remote.url)
    const given = remote.credentials ?? inside
    if (given?.kind === 'ssh')
      throw new GitError(
        'authentication',
        `an SSH private key does not open ${redactUrl(url)}: use its ssh address, or a user name and password that may push`,
      )
    const credentials = given?.kind === 'github-app' ? await tokens.credentialsFor(remote, given, options.signal) : given
    const dispatcherFor = (target: string) => dispatchers.for(remote, target)
    const http = createTransport({ url, origin, credentials, dispatcherFor, ...options })
    return { reading: http, writing: http, url, base: url, close: () => {} }
  }

  /** Most programs never meet an ssh address, and need not load what it takes. */
  async function overSsh(remote: GitRemote, options: WriteAccessOptions): Promise<WriteAccess> {
    const [{ createSshTransport }, { createSshPushTransport }] = await Promise.all([import('../ssh/transport.ts'), import('./ssh.ts')])
    const reading = createSshTransport(remote, { ...options, now })
    const writing = createSshPushTransport(remote, { ...options, now })
    const close = (): void => {
      reading.close()
      writing.close()
    }
    return { reading, writing, url: remote.url, base: SSH_STAND_IN, close }
  }

  return {
    open: (remote, options) => (isSshUrl(remote.url) ? overSsh(remote, options) : overHttp(remote, options)),
    forget(remote) {
      if (remote.credentials?.kind === 'github-app') tokens.forget(remote, remote.credentials)
    },
  }
}
