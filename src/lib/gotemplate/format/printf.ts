// Go's Sprintf.
import { integerOf, type Run, typeName, type Value } from '../values/value.ts'
import { type Flags, NO_FLAGS } from './flags.ts'
import { format } from './print.ts'

// flags, [index]width, .[index]precision, [index], verb; an index may have lost its bracket or its number
const INDEX = String.raw`(?:\[[^\]]{0,20}\]|\[)`
const DIRECTIVE = new RegExp(String.raw`%([-+# 0]*)(${INDEX})?(\*|\d+)?(\.(?=[^])(${INDEX})?(\*|\d+)?)?(${INDEX})?([^])?`, 'gu')
const LARGEST = 1_000_000

interface State {
  readonly args: readonly Value[]
  next: number
  /** an argument was named by its number: unused ones are not reported then */
  reordered: boolean
}

/** The text of a format and its arguments; mistakes are told in the text, as Go does. */
export function sprintf(template: string, args: readonly Value[], meter: Run['meter']): string {
  const state: State = { args, next: 0, reordered: false }
  let text = ''
  let from = 0
  for (const match of template.matchAll(DIRECTIVE)) {
    meter.step()
    text += template.slice(from, match.index) + directive(match, state, meter)
    from = match.index + match[0].length
  }
  text += template.slice(from)
  return state.reordered ? text : text + extraArguments(state, meter)
}

function directive(match: RegExpExecArray, state: State, meter: Run['meter']): string {
  const [, flagText = '', widthIndex, widthText, point, precisionIndex, precisionText, verbIndex, verb] = match
  let complaint = ''
  let good = true
  let indexed = false
  const takeIndex = (text: string | undefined) => {
    indexed = text !== undefined
    if (text === undefined) return
    state.reordered = true
    const index = argumentIndex(text, state.args.length)
    if (index === undefined) good = false
    else state.next = index
    // a bracket that holds no number is passed over as if it were not there
    indexed = /^\[\d+\]$/.test(text)
  }
  takeIndex(widthIndex)
  let minus = flagText.includes('-')
  let zero = flagText.includes('0')
  let width: number | undefined
  if (widthText === '*') {
    width = integerArgument(state)
    if (width === undefined) complaint += '%!(BADWIDTH)'
    else if (width < 0) {
      width = -width
      minus = true
      zero = false
    }
    indexed = false
  } else if (widthText !== undefined) {
    width = limited(widthText)
    if (indexed && width !== undefined) good = false
  }
  let precision: number | undefined
  if (point !== undefined) {
    if (indexed) good = false
    takeIndex(precisionIndex)
    if (precisionText === '*') {
      const given = integerArgument(state)
      precision = given !== undefined && given >= 0 ? given : undefined
      if (precision === undefined) complaint += '%!(BADPREC)'
      indexed = false
    } else precision = precisionText === undefined ? 0 : (limited(precisionText) ?? 0)
  }
  takeIndex(verbIndex)
  if (verb === undefined) return `${complaint}%!(NOVERB)`
  if (verb === '%') return `${complaint}%`
  if (!good) return `${complaint}%!${verb}(BADINDEX)`
  if (state.next >= state.args.length) return `${complaint}%!${verb}(MISSING)`
  const value = state.args[state.next++]
  const flags = flagsFor(verb, flagText, { minus, zero, width, precision })
  return complaint + format(value, verb, flags, meter)
}

function flagsFor(verb: string, text: string, rest: Pick<Flags, 'minus' | 'zero' | 'width' | 'precision'>): Flags {
  const [plus, sharp, space] = [text.includes('+'), text.includes('#'), text.includes(' ')]
  if (verb === 'v') return { ...rest, plus: false, sharp: false, space, plusV: plus, sharpV: sharp }
  return { ...rest, plus, sharp, space, plusV: false, sharpV: false }
}

function argumentIndex(text: string, count: number): number | undefined {
  const number = /^\[(\d+)\]$/.exec(text)?.[1]
  const index = number === undefined ? undefined : limited(number)
  return index !== undefined && index >= 1 && index <= count ? index - 1 : undefined
}

function limited(text: string): number | undefined {
  const number = Number(text)
  return number <= LARGEST ? number : undefined
}

function integerArgument(state: State): number | undefined {
  if (state.next >= state.args.length) return undefined
  const integer = integerOf(state.args[state.next++])
  return integer === undefined || integer > LARGEST || integer < -LARGEST ? undefined : Number(integer)
}

function extraArguments({ args, next }: State, meter: Run['meter']): string {
  if (next >= args.length) return ''
  const extra = args.slice(next).map((value) => {
    if (value === undefined || value === null) return '<nil>'
    return `${typeName(value)}=${format(value, 'v', NO_FLAGS, meter)}`
  })
  return `%!(EXTRA ${extra.join(', ')})`
}
