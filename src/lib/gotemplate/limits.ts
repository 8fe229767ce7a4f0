import { TemplateLimitError } from './errors.ts'

/** Bounds of one template and of one rendering. */
export interface TemplateLimits {
  /** characters of the template text */
  readonly templateLength: number
  /** units of work of one rendering: a node, an element that is visited, or 16 characters that a function reads */
  readonly steps: number
  /** levels of nested blocks, expressions, templates and values */
  readonly depth: number
  /** characters of the rendered text */
  readonly outputLength: number
  /** characters that all function calls of one rendering may create together; an element of a list counts as some */
  readonly created: number
  /** characters of a regular expression */
  readonly patternLength: number
  /** characters of a text that a regular expression is applied to */
  readonly regexInput: number
}

/** Far more than values of a chart need, and done in about a second at worst. */
export const DEFAULT_LIMITS: TemplateLimits = {
  templateLength: 2 * 2 ** 20,
  steps: 500_000,
  depth: 200,
  outputLength: 2 * 2 ** 20,
  created: 16 * 2 ** 20,
  patternLength: 4_000,
  regexInput: 2 ** 20,
}

/** Counts what one rendering costs; every method throws `TemplateLimitError` when a limit is passed. */
export class Meter {
  readonly limits: TemplateLimits
  #steps = 0
  #created = 0

  constructor(limits: TemplateLimits) {
    this.limits = limits
  }

  /** Some units of work. */
  step(units = 1): void {
    this.#steps += units
    if (this.#steps > this.limits.steps) throw new TemplateLimitError(`the template needs more than ${this.limits.steps} steps`)
  }

  /** So many characters or elements that a function goes through. */
  read(count: number): void {
    this.step(count / 16)
  }

  /** So many characters or elements that are about to be created. */
  create(count: number): void {
    this.#created += count
    if (this.#created > this.limits.created) {
      throw new TemplateLimitError(`the template creates more than ${this.limits.created} characters`)
    }
  }

  /** The level that is about to be entered. */
  deep(level: number): void {
    if (level > this.limits.depth)
      throw new TemplateLimitError(`the template nests blocks or values deeper than ${this.limits.depth} levels`)
  }

  /** The length of the rendered text so far. */
  output(length: number): void {
    if (length > this.limits.outputLength) {
      throw new TemplateLimitError(`the rendered text is longer than ${this.limits.outputLength} characters`)
    }
  }
}
