// Label selectors of objects (`matchLabels`, `matchExpressions`), with the semantics and the strictness of LabelSelectorAsSelector.
import {
  checkRequirement,
  compileRequirements,
  formatRequirement,
  InvalidSelectorError,
  type LabelMatcher,
  type Labels,
  type Requirement,
  type RequirementOperator,
} from './requirements.ts'
import { parseRequirements } from './selector-text.ts'
import type { LabelSelector } from './types.ts'

export { InvalidSelectorError, type LabelMatcher, type Labels } from './requirements.ts'

/** Whether a selector of objects selects these labels. Null and undefined match nothing, `{}` everything. Throws InvalidSelectorError. */
export function matchesSelector(selector: LabelSelector | null | undefined, labels: Labels | null | undefined): boolean {
  return compileSelector(selector)(labels)
}

/**
 * The same as a function, for many sets of labels. Throws InvalidSelectorError.
 *
 *     const matches = compileSelector({ matchLabels: { env: 'prod' } })
 *     matches({ env: 'prod', region: 'eu' }) // true
 */
export function compileSelector(selector: LabelSelector | null | undefined): LabelMatcher {
  if (!selector) return () => false
  return compileRequirements(requirementsOf(selector))
}

/** Compiles the text form (`env=prod,region in (eu, us),!edge`). Empty text matches everything. Throws InvalidSelectorError. */
export function parseSelector(text: string): LabelMatcher {
  return compileRequirements(parseRequirements(text))
}

/** The text form of a selector, sorted by key, for `labelSelector` in a list or watch; '' for `{}`. Throws InvalidSelectorError. */
export function formatSelector(selector: LabelSelector): string {
  return requirementsOf(selector)
    .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
    .map(formatRequirement)
    .join(',')
}

const OPERATORS: ReadonlyMap<string, RequirementOperator> = new Map([
  ['In', 'in'],
  ['NotIn', 'notin'],
  ['Exists', 'exists'],
  ['DoesNotExist', '!'],
])

function requirementsOf(selector: LabelSelector): Requirement[] {
  const requirements: Requirement[] = []
  for (const [key, value] of Object.entries(selector.matchLabels ?? {})) {
    requirements.push(checkRequirement({ key, operator: '=', values: [value] }))
  }
  for (const { key, operator, values } of selector.matchExpressions ?? []) {
    const known = OPERATORS.get(operator)
    if (!known)
      throw new InvalidSelectorError(
        `${JSON.stringify(operator)} is not a valid label selector operator: use In, NotIn, Exists or DoesNotExist`,
      )
    requirements.push(checkRequirement({ key, operator: known, values: values ?? [] }))
  }
  return requirements
}
