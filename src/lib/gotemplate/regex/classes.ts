// Sets of characters: ranges, Perl's `\d`, POSIX's `[:alpha:]`, Unicode's `\p{L}`.
import type { CharacterTest } from './nodes.ts'

type Range = readonly [low: number, high: number]

const PERL: Readonly<Record<string, readonly Range[]>> = {
  d: ranges('09'),
  s: ranges('\t\n', '\f\r', '  '),
  w: ranges('09', 'AZ', '__', 'az'),
}

const POSIX: Readonly<Record<string, readonly Range[]>> = {
  alnum: ranges('09', 'AZ', 'az'),
  alpha: ranges('AZ', 'az'),
  ascii: ranges('\0\x7f'),
  blank: ranges('\t\t', '  '),
  cntrl: ranges('\0\x1f', '\x7f\x7f'),
  digit: ranges('09'),
  graph: ranges('!~'),
  lower: ranges('az'),
  print: ranges(' ~'),
  punct: ranges('!/', ':@', '[`', '{~'),
  space: ranges('\t\r', '  '),
  upper: ranges('AZ'),
  word: ranges('09', 'AZ', 'az', '__'),
  xdigit: ranges('09', 'AF', 'af'),
}

function ranges(...pairs: readonly string[]): Range[] {
  return pairs.map((pair) => [pair.charCodeAt(0), pair.charCodeAt(1)])
}

/** The set of `\d`, `\s`, `\w` and their negations in capitals; undefined for other letters. */
export function perlClass(letter: string, fold: boolean): CharacterTest | undefined {
  const set = Object.hasOwn(PERL, letter.toLowerCase()) ? PERL[letter.toLowerCase()] : undefined
  return set && negatedIf(letter !== letter.toLowerCase(), rangesTest(set, fold))
}

/** The set of `[:name:]` or `[:^name:]`; undefined if there is none. */
export function posixClass(name: string, fold: boolean): CharacterTest | undefined {
  const plain = name.replace(/^\^/, '')
  const set = Object.hasOwn(POSIX, plain) ? POSIX[plain] : undefined
  return set && negatedIf(name.startsWith('^'), rangesTest(set, fold))
}

/** The set of a Unicode category or script; undefined if there is none. */
export function unicodeClass(name: string, fold: boolean): CharacterTest | undefined {
  const negated = name.startsWith('^')
  const plain = negated ? name.slice(1) : name
  if (plain === 'Any') return negatedIf(negated, () => true)
  const expression = property(`gc=${plain}`, fold) ?? property(`Script=${plain}`, fold) ?? binaryProperty(plain, fold)
  return expression && negatedIf(negated, (code) => expression.test(String.fromCodePoint(code)))
}

function binaryProperty(name: string, fold: boolean): RegExp | undefined {
  return name === 'ASCII' || name === 'Assigned' ? property(name, fold) : undefined
}

function property(name: string, fold: boolean): RegExp | undefined {
  if (!/^[\w=]+$/.test(name)) return undefined
  try {
    return new RegExp(`^\\p{${name}}$`, fold ? 'iu' : 'u')
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

/** True for characters in one of the ranges; with `fold`, in any case. */
export function rangesTest(set: readonly Range[], fold: boolean): CharacterTest {
  if (!fold) return (code) => set.some(([low, high]) => code >= low && code <= high)
  const source = set.map(([low, high]) => `\\u{${low.toString(16)}}-\\u{${high.toString(16)}}`).join('')
  const expression = new RegExp(`^[${source}]$`, 'iu')
  return (code) => expression.test(String.fromCodePoint(code))
}

/** The test, or its opposite. */
export function negatedIf(negated: boolean, test: CharacterTest): CharacterTest {
  return negated ? (code) => !test(code) : test
}

/** The same test, with the answers for ASCII worked out before. */
export function remembered(test: CharacterTest): CharacterTest {
  const ascii = Uint8Array.from({ length: 128 }, (_, code) => (test(code) ? 1 : 0))
  return (code) => (code < 128 ? ascii[code] === 1 : test(code))
}
