// What goes wrong with a proxy on the way to an ssh server, and what the user is told about it.
import { cleanText } from '../error-table.ts'
import { GitError } from '../errors.ts'
import type { SshProxy } from './proxy.ts'

/** What a proxy answered instead of letting us through. */
export class ProxyAnswerError extends Error {
  readonly answer: 'wants credentials' | 'refuses' | 'is no proxy'

  /** `message` is what it said. */
  constructor(answer: ProxyAnswerError['answer'], message: string) {
    super(message)
    this.answer = answer
  }
}

/** Turns whatever was thrown while asking a proxy for a way into a GitError that names it. */
export function toProxyError(error: unknown, { kind, shown, repo }: SshProxy): GitError {
  if (error instanceof GitError) return error
  const what = cleanText(codeOf(error))
  if (error instanceof ProxyAnswerError) return new GitError('unreachable', answered(error.answer, what, shown, repo), { cause: error })
  if (/TIMEDOUT|Timeout/.test(what))
    return new GitError('timeout', `the proxy ${shown} on the way to ${repo} did not answer in time; it is tried again`, { cause: error })
  const isNonsense = /^HPE_|^ERR_SSL|^EPROTO/.test(what)
  if (isNonsense) return new GitError('unreachable', answered('is no proxy', what, shown, repo), { cause: error })
  if (kind === 'https' && /CERT|SIGNATURE|ISSUER|^ERR_TLS/.test(what))
    return new GitError(
      'certificate',
      `the certificate of the proxy ${shown} on the way to ${repo} is not trusted (${what}); add its authority (proxyCACert)`,
      { cause: error },
    )
  return new GitError(
    'unreachable',
    `the proxy ${shown} on the way to ${repo} cannot be reached (${what}); check ALL_PROXY and the network, it is tried again`,
    { cause: error },
  )
}

function answered(answer: ProxyAnswerError['answer'], what: string, shown: string, repo: string): string {
  if (answer === 'wants credentials')
    return `the proxy ${shown} on the way to ${repo} wants other credentials (${what}); set them in the proxy's address (ALL_PROXY)`
  if (answer === 'refuses')
    return `the proxy ${shown} refuses the way to ${repo} (${what}); check the proxy and the hosts excepted from it (NO_PROXY)`
  return `what answers at the proxy ${shown} on the way to ${repo} is no such proxy (${what}); check scheme and port of ALL_PROXY`
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { code, errors } = error as Error & { code?: unknown; errors?: unknown[] }
  if (typeof code === 'string') return code
  return errors?.[0] === undefined ? error.message || error.name : codeOf(errors[0])
}
