import { describe, expect, test } from 'vitest'
import { StatusError, toGitError } from './error-table.ts'
import { GitError, type GitErrorKind } from './errors.ts'

const url = 'https://me:CANARY@git.example/app'
const coded = (code: string, message = 'it failed'): Error => Object.assign(new Error(message), { code })
const named = (name: string): Error => Object.assign(new Error('it failed'), { name })

describe('errors of git', () => {
  test.each<[string, unknown, GitErrorKind, RegExp]>([
    ['401', new StatusError(401), 'authentication', /authentication required/],
    ['203', new StatusError(203), 'authentication', /authentication required/],
    ['403', new StatusError(403), 'authentication', /authentication failed/],
    ['404', new StatusError(404), 'not-found', /repository not found/],
    ['410', new StatusError(410), 'not-found', /repository not found/],
    ['407', new StatusError(407), 'unreachable', /proxy .* wants credentials/],
    [
      'proxy 407',
      coded('UND_ERR_ABORTED', 'Proxy response (407) !== 200 when HTTP Tunneling'),
      'unreachable',
      /proxy .* wants credentials/,
    ],
    ['proxy 403', coded('UND_ERR_ABORTED', 'Proxy response (403) !== 200 when HTTP Tunneling'), 'unreachable', /proxy refuses/],
    ['429', new StatusError(429), 'unreachable', /too many requests/],
    ['500', new StatusError(500), 'unreachable', /\(status 500\)/],
    ['599', new StatusError(599), 'unreachable', /\(status 599\)/],
    ['expired', coded('CERT_HAS_EXPIRED'), 'certificate', /not valid now/],
    ['other host', coded('ERR_TLS_CERT_ALTNAME_INVALID'), 'certificate', /another host name/],
    ['self-signed', coded('DEPTH_ZERO_SELF_SIGNED_CERT'), 'certificate', /unknown authority/],
    ['unknown issuer', coded('UNABLE_TO_GET_ISSUER_CERT_LOCALLY'), 'certificate', /unknown authority/],
    ['no PEM', coded('ERR_OSSL_PEM_BAD_BASE64_DECODE'), 'certificate', /no PEM certificates/],
    ['no TLS', coded('ERR_SSL_WRONG_VERSION_NUMBER'), 'protocol', /does not speak TLS/],
    ['no host', coded('ENOTFOUND'), 'unreachable', /host .* cannot be found/],
    ['no headers', coded('UND_ERR_HEADERS_TIMEOUT'), 'timeout', /did not answer in time/],
    ['time limit', named('TimeoutError'), 'timeout', /did not answer in time/],
    ['refused', coded('ECONNREFUSED'), 'unreachable', /cannot be reached/],
    ['cut off', coded('UND_ERR_SOCKET'), 'unreachable', /cannot be reached/],
    ['long headers', coded('UND_ERR_HEADERS_OVERFLOW'), 'too-large', /too large/],
    ['no git', coded('SmartHttpError'), 'protocol', /not a git repository/],
    ['no http', coded('HPE_INVALID_CONSTANT'), 'protocol', /not a git repository/],
    ['no commit', coded('NotFoundError'), 'unknown-ref', /no such commit/],
    ['broken pack', coded('InternalError'), 'protocol', /broken pack/],
    ['disk full', coded('ENOSPC'), 'other', /no space left/],
    ['302 to nowhere', new StatusError(302), 'protocol', /refuses to answer/],
    ['400', new StatusError(400), 'protocol', /refuses to answer/],
    ['anything', new Error('strange'), 'other', /reading https:\/\/git\.example\/app failed: strange/],
    ['no error', 'strange', 'other', /failed: strange/],
  ])('%s', (_what, error, kind, message) => {
    const found = toGitError(error, url)
    expect(found).toBeInstanceOf(GitError)
    expect([found.kind, found.message]).toEqual([kind, expect.stringMatching(message)])
    expect(found.message).not.toContain('CANARY')
    expect(found.message).toContain('https://git.example/app')
  })

  test('the cause counts when the error itself says nothing', () => {
    expect(toGitError(new TypeError('failed', { cause: coded('ECONNREFUSED') }), url).kind).toBe('unreachable')
    expect(toGitError(new AggregateError([coded('ECONNREFUSED'), coded('ETIMEDOUT')]), url).kind).toBe('unreachable')
  })

  test('addresses with credentials do not show, and long texts are cut', () => {
    const { message } = toGitError(new Error(`asked https://you:CANARY@git.example/x\n${'a'.repeat(1_000)}`), url)
    expect(message).not.toContain('CANARY')
    expect(message.length).toBeLessThan(300)
  })

  test('how long to stay away is kept', () => {
    expect(toGitError(new StatusError(429, 5_000), url).retryAfterMs).toBe(5_000)
  })

  test('a GitError stays what it is', () => {
    const error = new GitError('other', 'mine')
    expect(toGitError(error, url)).toBe(error)
  })
})
