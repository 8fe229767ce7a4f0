// Ways to write words: snake_case, kebab-case, CamelCase, sWAPPED. What counts as a word is the rule of sprig's library.
import {
  isLetter,
  isLower,
  isNumber,
  isPunctuation,
  isSpace,
  isTitle,
  isUpper,
  lowerOf,
  mapCharacters,
  titleOf,
  upperOf,
} from '../values/letters.ts'
import { define, type FunctionTable } from './define.ts'

/** Functions that change the case of words. */
export const CASES: FunctionTable = {
  snakecase: define(['string'], (text) => lowerWords(text, '_')),
  kebabcase: define(['string'], (text) => lowerWords(text, '-')),
  camelcase: define(['string'], pascalCase),
  swapcase: define(['string'], swapCase),
}

function swapCase(text: string): string {
  let begins = true
  return mapCharacters(text, (character) => {
    const [upper, lower] = [isUpper(character) || isTitle(character), isLower(character)]
    const swapped = upper ? lowerOf(character) : lower ? (begins ? titleOf(character) : upperOf(character)) : character
    begins = upper || lower ? false : isSpace(character)
    return swapped
  })
}

function isConnector(character: string): boolean {
  return character === '-' || character === '_' || isSpace(character)
}

function pascalCase(text: string): string {
  const characters = [...text]
  const start = characters.findIndex((character) => !isConnector(character))
  // a text of connectors alone comes out with its last one twice
  if (start < 0) return text + (characters.at(-1) ?? '')
  // connectors at the beginning stay
  const words = characters.slice(0, start)
  let before = characters[start] ?? ''
  let lowers = isUpper(before)
  before = upperOf(before)
  for (let character of characters.slice(start + 1)) {
    if (isConnector(character) && isConnector(before)) words.push(before)
    else if (isConnector(before)) {
      lowers = isUpper(character)
      character = upperOf(character)
    } else {
      if (lowers && isUpper(character)) character = lowerOf(character)
      else lowers = false
      words.push(before)
    }
    before = character
  }
  return [...words, before].join('')
}

type WordType = 'number' | 'upper' | 'letters' | 'connector' | 'punctuation' | 'other'

interface Word {
  readonly type: WordType
  readonly text: string
}

function typeOf(character: string): WordType {
  if (isConnector(character)) return 'connector'
  if (isPunctuation(character)) return 'punctuation'
  if (isUpper(character)) return 'upper'
  if (isAlphabetic(character)) return 'letters'
  return isNumber(character) ? 'number' : 'other'
}

/** A letter that is no Chinese character. */
function isAlphabetic(character: string): boolean {
  return isLetter(character) && !/[\u4e00-\u9fcc\u3400-\u4d85\u{20000}-\u{2b81d}]/u.test(character)
}

function wordsOf(text: string): readonly Word[] {
  const characters = [...text]
  const words: Word[] = []
  for (let start = 0; start < characters.length; ) {
    const type = typeOf(characters[start] ?? '')
    const end = endOfWord(characters, start, type)
    words.push({ type, text: characters.slice(start, end).join('') })
    start = end
  }
  return words
}

function endOfWord(characters: readonly string[], start: number, type: WordType): number {
  if (type !== 'upper') return endOfRun(characters, start + 1, type)
  const capitals = endOfRun(characters, start + 1, 'upper')
  if (typeOf(characters[capitals] ?? '') !== 'letters') return capitals
  // of several capitals the last begins the next word: HTTP Status
  return capitals > start + 1 ? capitals - 1 : endOfRun(characters, capitals, 'letters')
}

function endOfRun(characters: readonly string[], start: number, type: WordType): number {
  // among punctuation, dashes and underscores are punctuation too
  const continues = type === 'punctuation' ? isPunctuation : (character: string) => typeOf(character) === type
  let end = start
  while (end < characters.length && continues(characters[end] ?? '')) end++
  return end
}

function lowerWords(text: string, connector: string): string {
  const words = wordsOf(text)
  let lowered = ''
  let at = 0
  const write = (word: Word | undefined) => {
    if (word) lowered += lowerWord(word, connector)
  }
  const separate = () => {
    const type = words[at]?.type
    if (type !== undefined && type !== 'connector' && type !== 'punctuation') lowered += connector
  }
  const writeTail = () => {
    while (words[at]?.type === 'letters' || words[at]?.type === 'number') write(words[at++])
    separate()
  }
  const separateNumber = () => {
    const number = words[at++]
    if (words[at]?.type === 'letters') {
      // the number begins a word: http_2xx
      lowered += connector
      write(number)
      writeTail()
    } else {
      // the number belongs to the word before it: bld4_floor
      write(number)
      separate()
    }
  }
  while (at + 1 < words.length) {
    const word = words[at++]
    write(word)
    if (word?.type === 'number') writeTail()
    else if (word?.type === 'connector' || word?.type === 'punctuation') continue
    else if (words[at]?.type !== 'number') separate()
    else if (at + 1 < words.length) separateNumber()
  }
  write(words[at])
  return lowered
}

function lowerWord({ type, text }: Word, connector: string): string {
  if (type !== 'upper' && type !== 'connector') return text
  return mapCharacters(text, (character) => (isConnector(character) ? connector : lowerOf(character)))
}
