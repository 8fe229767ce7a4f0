// Parses regular expressions in the syntax of RE2, which is Go's: no look-around, no backreferences.
import { fail, TemplateLimitError } from '../errors.ts'
import { negatedIf, perlClass, posixClass, rangesTest, remembered, unicodeClass } from './classes.ts'
import { parseEscape } from './escape.ts'
import type { Assertion, CharacterTest, RegexNode, RegexTree } from './nodes.ts'

const MAX_DEPTH = 200
const MAX_REPEAT = 1_000
const EMPTY: RegexNode = { kind: 'empty' }

interface Flags {
  /** i: any case */
  readonly fold: boolean
  /** m: `^` and `$` at lines */
  readonly lines: boolean
  /** s: `.` is also a line end */
  readonly dotAll: boolean
  /** U: repetitions are short unless `?` follows */
  readonly short: boolean
}

const FLAG_NAMES: Readonly<Record<string, keyof Flags>> = { i: 'fold', m: 'lines', s: 'dotAll', U: 'short' }
const ASSERTIONS: Readonly<Record<string, Assertion>> = { A: 'beginText', z: 'endText', b: 'wordBoundary', B: 'noWordBoundary' }

/** Parses a regular expression. Throws `FunctionError` if it is none. */
export function parseRegex(pattern: string): RegexTree {
  return new RegexParser(pattern).parse()
}

class RegexParser {
  readonly #pattern: string
  readonly #names: (string | undefined)[] = [undefined]
  #at = 0
  #flags: Flags = { fold: false, lines: false, dotAll: false, short: false }

  constructor(pattern: string) {
    this.#pattern = pattern
  }

  parse(): RegexTree {
    const root = this.#choice(0)
    if (this.#at < this.#pattern.length) fail('error parsing regexp: unexpected )')
    return { root, names: this.#names }
  }

  #wrong(problem: string, from: number): never {
    return fail(`error parsing regexp: ${problem}: \`${this.#pattern.slice(from, this.#at)}\``)
  }

  #peek(): string {
    return this.#pattern.charAt(this.#at)
  }

