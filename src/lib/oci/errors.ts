// What goes wrong with registries, as sentences for users.

/** What went wrong. */
export type OciErrorKind =
  | 'invalid-reference'
  | 'unreachable'
  | 'timeout'
  | 'certificate'
  | 'authentication'
  | 'not-found'
  | 'unsupported'
  | 'busy'
  | 'too-large'
  | 'corrupt'
  | 'protocol'

/** An error for the user: the message names the repository, never credentials, and what to do. */
export class OciError extends Error {
  override readonly name = 'OciError'
  readonly kind: OciErrorKind
  /** How long the registry asks us to stay away, in milliseconds. */
  readonly retryAfterMs?: number

  constructor(kind: OciErrorKind, message: string, retryAfterMs?: number) {
    super(message)
    this.kind = kind
    if (retryAfterMs !== undefined) this.retryAfterMs = retryAfterMs
  }
}

interface Row {
  readonly kind: OciErrorKind
  readonly codes: RegExp
  say(where: string, what: string): string
}

/** The first row whose pattern fits the code (or name, or message) of an error holds. */
const ROWS: readonly Row[] = [
  {
    kind: 'certificate',
    codes: /^CERT_(HAS_EXPIRED|NOT_YET_VALID)$/,
    say: (where, what) => `the certificate of the registry of ${where} is not valid now (${what}): renew it`,
  },
  {
    kind: 'certificate',
    codes: /^(ERR_TLS_CERT_ALTNAME_INVALID|HOSTNAME_MISMATCH)$/,
    say: (where) => `the certificate of the registry of ${where} is for another host name: correct the reference or the certificate`,
  },
  {
    kind: 'certificate',
    codes: /^(ERR_OSSL_PEM|ERR_OSSL_ASN1|.*(PEM routines|asn1 encoding routines))/,
    say: (where) => `the certificates given for the registry of ${where} are no PEM certificates: correct them`,
  },
  {
    kind: 'certificate',
    codes: /^(DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_|CERT_|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH_EXCEEDED)/,
    say: (where, what) => `the certificate of the registry of ${where} is signed by an unknown authority (${what}): give its certificate`,
  },
  {
    kind: 'protocol',
    codes: /^(EPROTO|ERR_SSL_|HPE_|HTTPParserError)/,
    say: (where, what) => `what answers for ${where} does not speak as a registry does (${what}): check the port, and whether it uses TLS`,
  },
  {
    kind: 'unreachable',
    codes: /^(ENOTFOUND|EAI_)/,
    say: (where, what) => `the host of ${where} cannot be found (${what}): check the reference and the name server`,
  },
  {
    kind: 'timeout',
    codes: /^(UND_ERR_(HEADERS|BODY|CONNECT)_TIMEOUT|ETIMEDOUT|TimeoutError)$/,
    say: (where, what) => `the registry of ${where} did not answer in time (${what}): it is tried again`,
  },
  {
    kind: 'unreachable',
    codes: /Proxy response \(/,
    say: (where) => `the proxy refuses the way to the registry of ${where}: check the proxy and the hosts excepted from it`,
  },
  {
    kind: 'unreachable',
    codes: /^/,
    say: (where, what) => `the registry of ${where} cannot be reached (${what}): check the reference and the network, it is tried again`,
  },
]

/** Whatever was thrown on the way to a registry as an error for the user; `where` is what was asked for. */
export function toOciError(error: unknown, where: string): OciError {
  if (error instanceof OciError) return error
  const code = codeOf(error)
  const row = ROWS.find(({ codes }) => codes.test(code)) as Row // the last one always fits
  return new OciError(row.kind, row.say(where, clean(code)))
}

/** The code of the innermost error that has one; else its name, where it has one of its own, or its message. */
function codeOf(error: unknown, depth = 0): string {
  if (!(error instanceof Error)) return 'unknown error'
  const { code, name, cause, errors } = error as Error & { code?: unknown; errors?: unknown[] }
  const inner = cause ?? errors?.[0]
  if (inner instanceof Error && depth < 5) return codeOf(inner, depth + 1)
  if (typeof code === 'string') return code
  return name === 'Error' || name === 'TypeError' ? error.message : name
}

/** One short line without addresses that may hold credentials. */
export function clean(text: string): string {
  const line = text.replace(/[\s\p{Cc}]+/gu, ' ').replace(/\/\/[^/\s]*@/g, '//')
  return line.length <= 200 ? line : `${line.slice(0, 199).toWellFormed()}…`
}
