// Regular expressions in Go's syntax.
import { FunctionError } from '../errors.ts'
import type { RegexProgram } from '../regex/program.ts'
import { compile, expand, find, findAll, replaceAll, split } from '../regex/regexp.ts'
import { type GoFunction, GoList, type Run } from '../values/value.ts'
import { define, defineWith, type FunctionTable } from './define.ts'

/** Larger expressions are compiled anew each time rather than kept. */
const MAX_KEPT_INSTRUCTIONS = 300

/** The expression, compiled once for all renderings of a template. */
function program(pattern: string, run: Run): RegexProgram {
  const make = () => {
    run.meter.step(pattern.length)
    const made = compile(pattern, run.meter)
    run.meter.step(made.instructions.length)
    return made
  }
  return run.remember(`regex ${pattern}`, make, ({ instructions }) => instructions.length <= MAX_KEPT_INSTRUCTIONS)
}

function matches(run: Run, pattern: string, text: string): boolean {
  return find(program(pattern, run), text, run.meter) !== undefined
}

function texts(parts: string[], isNil = false): GoList {
  return new GoList(parts, '[]string', isNil)
}

/** A function under its name and under the one for those who want it to fail. Both do: the plain ones panic in Go. */
function both(name: string, called: GoFunction): FunctionTable {
  return { [name]: called, [`must${name.charAt(0).toUpperCase()}${name.slice(1)}`]: called }
}

/** Functions of regular expressions. */
export const REGEXES: FunctionTable = {
  mustRegexMatch: defineWith(['string', 'string'], matches),
  regexMatch: defineWith(['string', 'string'], (run, pattern, text) => {
    try {
      return matches(run, pattern, text)
    } catch (error) {
      // what is no expression matches nothing
      if (error instanceof FunctionError) return false
      throw error
    }
  }),
  ...both(
    'regexFind',
    defineWith(['string', 'string'], (run, pattern, text) => {
      const match = find(program(pattern, run), text, run.meter)
      return match ? text.slice(match[0], match[1]) : ''
    }),
  ),
  ...both(
    'regexFindAll',
    defineWith(['string', 'string', 'int'], (run, pattern, text, limit) => {
      const found = findAll(program(pattern, run), text, Number(limit), run.meter)
      return texts(
        found.map(([start, end]) => text.slice(start, end)),
        found.length === 0,
      )
    }),
  ),
  ...both(
    'regexReplaceAll',
    defineWith(['string', 'string', 'string'], (run, pattern, text, replacement) => {
      const regex = program(pattern, run)
      return replaceAll(regex, text, run.meter, (match) => expand(replacement, text, match, regex.names))
    }),
  ),
  ...both(
    'regexReplaceAllLiteral',
    defineWith(['string', 'string', 'string'], (run, pattern, text, replacement) => {
      return replaceAll(program(pattern, run), text, run.meter, () => replacement)
    }),
  ),
  ...both(
    'regexSplit',
    defineWith(['string', 'string', 'int'], (run, pattern, text, limit) => {
      return texts(split(program(pattern, run), pattern, text, Number(limit), run.meter), limit === 0n)
    }),
  ),
  regexQuoteMeta: define(['string'], (text) => text.replace(/[\\.+*?()|[\]{}^$]/g, '\\$&')),
}
