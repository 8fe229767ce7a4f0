// Regular expressions of users, as Go reads them, for whoever has no template: matched in linear time.
import { DEFAULT_LIMITS, Meter } from './limits.ts'
import { compile, find } from './regex/regexp.ts'

/** Whether a text contains a match. Throws `TemplateLimitError` when the text or the work is beyond measure. */
export type Pattern = (text: string) => boolean

/** Compiles an expression of Go's regexp package. Throws `FunctionError` if it is none, `TemplateLimitError` if it is too large. */
export function compilePattern(expression: string): Pattern {
  const program = compile(expression, new Meter(DEFAULT_LIMITS))
  return (text) => find(program, text, new Meter(DEFAULT_LIMITS)) !== undefined
}