  #take(text: string): boolean {
    const found = this.#pattern.startsWith(text, this.#at)
    if (found) this.#at += text.length
    return found
  }

  #match(expression: RegExp): RegExpExecArray | undefined {
    expression.lastIndex = this.#at
    const match = expression.exec(this.#pattern) ?? undefined
    if (match) this.#at += match[0].length
    return match
  }

  #choice(depth: number): RegexNode {
    if (depth > MAX_DEPTH) throw new TemplateLimitError(`a regular expression nests deeper than ${MAX_DEPTH} levels`)
    // flags that are set inside a group end with it
    const flags = this.#flags
    const parts = [this.#sequence(depth)]
    while (this.#take('|')) parts.push(this.#sequence(depth))
    this.#flags = flags
    return parts.length === 1 ? (parts[0] ?? EMPTY) : { kind: 'choice', parts }
  }

  #sequence(depth: number): RegexNode {
    const parts: RegexNode[] = []
    while (this.#at < this.#pattern.length && !'|)'.includes(this.#peek())) {
      const start = this.#at
      parts.push(...(this.#take('\\Q') ? this.#literalText() : this.#atom(depth)))
      // flags and empty quotes are passed over: a repetition after them counts for the item before
      const last = parts.pop()
      if (last) parts.push(this.#repeated(last, start))
    }
    return parts.length === 1 ? (parts[0] ?? EMPTY) : { kind: 'sequence', parts }
  }

  /** `\Q…\E` */
  #literalText(): RegexNode[] {
    const start = this.#at
    const end = this.#pattern.indexOf('\\E', start)
    const text = this.#pattern.slice(start, end < 0 ? undefined : end)
    this.#at = end < 0 ? this.#pattern.length : end + 2
    return [...text].map((character) => this.#literal(character.codePointAt(0) ?? 0))
  }

  /** One item, or none if it only sets flags. */
  #atom(depth: number): RegexNode[] {
    const group = this.#peek() === '(' ? this.#group(depth) : this.#item()
    return group ? [group] : []
  }

  #item(): RegexNode {
    const start = this.#at
    const code = this.#pattern.codePointAt(start) ?? 0
    switch (this.#peek()) {
      case '[':
        return { kind: 'character', test: remembered(this.#class()) }
      case '.':
        this.#at++
        return { kind: 'character', test: this.#flags.dotAll ? () => true : (character) => character !== 10 }
      case '^':
        this.#at++
        return { kind: 'assertion', assertion: this.#flags.lines ? 'beginLine' : 'beginText' }
      case '$':
        this.#at++
        return { kind: 'assertion', assertion: this.#flags.lines ? 'endLine' : 'endText' }
      case '*':
      case '+':
      case '?':
        this.#at++
        return this.#wrong('missing argument to repetition operator', start)
      case '{':
        if (this.#bounds()) this.#wrong('missing argument to repetition operator', start)
        break
      case '\\':
        return this.#escape()
    }
    this.#at = start + String.fromCodePoint(code).length
    return this.#literal(code)
  }

  #literal(code: number): RegexNode {
    if (!this.#flags.fold) return { kind: 'character', test: (character) => character === code }
    return { kind: 'character', test: remembered(rangesTest([[code, code]], true)) }
  }

  #escape(): RegexNode {
    const start = this.#at
    const letter = this.#pattern.charAt(start + 1)
    const assertion = Object.hasOwn(ASSERTIONS, letter) ? ASSERTIONS[letter] : undefined
    if (assertion) {
      this.#at += 2
      return { kind: 'assertion', assertion }
    }
    const test = this.#classEscape()
    return test ? { kind: 'character', test: remembered(test) } : this.#literal(this.#character())
  }

  /** `\d`, `\pL` and the like, inside and outside of brackets. */
  #classEscape(): CharacterTest | undefined {
    const start = this.#at
    const letter = this.#pattern.charAt(start + 1)
    const perl = perlClass(letter, this.#flags.fold)
    if (perl) {
      this.#at += 2
      return perl
    }
    if (letter !== 'p' && letter !== 'P') return undefined
    this.#at += 2
    const match = this.#match(/\{([^}]*)\}|([^{])/suy) ?? this.#wrong('invalid character class range', start)
    const test = unicodeClass(match[1] ?? match[2] ?? '', this.#flags.fold) ?? this.#wrong('invalid character class range', start)
    return negatedIf(letter === 'P', test)
  }

  /** An escaped or plain character. */
  #character(): number {
    const start = this.#at
    if (this.#peek() !== '\\') {
      const code = this.#pattern.codePointAt(start) ?? 0
      this.#at += String.fromCodePoint(code).length
      return code
    }
    const found = parseEscape(this.#pattern, start)
    this.#at = found.end
    return (
      found.code ??
      this.#wrong(start + 1 < this.#pattern.length ? 'invalid escape sequence' : 'trailing backslash at end of expression', start)
    )
  }

  #repeated(atom: RegexNode, start: number): RegexNode {
    const bounds = this.#bounds()
    if (!bounds) return atom
    const lazy = this.#take('?')
    const { min, max } = bounds
    if (min > MAX_REPEAT || (max ?? 0) > MAX_REPEAT || (max !== undefined && max < min)) this.#wrong('invalid repeat count', start)
    if (this.#bounds()) this.#wrong('invalid nested repetition operator', start)
    const node: RegexNode = { kind: 'repeat', body: atom, min, max, greedy: lazy === this.#flags.short }
    if (repeats(node) > MAX_REPEAT) this.#wrong('invalid repeat count', start)
    return node
  }

  #bounds(): { min: number; max: number | undefined } | undefined {
    if (this.#take('*')) return { min: 0, max: undefined }
    if (this.#take('+')) return { min: 1, max: undefined }
    if (this.#take('?')) return { min: 0, max: 1 }
    const match = this.#match(/\{(0|[1-9]\d*)(?:(,)(0|[1-9]\d*)?)?\}/y)
    if (!match) return undefined
    const min = Number(match[1])
    return { min, max: match[2] === undefined ? min : match[3] === undefined ? undefined : Number(match[3]) }
  }

  #group(depth: number): RegexNode | undefined {
    const start = this.#at
    this.#at++
    if (!this.#take('?')) return this.#closed(start, this.#capture(undefined, depth))
    const named = this.#match(/P?<([^>]*)>/y)
    if (named) {
      const name = named[1] ?? ''
      if (!/^\w+$/.test(name)) this.#wrong('invalid named capture', start)
      return this.#closed(start, this.#capture(name, depth))
    }
    const match = this.#match(/([imsU]*)(?:-([imsU]+))?([:)])/y) ?? this.#wrong('invalid or unsupported Perl syntax', start)
    const [, on = '', off = '', end] = match
    const outer = this.#flags
    this.#flags = { ...outer, ...switched(on, true), ...switched(off, false) }
    if (end === ')') return undefined
    const body = this.#choice(depth + 1)
    this.#flags = outer
    return this.#closed(start, body)
  }

  #capture(name: string | undefined, depth: number): RegexNode {
    const index = this.#names.push(name) - 1
    return { kind: 'group', index, body: this.#choice(depth + 1) }
  }

  #closed(start: number, node: RegexNode): RegexNode {
    if (!this.#take(')')) {
      this.#at = this.#pattern.length
      this.#wrong('missing closing )', start)
    }
    return node
  }

  #class(): CharacterTest {
    const start = this.#at
    this.#at++
    const negated = this.#take('^')
    const tests: CharacterTest[] = []
    for (let first = true; first || this.#peek() !== ']'; first = false) {
      if (this.#at >= this.#pattern.length) this.#wrong('missing closing ]', start)
      tests.push(this.#classItem())
    }
    this.#at++
    return negatedIf(negated, (code) => tests.some((test) => test(code)))
  }

  #classItem(): CharacterTest {
    const start = this.#at
    const { fold } = this.#flags
    const named = this.#match(/\[:(.*?):\]/suy)
    if (named) return posixClass(named[1] ?? '', fold) ?? this.#wrong('invalid character class range', start)
    if (this.#peek() === '\\') {
      const escaped = this.#classEscape()
      if (escaped) return escaped
    }
    const low = this.#character()
    if (this.#peek() !== '-' || this.#pattern.charAt(this.#at + 1) === ']' || this.#at + 1 >= this.#pattern.length)
      return rangesTest([[low, low]], fold)
    this.#at++
    const high = this.#character()
    return high < low ? this.#wrong('invalid character class range', start) : rangesTest([[low, high]], fold)
  }
}

function switched(letters: string, value: boolean): Partial<Flags> {
  return Object.fromEntries([...letters].map((letter) => [FLAG_NAMES[letter] ?? 'fold', value]))
}

/** How many copies of its innermost part nested repetitions make. */
function repeats(node: RegexNode): number {
  switch (node.kind) {
    case 'group':
      return repeats(node.body)
    case 'sequence':
    case 'choice':
      return Math.max(1, ...node.parts.map(repeats))
    case 'repeat':
      return Math.max(node.max ?? node.min, 1) * repeats(node.body)
    default:
      return 1
  }
}
