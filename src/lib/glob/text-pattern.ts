// Patterns for plain texts, without any separator: `*` any text, `?` one character, `[abc]`, `[a-c]`, `[!abc]`, `{one,two}`, backslash. Matching takes linear time.
// Three oddities of the library that defined these patterns are kept: the ends of `ab*bc` may overlap (it matches `abc`), and `?` and `[!a]` alone match no character too.
import { BadPatternError } from './error.ts'

const ENDS = /^((?:[^*?[{\\]|\\[\s\S])+)\*+((?:[^*?[{\\]|\\[\s\S])+)$/
const WHOLE = /^\{([^{}[\]\\]*)\}$/
const ONE_OR_NONE = /^(?:\?|\[![^\]]*\])$/

/** A character to read, or a choice of ways to go on without reading. */
type State = { readonly accepts: (char: string) => boolean; next: number } | { readonly ways: number[] }

interface Compiler {
  readonly pattern: string
  readonly chars: readonly string[]
  readonly states: State[]
  at: number
}

/** Open braces: where the alternatives begin and the jumps from their ends. */
interface Group {
  readonly fork: { readonly ways: number[] }
  readonly ends: { ways: number[] }[]
}

/**
 * A test for whole texts.
 *
 *     compileTextPattern('kube-{system,public}')('kube-system') // true
 *
 * @throws BadPatternError
 */
export function compileTextPattern(pattern: string): (text: string) => boolean {
  const alternatives = wholeAlternatives(pattern)
  if (alternatives) {
    const tests = alternatives.map(compileTextPattern)
    return (text) => tests.some((test) => test(text))
  }
  const ends = ENDS.exec(pattern)
  if (ends) {
    const [prefix, suffix] = [literalOf(ends[1] ?? ''), literalOf(ends[2] ?? '')]
    return (text) => text.startsWith(prefix) && text.endsWith(suffix)
  }
  const matches = compileStates(pattern)
  return ONE_OR_NONE.test(pattern) ? (text) => text === '' || matches(text) : matches
}

/** The alternatives of a pattern that is one pair of braces and nothing else. */
function wholeAlternatives(pattern: string): string[] | undefined {
  return WHOLE.exec(pattern)?.[1]?.split(',')
}

function literalOf(text: string): string {
  return text.replace(/\\([\s\S])/g, '$1')
}

function compileStates(pattern: string): (text: string) => boolean {
  const compiler: Compiler = { pattern, chars: [...pattern], states: [], at: 0 }
  const groups: Group[] = []
  while (compiler.at < compiler.chars.length) compileNext(compiler, groups)
  // braces that are never closed end with the pattern
  while (groups.length > 0) closeGroup(compiler, groups)
  const { states } = compiler
  return (text) => run(states, text)
}

function compileNext(compiler: Compiler, groups: Group[]): void {
  const { states, chars } = compiler
  const char = chars[compiler.at++] ?? ''
  const group = groups.at(-1)
  if (char === '*') {
    const at = states.length
    states.push({ ways: [at + 1, at + 2] }, { accepts: () => true, next: at })
  } else if (char === '?') accept(compiler, () => true)
  else if (char === '[') compileClass(compiler)
  else if (char === '{') openGroup(compiler, groups)
  else if (char === ',' && group) endAlternative(compiler, group)
  else if (char === '}' && group) closeGroup(compiler, groups)
  else if (char !== '\\') accept(compiler, (other) => other === char)
  else if (compiler.at < chars.length) {
    const escaped = chars[compiler.at++]
    accept(compiler, (other) => other === escaped)
  }
}

function accept(compiler: Compiler, accepts: (char: string) => boolean): void {
  compiler.states.push({ accepts, next: compiler.states.length + 1 })
}

function openGroup(compiler: Compiler, groups: Group[]): void {
  const fork = { ways: [compiler.states.length + 1] }
  compiler.states.push(fork)
  groups.push({ fork, ends: [] })
}

function endAlternative(compiler: Compiler, group: Group): void {
  const end = { ways: [] }
  compiler.states.push(end)
  group.ends.push(end)
  group.fork.ways.push(compiler.states.length)
}

function closeGroup(compiler: Compiler, groups: Group[]): void {
  for (const end of groups.pop()?.ends ?? []) end.ways.push(compiler.states.length)
}

/** Either one range or a list of characters: a dash in a list stands for itself. */
function compileClass(compiler: Compiler): void {
  const { chars, pattern } = compiler
  const negated = chars[compiler.at] === '!'
  if (negated) compiler.at++
  const low = chars[compiler.at]
  if (low === undefined) throw new BadPatternError(pattern, 'a closing bracket is missing')
  if (chars[compiler.at + 1] === '-') {
    const high = chars[compiler.at + 2]
    if (high === undefined || chars[compiler.at + 3] !== ']')
      throw new BadPatternError(pattern, 'a range in brackets takes two characters and nothing else')
    if (codeOf(high) < codeOf(low)) throw new BadPatternError(pattern, 'a range in brackets runs backwards')
    compiler.at += 4
    accept(compiler, (char) => (codeOf(low) <= codeOf(char) && codeOf(char) <= codeOf(high)) !== negated)
    return
  }
  const members = readMembers(compiler)
  accept(compiler, (char) => members.has(char) !== negated)
}

function readMembers(compiler: Compiler): ReadonlySet<string> {
  const { chars, pattern } = compiler
  const members = new Set<string>()
  for (let char = chars[compiler.at++]; char !== ']'; char = chars[compiler.at++]) {
    if (char === '\\') char = chars[compiler.at++]
    if (char === undefined) throw new BadPatternError(pattern, 'a closing bracket is missing')
    members.add(char)
  }
  if (members.size === 0) throw new BadPatternError(pattern, 'the brackets are empty')
  return members
}

function codeOf(char: string): number {
  return char.codePointAt(0) ?? 0
}

/** Follows all ways at once; the state behind the last one is the end. */
function run(states: readonly State[], text: string): boolean {
  let current = reach(states, [0])
  for (const char of text) {
    const next: number[] = []
    for (const at of current) {
      const state = states[at]
      if (state && 'accepts' in state && state.accepts(char)) next.push(state.next)
    }
    if (next.length === 0) return false
    current = reach(states, next)
  }
  return current.has(states.length)
}

function reach(states: readonly State[], from: readonly number[]): ReadonlySet<number> {
  const reached = new Set<number>()
  const open = [...from]
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    if (reached.has(at)) continue
    reached.add(at)
    const state = states[at]
    if (state && 'ways' in state) open.push(...state.ways)
  }
  return reached
}
