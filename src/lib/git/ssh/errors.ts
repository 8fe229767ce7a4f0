// What goes wrong on the way of ssh, row by row, and what the user is told about it. What concerns sockets alone is in error-table.ts.
import { cleanText, toGitError } from '../error-table.ts'
import { GitError, type GitErrorKind } from '../errors.ts'
import { redactUrl } from '../url.ts'

/** `repo` is the address as it may be shown, `what` what the server or the library said. */
type Say = (repo: string, what: string) => string

/** Failures of the SSH library, by their level. */
const LEVELS: Readonly<Record<string, { kind: GitErrorKind; say: Say }>> = {
  'client-authentication': {
    kind: 'authentication',
    say: (repo) =>
      `authentication failed: the server of ${repo} does not take this SSH key; allow its public half to read the repository there`,
  },
  'client-timeout': { kind: 'timeout', say: (repo) => `the ssh server of ${repo} did not answer in time; it is tried again` },
  'client-dns': { kind: 'unreachable', say: (repo) => `the host of ${repo} cannot be found; check the URL and the name server` },
  handshake: {
    kind: 'protocol',
    say: (repo, what) => `the ssh server of ${repo} and we find no common way to talk (${what}); check host and port, or update the server`,
  },
  protocol: {
    kind: 'protocol',
    say: (repo, what) => `what answers at ${repo} does not speak ssh as we do (${what}); check host and port of the URL`,
  },
}

interface Row {
  readonly kind: GitErrorKind
  /** What the command on the server says. */
  readonly text: RegExp
  readonly say: Say
}

/** Why a session ended before git said anything. The first row that fits tells kind and message. */
const ROWS: readonly Row[] = [
  {
    kind: 'not-found',
    text: /repository not found|not appear to be a git repository|could not be found|does not exist|no such (?:repository|project)|cannot find repository|not found.*repository/i,
    say: (repo, what) =>
      `repository not found: the server knows no ${repo} (${what}); correct the URL, or allow the SSH key to read the repository there`,
  },
  {
    kind: 'authentication',
    text: /permission denied|access denied|unauthorized|not authorized|forbidden|not allowed to|deploy key/i,
    say: (repo, what) => `authentication failed: this SSH key may not read ${repo} (${what}); give it read access or use another`,
  },
  {
    kind: 'protocol',
    text: /command not found|: not found|unknown command|shell access|not enabled/i,
    say: (repo, what) => `the server of ${repo} has no git for this user (${what}); correct user and host of the URL`,
  },
]

/** The session ended early. `complaint` is what the command said, `code` its exit code if it has one. */
export class SessionEndedError extends Error {
  readonly complaint: string
  readonly code: number | undefined

  constructor(complaint: string, code: number | undefined) {
    super('the session ended early')
    this.complaint = complaint
    this.code = code
  }
}

/** Turns whatever was thrown while talking to `url` by ssh into a GitError. */
export function toSshError(error: unknown, url: string): GitError {
  if (error instanceof GitError) return error
  if (error instanceof SessionEndedError) return endedEarly(error, redactUrl(url))
  const { level, code, message = '' } = (error instanceof Error ? error : {}) as Error & { level?: unknown; code?: unknown }
  const row = typeof code === 'string' ? undefined : LEVELS[String(level)]
  if (row) return new GitError(row.kind, row.say(redactUrl(url), cleanText(message)), { cause: error })
  return toGitError(error, url)
}

function endedEarly({ complaint, code }: SessionEndedError, repo: string): GitError {
  const what = cleanText(complaint) || (code === undefined ? 'the connection was closed' : `exit code ${code}`)
  const row = ROWS.find(({ text }) => text.test(what))
  if (row) return new GitError(row.kind, row.say(repo, what))
  if (code === undefined && complaint === '')
    return new GitError('unreachable', `the server of ${repo} closed the connection; it is tried again`)
  return new GitError(
    'protocol',
    `the server of ${repo} refuses to give the repository (${what}); check the URL and what the SSH key may read`,
  )
}
