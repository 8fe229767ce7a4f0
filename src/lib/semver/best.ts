import type { Constraint } from './constraint.ts'
import { compareVersions, parseVersion, type Version } from './version.ts'

/**
 * The item with the highest version that satisfies the constraint; of equal ones the first. Items whose version cannot be read do not count.
 *
 *     bestVersion(parseConstraint('^1'), ['1.0.0', '1.5.0', '2.0.0'], (text) => text) // '1.5.0'
 */
export function bestVersion<T>(constraint: Constraint, items: readonly T[], versionOf: (item: T) => string): T | undefined {
  let best: { readonly item: T; readonly version: Version } | undefined
  for (const item of items) {
    const version = parseVersion(versionOf(item))
    if (!version || !constraint(version)) continue
    if (!best || compareVersions(version, best.version) > 0) best = { item, version }
  }
  return best?.item
}
