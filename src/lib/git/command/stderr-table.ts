// What git and ssh say when they fail, row by row, and what the user is told. What the bridge reports goes before this.
import { cleanText, toGitError } from '../error-table.ts'
import { GitError, type GitErrorKind } from '../errors.ts'
import { SessionEndedError, toSshError } from '../ssh/errors.ts'
import { isSshUrl, redactUrl } from '../url.ts'
import { CommandFailedError } from './process-group.ts'

/** What git knows and the user does not, and the other way round. */
export interface ErrorContext {
  /** An address that is not to be shown. */
  readonly hidden?: string | undefined
  /** What the host's key was checked with. */
  readonly knownBy?: string | undefined
}

interface Row {
  readonly text: RegExp
  /** A code that the table of the other backend knows. */
  readonly code?: string
  readonly kind?: GitErrorKind
  /** `repo` is the address as it may be shown, `said` the line that fits. */
  readonly say?: (repo: string, said: string, context: ErrorContext) => string
}

/** The first row that fits tells kind and message. */
const ROWS: readonly Row[] = [
  {
    text: /attempting to allocate \d+ over limit|out of memory|malloc failed|mmap failed|Cannot allocate memory/i,
    kind: 'too-large',
    say: (repo, said) => `the repository ${repo} unpacks to more than there may be (${said}); split it, or take large files out of it`,
  },
  { text: /No space left on device|Disk quota exceeded/i, code: 'ENOSPC' },
  {
    text: /Host key verification failed|REMOTE HOST IDENTIFICATION HAS CHANGED|host key is known for|is revoked|marked as revoked/i,
    kind: 'host-key',
    say: (repo, said, { knownBy = 'known_hosts' }) =>
      `mismatch of the host key of the server of ${repo}: it is not the one that ${knownBy} has (${said}); ` +
      'if the key was changed on purpose, put the new one in its place there, otherwise somebody may be in between',
  },
  {
    text: /Permission denied \(|Too many authentication failures|No supported authentication methods/i,
    kind: 'authentication',
    say: (repo) =>
      `authentication failed: the server of ${repo} does not take this SSH key; allow its public half to read the repository there`,
  },
  { text: /Could not resolve hostname/i, code: 'ENOTFOUND' },
  { text: /Connection timed out|Operation timed out|Timeout, server .* not responding/i, code: 'ETIMEDOUT' },
  { text: /Connection refused/i, code: 'ECONNREFUSED' },
  { text: /No route to host/i, code: 'EHOSTUNREACH' },
  { text: /Network is unreachable/i, code: 'ENETUNREACH' },
  { text: /kex_exchange_identification|Connection (?:closed|reset) by|Broken pipe/i, code: 'ECONNRESET' },
  {
    text: /no matching (?:host key|cipher|mac|key exchange)/i,
    kind: 'protocol',
    say: (repo, said) => `the ssh server of ${repo} and we find no common way to talk (${said}); check host and port, or update the server`,
  },
  {
    text: /fsck|hasDot|fullPathname|pathTooLong|gitmodules|object of unexpected type/i,
    kind: 'protocol',
    say: (repo, said) => `the repository ${repo} holds what no repository may hold (${said}); remove it from the commit`,
  },
  {
    text: /pack|inflate|early EOF|unpack|object file|corrupt|bad object|fetch-pack|did not send all necessary objects|could not fetch/i,
    kind: 'protocol',
    say: (repo, said) => `the server of ${repo} sent a broken pack (${said}); it is tried again`,
  },
  {
    text: /is this a git repository|invalid server response|protocol error|bad line length|expected|unexpected|hung up/i,
    kind: 'protocol',
    say: (repo, said) => `what answers at ${repo} is not a git repository (${said}); correct the URL`,
  },
]

/** What git adds to each failure of a transport. */
const BOILERPLATE =
  /^(?:fatal: Could not read from remote repository\.|Please make sure you have the correct access rights|and the repository exists\.|@{5,}.*|warning: .*|)$/

/** The server does not give an object just because we name it; it may still be part of what its refs name. */
const NOT_OFFERED = /not our ref|unadvertised object|want .* not valid|no such remote ref|couldn't find remote ref/i

/** Whether a server refused to give an object by its name. */
export function isNotOffered(error: unknown): boolean {
  return error instanceof CommandFailedError && NOT_OFFERED.test(error.stderr)
}

/** Turns whatever was thrown while git read `url` into a GitError. */
export function toCommandError(error: unknown, url: string, context: ErrorContext = {}): GitError {
  if (!(error instanceof CommandFailedError)) return toGitError(error, url)
  const repo = redactUrl(url)
  const stderr = context.hidden ? error.stderr.replaceAll(context.hidden, repo) : error.stderr
  const lines = stderr
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => !BOILERPLATE.test(line))
  for (const row of ROWS) {
    const line = lines.find((one) => row.text.test(one))
    if (line !== undefined) return verdict(row, url, cleanText(line.replace(/^(?:fatal|error): /, '')), context)
  }
  if (isSshUrl(url)) return toSshError(new SessionEndedError(lines.join(' '), error.exitCode ?? undefined), url)
  return new GitError('other', `reading ${repo} failed: ${cleanText(lines.join(' ')) || 'git ended without a word'}`)
}

function verdict({ code, kind, say }: Row, url: string, said: string, context: ErrorContext): GitError {
  if (kind && say) return new GitError(kind, say(redactUrl(url), said, context))
  return toGitError(Object.assign(new Error(said), { code }), url)
}
