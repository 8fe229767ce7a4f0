// Runs a compiled regular expression over a text with all alternatives side by side: time grows with text × expression, never faster.
import type { Run } from '../values/value.ts'
import type { Assertion } from './nodes.ts'
import type { RegexProgram } from './program.ts'

/** Indexes into the text: start and end of the match, then of each group; -1 where a group took no part. */
export type Match = readonly number[]

interface Thread {
  readonly at: number
  readonly slots: Match
}

/** Threads in the order of their preference; each instruction occurs once. */
class ThreadList {
  readonly threads: Thread[] = []
  readonly #seen: Uint8Array

  constructor(size: number) {
    this.#seen = new Uint8Array(size)
  }

  /** False if the instruction was there already. */
  visit(at: number): boolean {
    if (this.#seen[at] === 1) return false
    this.#seen[at] = 1
    return true
  }

  clear(): void {
    this.threads.length = 0
    this.#seen.fill(0)
  }
}

/** The leftmost match at or after an index, of several the preferred one; undefined if there is none. */
export function findMatch(program: RegexProgram, text: string, from: number, meter: Run['meter']): Match | undefined {
  const { instructions, start, names } = program
  let current = new ThreadList(instructions.length)
  let next = new ThreadList(instructions.length)
  const none: Match = new Array<number>(names.length * 2).fill(-1)
  let found: Match | undefined
  for (let index = from; ; ) {
    if (!found) follow(program, current, start, text, index, none)
    if (current.threads.length === 0 && (found || index >= text.length)) return found
    meter.step((2 + current.threads.length) / 16)
    const code = codeAt(text, index)
    const width = code > 0xffff ? 2 : 1
    for (const { at, slots } of current.threads) {
      const instruction = instructions[at]
      if (instruction?.kind === 'match') {
        found = slots
        break
      }
      if (instruction?.kind === 'character' && code >= 0 && instruction.test(code))
        follow(program, next, instruction.next, text, index + width, slots)
    }
    if (code < 0) return found
    index += width
    const done = current
    current = next
    next = done
    next.clear()
  }
}

/** -1 at the end of the text; a byte that belongs to no character counts as U+FFFD. */
function codeAt(text: string, index: number): number {
  const code = text.codePointAt(index) ?? -1
  return code >= 0xdc80 && code <= 0xdcff ? 0xfffd : code
}

/** Adds an instruction with all that can be reached from it without reading a character. */
function follow(program: RegexProgram, list: ThreadList, start: number, text: string, index: number, slots: Match): void {
  const pending: Thread[] = [{ at: start, slots }]
  for (let thread = pending.pop(); thread; thread = pending.pop()) {
    if (!list.visit(thread.at)) continue
    const instruction = program.instructions[thread.at]
    switch (instruction?.kind) {
      case 'split':
        pending.push({ at: instruction.other, slots: thread.slots }, { at: instruction.next, slots: thread.slots })
        break
      case 'save':
        pending.push({ at: instruction.next, slots: thread.slots.with(instruction.slot, index) })
        break
      case 'assert':
        if (holds(instruction.assertion, text, index)) pending.push({ at: instruction.next, slots: thread.slots })
        break
      default:
        list.threads.push(thread)
    }
  }
}

function holds(assertion: Assertion, text: string, index: number): boolean {
  switch (assertion) {
    case 'beginText':
      return index === 0
    case 'endText':
      return index === text.length
    case 'beginLine':
      return index === 0 || text[index - 1] === '\n'
    case 'endLine':
      return index === text.length || text[index] === '\n'
    case 'wordBoundary':
      return isWord(text, index - 1) !== isWord(text, index)
    case 'noWordBoundary':
      return isWord(text, index - 1) === isWord(text, index)
  }
}

function isWord(text: string, index: number): boolean {
  return /\w/.test(text.charAt(index))
}
