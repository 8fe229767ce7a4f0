// Go's Sprintf.
import { integerOf, type Run, typeName, type Value } from '../values/value.ts'
import { type Flags, NO_FLAGS } from './flags.ts'
import { format } from './print.ts'

// flags, [index]width, .[index]precision, [index], verb; an index may have lost its bracket or its number
const INDEX = String.raw`(?:\[[^\]]{0,20}\]|\[)`
const DIRECTIVE = new RegExp(String.raw`%([-+# 0]*)(${INDEX})?(\*|\d+)?(\.(?=.)(${INDEX})?(\*|\d+)?)?(${INDEX})?(.)?`, 'gsu')
const LARGEST = 1_000_000

interface State {
  readonly args: readonly Value[]
  /** the argument that is printed next */
  next: number
  /** an argument was named by its number: unused ones are not reported then */
  reordered: boolean
  /** about the directive at hand: what is wrong with its stars */
  complaint: string
  /** all its indexes name arguments, and stand where they may */
  good: boolean
  /** its last part was an index */
  indexed: boolean
}

/** The text of a format and its arguments; mistakes are told in the text, as Go does. */
export function sprintf(template: string, args: readonly Value[], meter: Run['meter']): string {
  const state: State = { args, next: 0, reordered: false, complaint: '', good: true, indexed: false }
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
  const [, flags = '', widthIndex, widthText, point, precisionIndex, precisionText, verbIndex, verb] = match
  Object.assign(state, { complaint: '', good: true, indexed: false })
  takeIndex(state, widthIndex)
  const width = takeWidth(state, widthText)
  const precision = point === undefined ? undefined : takePrecision(state, precisionIndex, precisionText)
  takeIndex(state, verbIndex)
  return state.complaint + printed(verb, flagsOf(flags, verb, width, precision), state, meter)
}

function printed(verb: string | undefined, flags: Flags, state: State, meter: Run['meter']): string {
  if (verb === undefined) return '%!(NOVERB)'
  if (verb === '%') return '%'
  if (!state.good) return `%!${verb}(BADINDEX)`
  if (state.next >= state.args.length) return `%!${verb}(MISSING)`
  return format(state.args[state.next++], verb, flags, meter)
}

/** An explicit index such as `[2]`. One that holds no number is passed over, and the directive is bad. */
function takeIndex(state: State, text: string | undefined): void {
  const digits = text === undefined ? undefined : /^\[(\d+)\]$/.exec(text)?.[1]
  state.indexed = digits !== undefined
  if (text === undefined) return
  state.reordered = true
  const index = digits === undefined ? undefined : limited(digits)
  if (index !== undefined && index >= 1 && index <= state.args.length) state.next = index - 1
  else state.good = false
}

function takeWidth(state: State, text: string | undefined): number | undefined {
  if (text === '*') return takeStar(state, '%!(BADWIDTH)')
  const width = text === undefined ? undefined : limited(text)
  if (state.indexed && width !== undefined) state.good = false
  return width
}

function takePrecision(state: State, index: string | undefined, text: string | undefined): number | undefined {
  if (state.indexed) state.good = false
  takeIndex(state, index)
  if (text !== '*') return text === undefined ? 0 : (limited(text) ?? 0)
  const precision = takeStar(state, '')
  const usable = precision !== undefined && precision >= 0
  if (!usable) state.complaint += '%!(BADPREC)'
  return usable ? precision : undefined
}

/** A star takes its number from an argument. */
function takeStar(state: State, complaint: string): number | undefined {
  state.indexed = false
  const integer = state.next < state.args.length ? integerOf(state.args[state.next++]) : undefined
  if (integer !== undefined && integer <= LARGEST && integer >= -LARGEST) return Number(integer)
  state.complaint += complaint
  return undefined
}

function limited(text: string): number | undefined {
  const number = Number(text)
  return number <= LARGEST ? number : undefined
}

/** A negative width fills up on the right, never with zeros. */
function flagsOf(text: string, verb: string | undefined, width: number | undefined, precision: number | undefined): Flags {
  const backwards = width !== undefined && width < 0
  const [plus, sharp] = [text.includes('+'), text.includes('#')]
  const wholeValue = verb === 'v' || verb === 'w'
  return {
    plus: plus && !wholeValue,
    sharp: sharp && !wholeValue,
    plusV: plus && wholeValue,
    sharpV: sharp && wholeValue,
    minus: text.includes('-') || backwards,
    space: text.includes(' '),
    zero: text.includes('0') && !backwards,
    width: backwards ? -width : width,
    precision,
  }
}

function extraArguments({ args, next }: State, meter: Run['meter']): string {
  if (next >= args.length) return ''
  const extra = args.slice(next).map((value) => {
    if (value === undefined || value === null) return '<nil>'
    return `${typeName(value)}=${format(value, 'v', NO_FLAGS, meter)}`
  })
  return `%!(EXTRA ${extra.join(', ')})`
}
