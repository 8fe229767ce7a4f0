// Texts: cutting, searching, replacing, quoting.
import { fail } from '../errors.ts'
import { print } from '../format/print.ts'
import { quote } from '../format/quote.ts'
import { byteLength, sliceBytes, toBytes } from '../values/bytes.ts'
import { isDigit, isLetter, isSpace, lowerCase, lowerOf, mapCharacters, titleOf, trimSpace, upperCase } from '../values/letters.ts'
import { GoList, GoMap, type Run, type Value } from '../values/value.ts'
import { textOf, textsOf } from './convert.ts'
import { define, defineWith, type FunctionTable } from './define.ts'

const trimAll = define(['string', 'string'], (characters, text) => trimCharacters(text, characters))

/** Functions of texts. */
export const STRINGS: FunctionTable = {
  hello: define([], () => 'Hello!'),
  trim: define(['string'], trimSpace),
  upper: define(['string'], upperCase),
  lower: define(['string'], lowerCase),
  title: define(['string'], titleCase),
  untitle: define(['string'], untitle),
  trimall: trimAll,
  trimAll,
  trimSuffix: define(['string', 'string'], (suffix, text) =>
    suffix !== '' && text.endsWith(suffix) ? text.slice(0, -suffix.length) : text,
  ),
  trimPrefix: define(['string', 'string'], (prefix, text) => (text.startsWith(prefix) ? text.slice(prefix.length) : text)),
  nospace: define(['string'], withoutSpace),
  initials: define(['string'], initials),
  contains: define(['string', 'string'], (part, text) => text.includes(part)),
  hasPrefix: define(['string', 'string'], (prefix, text) => text.startsWith(prefix)),
  hasSuffix: define(['string', 'string'], (suffix, text) => text.endsWith(suffix)),
  trunc: define(['int', 'string'], (count, text) => truncated(text, Number(count))),
  substr: define(['int', 'int', 'string'], (start, end, text) => substring(text, Number(start), Number(end))),
  repeat: defineWith(['int', 'string'], (run, count, text) => {
    if (count < 0n) fail('strings: negative Repeat count')
    run.meter.create(Number(count) * text.length)
    return text.repeat(Number(count))
  }),
  replace: defineWith(['string', 'string', 'string'], (run, old, next, text) => replaceAll(text, old, next, run.meter)),
  plural: define(['string', 'string', 'int'], (one, many, count) => (count === 1n ? one : many)),
  quote: defineWith(['...any'], (run, ...values) =>
    present(values)
      .map((value) => quote(textOf(value, run.meter)))
      .join(' '),
  ),
  squote: defineWith(['...any'], (run, ...values) =>
    present(values)
      .map((value) => `'${print(value, run.meter)}'`)
      .join(' '),
  ),
  cat: defineWith(['...any'], (run, ...values) =>
    present(values)
      .map((value) => print(value, run.meter))
      .join(' '),
  ),
  toString: defineWith(['any'], (run, value) => textOf(value, run.meter)),
  toStrings: defineWith(['any'], (run, value) => (isTexts(value) ? value : new GoList(textsOf(value, run.meter), '[]string'))),
  join: defineWith(['string', 'any'], (run, separator, value) => joined(textsOf(value, run.meter), separator, run.meter)),
  split: define(['string', 'string'], (separator, text) => numbered(splitText(text, separator))),
  splitn: define(['string', 'int', 'string'], (separator, count, text) => numbered(splitText(text, separator, Number(count)))),
  splitList: define(['string', 'string'], (separator, text) => new GoList(splitText(text, separator), '[]string')),
}

function isTexts(value: Value): value is GoList {
  return value instanceof GoList && value.type === '[]string'
}

function present(values: readonly Value[]): readonly Value[] {
  return values.filter((value) => value !== null)
}

function joined(texts: readonly string[], separator: string, meter: Run['meter']): string {
  meter.create(texts.length * separator.length)
  return texts.join(separator)
}

function titleCase(text: string): string {
  let before = ' '
  return mapCharacters(text, (character) => {
    const begins = isSeparator(before)
    before = character
    return begins ? titleOf(character) : character
  })
}

function isSeparator(character: string): boolean {
  if (character <= '\x7f') return !/\w/.test(character)
  return !isLetter(character) && !isDigit(character) && isSpace(character)
}

function untitle(text: string): string {
  let begins = true
  return mapCharacters(text, (character) => {
    const wasBeginning = begins
    begins = isSpace(character)
    if (begins || !wasBeginning) return character
    return lowerOf(character)
  })
}

function trimCharacters(text: string, characters: string): string {
  const set = new Set(characters)
  const all = [...text]
  let [start, end] = [0, all.length]
  while (start < end && set.has(all[start] ?? '')) start++
  while (end > start && set.has(all[end - 1] ?? '')) end--
  return all.slice(start, end).join('')
}

/** sprig takes bytes for characters here: a text with blanks and letters beyond ASCII comes out garbled. */
function withoutSpace(text: string): string {
  const bytes = toBytes(text).toString('latin1')
  const kept = mapCharacters(bytes, (character) => (isSpace(character) ? '' : character))
  return kept.length === bytes.length ? text : kept
}

/** The same here. */
function initials(text: string): string {
  let found = ''
  let begins = true
  for (const character of toBytes(text).toString('latin1')) {
    const blank = isSpace(character)
    if (begins && !blank) found += character
    begins = blank
  }
  return found
}

function truncated(text: string, count: number): string {
  const length = byteLength(text)
  if (count < 0) return length + count > 0 ? sliceBytes(text, length + count) : text
  return length > count ? sliceBytes(text, 0, count) : text
}

function substring(text: string, start: number, end: number): string {
  const length = byteLength(text)
  const last = start >= 0 && (end < 0 || end > length) ? length : end
  const first = Math.max(start, 0)
  if (last < 0 || last > length || first > last) fail(`slice bounds out of range [${first}:${last}]`)
  return sliceBytes(text, first, last)
}

/** Replaces all; an empty text is found around every character. */
export function replaceAll(text: string, old: string, next: string, meter: Run['meter']): string {
  if (old === next) return text
  const parts = old === '' ? ['', ...text, ''] : text.split(old)
  meter.create(text.length + parts.length * next.length)
  return parts.join(next)
}

/** Go's strings.SplitN: at most so many parts; -1 for all. */
function splitText(text: string, separator: string, count = -1): string[] {
  if (count === 0) return []
  const parts = separator === '' ? [...text] : text.split(separator)
  if (count < 0 || parts.length <= count) return parts
  return [...parts.slice(0, count - 1), parts.slice(count - 1).join(separator)]
}

function numbered(parts: readonly string[]): GoMap {
  return new GoMap(new Map(parts.map((part, index) => [`_${index}`, part])), 'map[string]string')
}
