// What a reading asked of the files of a commit. Whoever makes bundles of files does it by these questions alone: where another commit answers all of them
// alike, reading it would give the same bundles.
import { createHash } from 'node:crypto'
import type { CommitEntryKind, CommitFiles } from '../lib/git/commit-files.ts'

/** Questions, and one sum over the answers. */
export interface ReadTrace {
  readonly questions: Buffer
  readonly answers: string
}

/** Is told of each look at a file or folder. Paths are relative to the top, cleaned (`a/b`, `.`). */
export interface TraceRecorder {
  /** What a path is, links at its end not followed. */
  kind(path: string, answer: CommitEntryKind | 'other' | undefined): void
  /** The names in a folder. */
  list(path: string, answer: readonly { readonly name: string; readonly kind: CommitEntryKind | 'other' }[] | undefined): void
  /** The content of a file that was found in the folder `within`. */
  content(path: string, within: string): void
  /** The reading depends on something else: it has to be done for each commit. */
  spoil(why: string): void
}

export interface OpenTrace extends TraceRecorder {
  /** Undefined when a commit without changes cannot be told by this reading. */
  finish(): ReadTrace | undefined
  /** Why it cannot. */
  readonly spoiled: string | undefined
}

/** Names of more than this are not worth keeping. */
const MAX_BYTES = 8 * 2 ** 20

/** A recorder for one reading of `files`. It believes nobody: answers that are not those of the files on paper spoil it. */
export function recordTrace(files: CommitFiles, maxBytes = MAX_BYTES): OpenTrace {
  const questions = new Set<string>()
  let bytes = 0
  let spoiled: string | undefined

  function note(question: string, isRight: boolean): void {
    if (spoiled !== undefined || questions.has(question)) return
    questions.add(question)
    bytes += Buffer.byteLength(question) + 1
    if (!isRight) spoil('files that are not as the commit describes them')
    else if (bytes > maxBytes) spoil('too many files to remember')
  }

  function spoil(why: string): void {
    if (spoiled !== undefined) return
    spoiled = why
    questions.clear()
  }

  return {
    kind: (path, answer) => note(`k${path}`, files.kind(path) === answer),
    list: (path, answer) => note(`l${path}`, textOf(files.list(path)) === textOf(answer)),
    content: (path, within) =>
      note(within === '.' ? `c${path}` : `w${JSON.stringify([path, within])}`, files.content(path, within) !== undefined),
    spoil,
    get spoiled() {
      return spoiled
    },
    finish() {
      if (spoiled !== undefined) return undefined
      const all = [...questions]
      return { questions: Buffer.from(all.join('\0')), answers: sumOf(files, all) }
    },
  }
}

/** Whether a reading of `files` would find what the recorded one has found. */
export function isUntouched({ questions, answers }: ReadTrace, files: CommitFiles): boolean {
  return sumOf(files, questions.toString().split('\0')) === answers
}

function sumOf(files: CommitFiles, questions: readonly string[]): string {
  const hash = createHash('sha256')
  for (const question of questions) {
    const answer = answerTo(files, question)
    hash.update(`${answer.length} ${answer}`)
  }
  return hash.digest('hex')
}

function answerTo(files: CommitFiles, question: string): string {
  const about = question.slice(1)
  if (question.startsWith('k')) return files.kind(about) ?? '-'
  if (question.startsWith('l')) return textOf(files.list(about))
  const [path, within] = question.startsWith('w') ? (JSON.parse(about) as [string, string]) : ([about, '.'] as const)
  return files.content(path, within) ?? '-'
}

function textOf(entries: readonly { readonly name: string; readonly kind: string }[] | undefined): string {
  return entries ? `=${entries.map(({ name, kind }) => `${kind} ${name}\0`).join('')}` : '-'
}
