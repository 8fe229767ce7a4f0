import type { ImageScanSpec } from '../api/image-scan.ts'
import { TerminalError } from '../lib/controller/errors.ts'
import { compareUtf8 } from '../lib/json/utf8.ts'
import { bestVersion } from '../lib/semver/best.ts'
import { type Constraint, ConstraintError, parseConstraint } from '../lib/semver/constraint.ts'

const ANY_VERSION = '*'
/** Any other order takes the smallest. */
const DESCENDING = 'DESC'

/**
 * The newest of the tags (in the order of the registry) by a policy; a range of versions wins over an order, and without either any version will do (spec 8.9).
 * Throws TerminalError when there is none; `image` is for its message.
 */
export function newestTag(policy: ImageScanSpec['policy'], tags: readonly string[], image: string): string {
  if (tags.length === 0) throw new TerminalError(`the registry lists no tags of ${image}: check its name, or push one`)
  if (policy?.alphabetical && !policy.semver) return outermost(policy.alphabetical.order, tags, image)
  const range = policy?.semver ? (policy.semver.range ?? '') : ANY_VERSION
  const best = bestVersion(constraintOf(range, image), tags, (tag) => tag)
  if (best !== undefined) return best
  throw new TerminalError(
    `none of the ${tags.length} tags of ${image} is a version within ${JSON.stringify(range)}: correct policy.semver.range, or push such a tag`,
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

/** Byte by byte; the greatest for `DESC` and no order at all. */
function outermost(order: string | undefined, tags: readonly string[], image: string): string {
  const sign = !order || order.toUpperCase() === DESCENDING ? 1 : -1
  const named = tags.filter((tag) => tag !== '')
  if (named.length === 0) throw new TerminalError(`the tags of ${image} have no names`)
  return named.reduce((best, tag) => (compareUtf8(tag, best) * sign >= 0 ? tag : best))
}
