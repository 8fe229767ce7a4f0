// What the network, the server and the git library report, row by row, and what the user is told about it.
import { GitError, type GitErrorKind } from './errors.ts'
import { redactUrl } from './url.ts'

interface Row {
  readonly kind: GitErrorKind
  /** The failure has one of these codes: of a socket, of TLS, of undici, of the git library (also as text of the error, where there is no code). */
  readonly codes?: readonly string[]
  /** The server answered with one of these statuses. */
  readonly statuses?: readonly (number | readonly [number, number])[]
  /** The text of the error, where it carries neither. */
  readonly text?: RegExp
  /** `repo` is the address as it may be shown, `what` what is known of the failure. */
  readonly say: (repo: string, what: string) => string
}

/** The first row that fits tells kind and message. */
const ROWS: readonly Row[] = [
  {
    kind: 'authentication',
    statuses: [401, 203], // 203 is the sign-in page of Azure DevOps
    say: (repo) =>
      `authentication required: the server of ${repo} wants other credentials, or the repository does not exist; check URL and credentials`,
  },
  {
    kind: 'authentication',
    statuses: [403],
    say: (repo) => `authentication failed: these credentials may not read ${repo}; give them read access or use others`,
  },
  {
    kind: 'not-found',
    statuses: [404, 410],
    say: (repo) => `repository not found: the server knows no ${repo}; correct the URL, or give credentials that may see it`,
  },
  {
    kind: 'unreachable',
    statuses: [407],
    text: /Proxy response \(407\)/,
    say: (repo) => `the proxy on the way to ${repo} wants credentials; set them in the proxy's address`,
  },
  {
    kind: 'unreachable',
    text: /Proxy response \(/,
    say: (repo, what) => `the proxy refuses the way to ${repo} (${what}); check the proxy and the hosts excepted from it`,
  },
  {
    kind: 'unreachable',
    statuses: [429],
    say: (repo) => `the server of ${repo} asks us to come back later (too many requests, status 429); poll less often`,
  },
  {
    kind: 'unreachable',
    statuses: [[500, 599]],
    say: (repo, what) => `the server of ${repo} answered with an error (${what}); it is tried again`,
  },
  {
    kind: 'certificate',
    codes: ['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID'],
    say: (repo, what) => `the certificate of the server of ${repo} is not valid now (${what}); renew it`,
  },
  {
    kind: 'certificate',
    codes: ['ERR_TLS_CERT_ALTNAME_INVALID', 'HOSTNAME_MISMATCH'],
    say: (repo) => `the certificate of the server of ${repo} is for another host name; correct the URL or the certificate`,
  },
  {
    kind: 'certificate',
    codes: [
      'DEPTH_ZERO_SELF_SIGNED_CERT',
      'SELF_SIGNED_CERT_IN_CHAIN',
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
      'UNABLE_TO_GET_ISSUER_CERT',
      'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
      'CERT_UNTRUSTED',
      'CERT_REVOKED',
      'CERT_SIGNATURE_FAILURE',
      'CERT_CHAIN_TOO_LONG',
      'INVALID_CA',
      'INVALID_PURPOSE',
      'PATH_LENGTH_EXCEEDED',
    ],
    say: (repo, what) =>
      `the certificate of the server of ${repo} is signed by an unknown authority (${what}); add the authority to caBundle`,
  },
  {
    kind: 'certificate',
    text: /^ERR_OSSL_PEM|PEM routines|asn1 encoding routines/,
    say: (repo) => `the certificates given for ${repo} (caBundle) are no PEM certificates; correct them`,
  },
  {
    kind: 'protocol',
    codes: ['EPROTO', 'ERR_SSL_WRONG_VERSION_NUMBER', 'ERR_SSL_PACKET_LENGTH_TOO_LONG'],
    say: (repo, what) => `the server of ${repo} does not speak TLS as we do (${what}); check scheme and port of the URL`,
  },
  {
    kind: 'unreachable',
    codes: ['ENOTFOUND', 'EAI_AGAIN', 'EAI_FAIL'],
    say: (repo, what) => `the host of ${repo} cannot be found (${what}); check the URL and the name server`,
  },
  {
    kind: 'timeout',
    codes: ['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT', 'UND_ERR_CONNECT_TIMEOUT', 'ETIMEDOUT', 'TimeoutError'],
    say: (repo, what) => `the server of ${repo} did not answer in time (${what}); it is tried again`,
  },
  {
    kind: 'unreachable',
    codes: [
      'UND_ERR_PRX_TLS',
      'UND_ERR_PRX_CONN',
      'ECONNREFUSED',
      'ECONNRESET',
      'EHOSTUNREACH',
      'ENETUNREACH',
      'EPIPE',
      'EADDRNOTAVAIL',
      'UND_ERR_SOCKET',
      'UND_ERR_CLOSED',
      'UND_ERR_DESTROYED',
    ],
    say: (repo, what) => `the server of ${repo} cannot be reached (${what}); check the URL and the network, it is tried again`,
  },
  {
    kind: 'too-large',
    codes: ['UND_ERR_RES_EXCEEDED_MAX_SIZE', 'UND_ERR_HEADERS_OVERFLOW'],
    say: (repo) => `the answer of the server of ${repo} is too large`,
  },
  {
    kind: 'protocol',
    codes: [
      'SmartHttpError',
      'EmptyServerResponseError',
      'ParseError',
      'RemoteCapabilityError',
      'HTTPParserError',
      'UND_ERR_RES_CONTENT_LENGTH_MISMATCH',
      'UND_ERR_REDIRECT_MAX',
    ],
    text: /^HPE_/,
    say: (repo, what) => `what answers at ${repo} is not a git repository (${what}); correct the URL`,
  },
  {
    kind: 'unknown-ref',
    codes: ['NotFoundError', 'NoCommitError', 'ObjectTypeError'],
    say: (repo, what) => `the repository ${repo} has no such commit (${what})`,
  },
  {
    kind: 'protocol',
    codes: ['InternalError', 'DecompressionError'],
    say: (repo, what) => `the server of ${repo} sent a broken pack (${what}); it is tried again`,
  },
  { kind: 'other', codes: ['ENOSPC', 'EDQUOT'], say: (repo) => `no space left to read ${repo}; give the temporary folder more` },
  { kind: 'protocol', statuses: [[300, 499]], say: (repo, what) => `the server of ${repo} refuses to answer (${what}); check the URL` },
]

/** Turns whatever was thrown while talking to `url` into a GitError. What a server says is cut to one short line and shows no credentials. */
export function toGitError(error: unknown, url: string): GitError {
  if (error instanceof GitError) return error
  const repo = redactUrl(url)
  const failure = describe(error)
  const row = ROWS.find((one) => fits(one, failure))
  const what = failure.status === undefined ? (failure.code ?? cleanText(failure.text)) : `status ${failure.status}`
  const retryAfterMs = error instanceof StatusError ? error.retryAfterMs : undefined
  if (!row) return new GitError('other', `reading ${repo} failed: ${cleanText(failure.text)}`, { cause: error })
  return new GitError(row.kind, row.say(repo, what), { cause: error, retryAfterMs })
}

/** The server answered with a status that is not 200. */
export class StatusError extends Error {
  readonly status: number
  readonly retryAfterMs: number | undefined

  constructor(status: number, retryAfterMs?: number) {
    super(`status ${status}`)
    this.status = status
    this.retryAfterMs = retryAfterMs
  }
}

interface Failure {
  readonly code: string | undefined
  readonly status: number | undefined
  readonly text: string
}

/** Looks through `cause` and the first of several errors (as connecting to several addresses gives). */
function describe(error: unknown, depth = 0): Failure {
  if (error instanceof StatusError) return { code: undefined, status: error.status, text: error.message }
  if (!(error instanceof Error)) return { code: undefined, status: undefined, text: String(error) }
  const { code, name, cause, errors } = error as Error & { code?: unknown; errors?: unknown[] }
  const inner = cause ?? errors?.[0]
  if (inner !== undefined && depth < 5 && !known(code)) return describe(inner, depth + 1)
  return { code: typeof code === 'string' ? code : name === 'Error' ? undefined : name, status: undefined, text: error.message }
}

function known(code: unknown): boolean {
  return typeof code === 'string' && ROWS.some((row) => row.codes?.includes(code))
}

function fits(row: Row, { code, status, text }: Failure): boolean {
  if (
    status !== undefined &&
    row.statuses?.some((one) => (typeof one === 'number' ? one === status : one[0] <= status && status <= one[1]))
  )
    return true
  if (code !== undefined && row.codes?.includes(code)) return true
  return row.text !== undefined && (row.text.test(text) || (code !== undefined && row.text.test(code)))
}

/** What a server says, for a message: one line, no addresses with credentials, at most 200 characters. */
export function cleanText(text: string): string {
  const line = text
    .trim()
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .replace(/\/\/[^/\s]*@/g, '//')
  return line.length <= 200 ? line : `${line.slice(0, 199).toWellFormed()}…`
}
