// One condition on a set of labels, checked and compiled. Both forms of selectors (objects and text) come down to these.
import { labelKeyProblem, labelValueProblem } from './label-syntax.ts'

/** A selector that Kubernetes would refuse. The message says what is wrong with it. */
export class InvalidSelectorError extends Error {
  override readonly name = 'InvalidSelectorError'
}

/** The labels of an object. */
export type Labels = Readonly<Record<string, string>>

/** Says whether an object with these labels is selected. */
export type LabelMatcher = (labels: Labels | null | undefined) => boolean

/** The operators of the query form; those of LabelSelector are the first four under other names. */
export type RequirementOperator = 'in' | 'notin' | 'exists' | '!' | '=' | '!=' | '>' | '<'

/** A condition on the label `key`. */
export interface Requirement {
  readonly key: string
  readonly operator: RequirementOperator
  readonly values: readonly string[]
}

const MAX_INT64 = 2n ** 63n - 1n
const MIN_INT64 = -(2n ** 63n)

/** Checks a requirement by the rules of `labels.NewRequirement`. Throws InvalidSelectorError. */
export function checkRequirement(requirement: Requirement): Requirement {
  const { key, operator, values } = requirement
  const keyProblem = labelKeyProblem(key)
  if (keyProblem) throw new InvalidSelectorError(`invalid label key ${JSON.stringify(key)} in selector: ${keyProblem}`)
  const countProblem = valueCountProblem(operator, values.length)
  if (countProblem) throw new InvalidSelectorError(`invalid values for label ${JSON.stringify(key)} in selector: ${countProblem}`)
  for (const value of values) {
    const problem = labelValueProblem(value) ?? numberProblem(operator, value)
    if (problem)
      throw new InvalidSelectorError(`invalid value ${JSON.stringify(value)} for label ${JSON.stringify(key)} in selector: ${problem}`)
  }
  return requirement
}

function valueCountProblem(operator: RequirementOperator, count: number): string | undefined {
  switch (operator) {
    case 'in':
    case 'notin':
      return count === 0 ? `operator ${operator} needs at least one` : undefined
    case 'exists':
    case '!':
      return count === 0 ? undefined : `operator ${operator} takes none`
    default:
      return count === 1 ? undefined : `operator ${operator} takes exactly one`
  }
}

function numberProblem(operator: RequirementOperator, value: string): string | undefined {
  if (operator !== '>' && operator !== '<') return undefined
  return parseInt64(value) === undefined ? `operator ${operator} compares with a whole number` : undefined
}

function parseInt64(text: string): bigint | undefined {
  if (!/^[+-]?[0-9]+$/.test(text)) return undefined
  const value = text.startsWith('+') ? BigInt(text.slice(1)) : BigInt(text)
  return value >= MIN_INT64 && value <= MAX_INT64 ? value : undefined
}

/** A function that is true when all requirements hold. */
export function compileRequirements(requirements: readonly Requirement[]): LabelMatcher {
  const tests = requirements.map(compileRequirement)
  return (labels) => tests.every((test) => test(labels))
}

function compileRequirement({ key, operator, values }: Requirement): LabelMatcher {
  const wanted = new Set(values)
  switch (operator) {
    case 'in':
    case '=':
      return (labels) => wanted.has(labelValue(labels, key) ?? MISSING)
    case 'notin':
    case '!=':
      return (labels) => !wanted.has(labelValue(labels, key) ?? MISSING)
    case 'exists':
      return (labels) => labelValue(labels, key) !== undefined
    case '!':
      return (labels) => labelValue(labels, key) === undefined
    default:
      return compileComparison(key, operator, parseInt64(values[0] ?? '') ?? 0n)
  }
}

/** No valid label value, so never among the wanted ones. */
const MISSING = '\0'

function compileComparison(key: string, operator: '>' | '<', limit: bigint): LabelMatcher {
  return (labels) => {
    const value = parseInt64(labelValue(labels, key) ?? '')
    if (value === undefined) return false
    return operator === '>' ? value > limit : value < limit
  }
}

function labelValue(labels: Labels | null | undefined, key: string): string | undefined {
  return labels && Object.hasOwn(labels, key) ? labels[key] : undefined
}

/** The text of a requirement in a query, values sorted. */
export function formatRequirement({ key, operator, values }: Requirement): string {
  switch (operator) {
    case 'exists':
      return key
    case '!':
      return `!${key}`
    case 'in':
    case 'notin':
      return `${key} ${operator} (${[...values].sort().join(',')})`
    default:
      return `${key}${operator}${values[0] ?? ''}`
  }
}
