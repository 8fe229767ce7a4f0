import type { ImageScanSpec } from '../api/image-scan.ts'
import { TerminalError } from '../lib/controller/errors.ts'
import { compareUtf8 } from '../lib/json/utf8.ts'
import { bestVersion } from '../lib/semver/best.ts'
import { type Constraint, ConstraintError, parseConstraint } from '../lib/semver/constraint.ts'
import { compareNumbers, isNumber } from './numbers.ts'
import type { Candidate } from './tag-filter.ts'

/** What a policy says without looking at images: the tag, or the tags of which the one with the newest image is meant. */
export type Choice = { readonly tag: string } | { readonly newestOf: readonly string[] }

const ANY_VERSION = '*'
const ASCENDING = 'ASC'
const DESCENDING = 'DESC'
const QUOTED_EXTRACTS = 80

/**
 * The newest of the tags (in the order of the registry) by a policy; a range of versions wins over the order of the alphabet, and without any policy any version
 * will do (spec 8.9). `numerical` and `newest`, which are this project's own, stand alone.
 * Throws TerminalError when there is none; `image` is for its message.
 */
export function chooseTag(policy: ImageScanSpec['policy'], candidates: readonly Candidate[], image: string): Choice {
  mustBeClear(policy)
  if (candidates.length === 0) throw new TerminalError(`the registry lists no tags of ${image}: check its name, or push one`)
  if (policy?.newest) return { newestOf: candidates.map(({ tag }) => tag) }
  if (policy?.numerical) return { tag: outermostNumber(policy.numerical.order, candidates, image) }
  if (policy?.alphabetical && !policy.semver) return { tag: outermost(policy.alphabetical.order, candidates, image) }
  return { tag: highestVersion(policy?.semver ? (policy.semver.range ?? '') : ANY_VERSION, candidates, image) }
}

function mustBeClear(policy: ImageScanSpec['policy']): void {
  const given = (['semver', 'alphabetical', 'numerical', 'newest'] as const).filter((name) => policy?.[name])
  const own = given.find((name) => name === 'numerical' || name === 'newest')
  if (own && given.length > 1) throw new TerminalError(`policy: ${given.join(' and ')} exclude each other: keep one of them`)
}

function highestVersion(range: string, candidates: readonly Candidate[], image: string): string {
  const best = bestVersion(constraintOf(range, image), candidates, ({ by }) => by)
  if (best) return best.tag
  throw new TerminalError(
    `none of the ${candidates.length} tags of ${image} is a version within ${JSON.stringify(range)}: correct policy.semver.range, or push such a tag`,
  )
}

function constraintOf(range: string, image: string): Constraint {
  try {
    return parseConstraint(range)
  } catch (error) {
    if (!(error instanceof ConstraintError)) throw error
    throw new TerminalError(`policy.semver.range for ${image}: ${error.message}`)
  }
}

/** Byte by byte; the greatest for `DESC` and no order at all, the smallest for any other. */
function outermost(order: string | undefined, candidates: readonly Candidate[], image: string): string {
  const sign = !order || order.toUpperCase() === DESCENDING ? 1 : -1
  const named = candidates.filter(({ by }) => by !== '')
  if (named.length === 0) throw new TerminalError(`the tags of ${image} have no names`)
  return named.reduce((best, one) => (compareUtf8(one.by, best.by) * sign >= 0 ? one : best)).tag
}

/** Of equal numbers (`7` and `007`) the tag that comes last in the alphabet, so that the order of the registry does not matter. */
function outermostNumber(order: string | undefined, candidates: readonly Candidate[], image: string): string {
  const direction = (order || DESCENDING).toUpperCase()
  if (direction !== ASCENDING && direction !== DESCENDING)
    throw new TerminalError(`policy.numerical.order is ${JSON.stringify(order)}: it has to be ASC or DESC`)
  const sign = direction === DESCENDING ? 1 : -1
  const numbers = candidates.filter(({ by }) => isNumber(by))
  if (numbers.length === 0) {
    const [{ tag = '', by = '' } = {}] = candidates
    const extracted =
      tag === by ? '' : ` (filterTags.extract makes ${JSON.stringify(by.slice(0, QUOTED_EXTRACTS))} of ${JSON.stringify(tag)})`
    throw new TerminalError(
      `none of the ${candidates.length} tags of ${image} is a number${extracted}: correct filterTags, choose another policy, or push such a tag`,
    )
  }
  return numbers.reduce((best, one) => ((compareNumbers(one.by, best.by) * sign || compareUtf8(one.tag, best.tag)) > 0 ? one : best)).tag
}
