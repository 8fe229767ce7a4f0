// Regular expressions that users of the hub write: Go's syntax, run by an engine whose time does not explode.
import { DEFAULT_LIMITS, Meter } from '../lib/gotemplate/limits.ts'
import { compile, find } from '../lib/gotemplate/regex/regexp.ts'

/** What became of matching. */
export type PatternResult = 'match' | 'no match' | 'invalid'

/** Matches a text against a pattern; `whole`: all of it, otherwise any part. */
export type PatternMatcher = (pattern: string, text: string, extent: 'whole' | 'part') => PatternResult

/** Far more than an honest pattern and the longest address need; less than a tenth of a second. */
const LIMITS = { ...DEFAULT_LIMITS, patternLength: 1_000, regexInput: 2_048, steps: 50_000 }
/** Results remembered. */
const MAX_RESULTS = 2_000

/** A matcher that remembers its results. What is too long, is no regular expression or takes too long is `invalid`, and so allows nothing. */
export function createPatternMatcher(): PatternMatcher {
  const results = new Map<string, PatternResult>()
  return (pattern, text, extent) => {
    if (pattern.length > LIMITS.patternLength || text.length > LIMITS.regexInput) return 'invalid'
    const key = JSON.stringify([pattern, text, extent])
    const result = results.get(key) ?? match(pattern, text, extent)
    if (results.size >= MAX_RESULTS) results.clear()
    results.set(key, result)
    return result
  }
}

function match(pattern: string, text: string, extent: 'whole' | 'part'): PatternResult {
  const meter = new Meter(LIMITS)
  try {
    compile(pattern, meter) // by itself: `a)|(b` is none, although it would be one in brackets
    const program = compile(
      extent === 'whole' ? `^(?:${pattern})$` : pattern,
      new Meter({ ...LIMITS, patternLength: LIMITS.patternLength + 6 }),
    )
    return find(program, text, meter) ? 'match' : 'no match'
  } catch {
    // a syntax error or a limit: whoever wrote the pattern is told that it cannot be used
    return 'invalid'
  }
}
