// Names of branches, tags and commits. Nothing that git itself would refuse is ever sent to a server.
import { GitError } from './errors.ts'

const MAX_LENGTH = 255
/** Not allowed anywhere in a name (git check-ref-format). */
const FORBIDDEN = ['..', '//', '?', '*', '[', '@{', '\\', ' ', '~', '^', ':'] as const

/** Whether the text is a full commit id: 40 or 64 hexadecimal digits. */
export function isCommitId(text: string): boolean {
  return /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/i.test(text)
}

/** Throws if the name cannot be that of a branch (spec 8.2). */
export function checkBranch(name: string): void {
  check('branch', name)
}

/** Throws if the name cannot be that of a tag. */
export function checkTag(name: string): void {
  check('tag', name)
}

function check(what: 'branch' | 'tag', name: string): void {
  const problem = problemOf(name)
  if (problem)
    throw new GitError('unknown-ref', `invalid ${what} name ${JSON.stringify(name.slice(0, MAX_LENGTH))}: ${problem}; correct it`)
}

function problemOf(name: string): string | undefined {
  if (name === '') return 'it is empty'
  if (name.length > MAX_LENGTH) return `it is longer than ${MAX_LENGTH} characters`
  if (name === '@') return 'it means something else to git'
  const forbidden = FORBIDDEN.find((part) => name.includes(part))
  if (forbidden) return `it contains ${JSON.stringify(forbidden)}`
  if (/\p{Cc}/u.test(name)) return 'it contains a control character'
  if (name.startsWith('/') || name.endsWith('/') || name.endsWith('.')) return 'it starts with a slash, or ends with a slash or a dot'
  if (name.split('/').some((part) => part.startsWith('.') || part.endsWith('.lock')))
    return 'a part of it starts with a dot or ends with .lock'
  return undefined
}
