// Go's text/template with the functions of sprig, for plain data.

import { TemplateLimitError } from './errors.ts'
import { Execution, guarded } from './exec/execution.ts'
import type { FunctionTable } from './functions/define.ts'
import { STANDARD_FUNCTIONS } from './functions/table.ts'
import { DEFAULT_LIMITS, Meter, type TemplateLimits } from './limits.ts'
import type { Delimiters } from './parse/lexer.ts'
import { parseTemplates } from './parse/parser.ts'
import { withoutBytes } from './values/bytes.ts'
import { toValue } from './values/convert.ts'
import type { Run } from './values/value.ts'

const MAX_REMEMBERED = 20

/** How a template is read and run. */
export interface TemplateOptions {
  /** name of the template in error messages and for `template`; `template` when unset */
  readonly name?: string
  /** marks of the beginning and the end of an action; `{{` and `}}` when unset */
  readonly delimiters?: Delimiters
  /** functions beside the standard ones, or in place of them */
  readonly functions?: FunctionTable
  /** what a key that a map lacks does: an error (the usual), or `<no value>` */
  readonly missingKey?: 'error' | 'default'
  readonly limits?: Partial<TemplateLimits>
  /** random bytes for functions such as `randAlpha`; without it they fail: a template that gives something else each time is never at rest */
  readonly random?: (count: number) => Uint8Array
  /** milliseconds since 1970 for functions such as `now`; without it they fail, for the same reason */
  readonly now?: () => number
}

/** A parsed template. */
export interface Template {
  /**
   * The text for some data, which is not changed: maps, lists, texts, booleans, numbers (all floats, as Go reads JSON) and null.
   * Throws `TemplateExecError` or `TemplateLimitError`.
   */
  render(data: unknown): string
}

/**
 * Parses a template once, to be rendered many times. Throws `TemplateSyntaxError`, or `TemplateLimitError` if it is too long or too deep.
 *
 *     compileTemplate('hello ${ .name | upper }', { delimiters: ['${', '}'] }).render({ name: 'edge' })
 */
export function compileTemplate(text: string, options: TemplateOptions = {}): Template {
  const { name = 'template', delimiters: [left, right] = ['', ''], missingKey = 'error' } = options
  const limits: TemplateLimits = { ...DEFAULT_LIMITS, ...options.limits }
  if (text.length > limits.templateLength) throw new TemplateLimitError(`the template is longer than ${limits.templateLength} characters`)
  const functions = options.functions ? new Map([...STANDARD_FUNCTIONS, ...Object.entries(options.functions)]) : STANDARD_FUNCTIONS
  const source = text.isWellFormed() ? text : text.toWellFormed()
  const templates = guarded(() =>
    parseTemplates(source, {
      name,
      delimiters: [left || '{{', right || '}}'],
      maxDepth: limits.depth,
      hasFunction: (candidate) => functions.has(candidate),
    }),
  )
  const remember = createMemory()
  const program = { name, text: source, templates, functions, missingKey }
  return {
    render(data) {
      const meter = new Meter(limits)
      const execution = new Execution(program, { meter, remember, random: options.random, now: options.now })
      return withoutBytes(guarded(() => execution.render(templates.get(name) ?? [], toValue(data, meter))))
    },
  }
}

/** Keeps what renderings want to share, up to a number of things. */
function createMemory(): Run['remember'] {
  const known = new Map<string, unknown>()
  return <T>(key: string, make: () => T, isWorthIt: (made: T) => boolean = () => true) => {
    if (known.has(key)) return known.get(key) as T
    const made = make()
    if (known.size < MAX_REMEMBERED && isWorthIt(made)) known.set(key, made)
    return made
  }
}
