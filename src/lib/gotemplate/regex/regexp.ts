// What Go's regexp package offers: find, replace, split.
import { fail, TemplateLimitError } from '../errors.ts'
import { hasLoneBytes } from '../values/bytes.ts'
import { isDigit, isLetter } from '../values/letters.ts'
import type { Run } from '../values/value.ts'
import { findMatch, type Match } from './machine.ts'
import { parseRegex } from './parser.ts'
import { compileRegex, type RegexProgram } from './program.ts'

/** Compiles a regular expression. Throws `FunctionError` if it is none, `TemplateLimitError` if it is too large. */
export function compile(pattern: string, { limits }: Run['meter']): RegexProgram {
  if (pattern.length > limits.patternLength)
    throw new TemplateLimitError(`a regular expression is longer than ${limits.patternLength} characters`)
  if (hasLoneBytes(pattern)) fail('error parsing regexp: invalid UTF-8')
  return compileRegex(parseRegex(pattern))
}

function checkInput(text: string, { limits }: Run['meter']): void {
  if (text.length > limits.regexInput)
    throw new TemplateLimitError(`a regular expression is applied to more than ${limits.regexInput} characters`)
}

/** The first match. */
export function find(program: RegexProgram, text: string, meter: Run['meter']): Match | undefined {
  checkInput(text, meter)
  return findMatch(program, text, 0, meter)
}

/** At most so many matches that do not overlap; all if the limit is negative. */
export function findAll(program: RegexProgram, text: string, limit: number, meter: Run['meter']): Match[] {
  checkInput(text, meter)
  const matches: Match[] = []
  let previousEnd = -1
  for (let index = 0; index <= text.length && (limit < 0 || matches.length < limit); ) {
    const match = findMatch(program, text, index, meter)
    if (!match) break
    const [start = 0, end = 0] = match
    const empty = end === index
    // an empty match right after another one does not count
    if (!(empty && start === previousEnd)) matches.push(match)
    index = empty ? index + widthAt(text, index) : end
    previousEnd = end
  }
  return matches
}

/** Replaces all matches by what the function gives. */
export function replaceAll(program: RegexProgram, text: string, meter: Run['meter'], replacement: (match: Match) => string): string {
  checkInput(text, meter)
  let [result, last] = ['', 0]
  for (let index = 0; index <= text.length; ) {
    const match = findMatch(program, text, index, meter)
    if (!match) break
    const [start = 0, end = 0] = match
    result += text.slice(last, start)
    if (end > last || start === 0) {
      const replaced = replacement(match)
      meter.create(replaced.length)
      result += replaced
    }
    last = end
    index = Math.max(end, index + widthAt(text, index))
  }
  return result + text.slice(last)
}

/** The parts between matches, at most so many; all if the limit is negative. */
export function split(program: RegexProgram, pattern: string, text: string, limit: number, meter: Run['meter']): string[] {
  if (limit === 0) return []
  if (pattern !== '' && text === '') return ['']
  const parts: string[] = []
  let [begin, last] = [0, 0]
  for (const [start = 0, end = 0] of findAll(program, text, limit, meter)) {
    if (limit > 0 && parts.length === limit - 1) break
    last = start
    if (end !== 0) parts.push(text.slice(begin, start))
    begin = end
  }
  return last === text.length ? parts : [...parts, text.slice(begin)]
}

/** The length of the character at an index; 1 at the end. */
function widthAt(text: string, index: number): number {
  return (text.codePointAt(index) ?? 0) > 0xffff ? 2 : 1
}

/** A replacement with `$1`, `${name}` and `$$` filled in. */
export function expand(template: string, text: string, match: Match, names: RegexProgram['names']): string {
  let result = ''
  for (let index = 0; index < template.length; ) {
    const dollar = template.indexOf('$', index)
    if (dollar < 0) return result + template.slice(index)
    result += template.slice(index, dollar)
    const reference = template[dollar + 1] === '$' ? { value: '$', end: dollar + 2 } : referenceAt(template, dollar, text, match, names)
    result += reference?.value ?? '$'
    index = reference?.end ?? dollar + 1
  }
  return result
}

/** Undefined: a dollar that names no group is itself. */
function referenceAt(
  template: string,
  dollar: number,
  text: string,
  match: Match,
  names: RegexProgram['names'],
): { readonly value: string; readonly end: number } | undefined {
  const braced = template[dollar + 1] === '{'
  const start = dollar + (braced ? 2 : 1)
  let end = start
  for (const character of template.slice(start, start + 200)) {
    if (character !== '_' && !isLetter(character) && !isDigit(character)) break
    end += character.length
  }
  const name = template.slice(start, end)
  if (name === '' || (braced && template[end] !== '}')) return undefined
  const group = /^(0|[1-9]\d{0,8})$/.test(name)
    ? Number(name)
    : names.findIndex((known, index) => known === name && (match[2 * index] ?? -1) >= 0)
  const [from = -1, to = -1] = group < 0 ? [] : match.slice(2 * group, 2 * group + 2)
  return { value: from < 0 ? '' : text.slice(from, to), end: braced ? end + 1 : end }
}
