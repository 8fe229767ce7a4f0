// Reading fields of a body from somebody unknown: what is missing is empty, what has the wrong type is refused.
import { sshToUrl } from './repo-url.ts'
import { PayloadError, type Push } from './types.ts'

const ZERO = /^0*$/
const COMMIT = /^[0-9a-f]{7,64}$/i
const MAX_TEXT = 2_048
const MAX_ITEMS = 1_000

/** Parses a body; throws {@link PayloadError} unless it is a JSON object or null. */
export function parseBody(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    // the message of the parser would quote the body
    throw new PayloadError('the body is not JSON')
  }
}

/** The value under a path of keys; undefined where there is none. */
export function at(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>((found, key) => {
    if (found === undefined || found === null) return undefined
    if (typeof found !== 'object' || Array.isArray(found)) throw new PayloadError(`an object with ${key} was expected`)
    return Object.hasOwn(found, key) ? (found as Record<string, unknown>)[key] : undefined
  }, value)
}

/** The text under a path; empty if there is none. */
export function text(value: unknown, ...path: readonly string[]): string {
  const found = at(value, ...path) ?? ''
  if (typeof found !== 'string') throw new PayloadError(`${path.join('.')} is not a text`)
  if (found.length > MAX_TEXT) throw new PayloadError(`${path.join('.')} is too long`)
  return found
}

/** The list under a path; empty if there is none. */
export function items(value: unknown, ...path: readonly string[]): readonly unknown[] {
  const found = at(value, ...path) ?? []
  if (!Array.isArray(found)) throw new PayloadError(`${path.join('.')} is not a list`)
  if (found.length > MAX_ITEMS) throw new PayloadError(`${path.join('.')} has too many items`)
  return found
}

/** The branch of `refs/heads/<branch>`; empty for any other ref. */
export function branchOf(ref: string): string {
  return /^refs\/heads\/(.+)$/s.exec(ref)?.[1] ?? ''
}

/** A commit id; empty for what is none, and for the zeros that stand for a deleted branch. */
export function commitOf(id: string): string {
  return COMMIT.test(id) && !ZERO.test(id) ? id : ''
}

/** A push in the form that GitHub has made and others took over. */
export function githubPush(body: unknown): Push {
  return {
    urls: [text(body, 'repository', 'html_url'), sshToUrl(text(body, 'repository', 'ssh_url'))],
    branch: branchOf(text(body, 'ref')),
    commit: commitOf(text(body, 'after')),
  }
}
