// Version constraints as Masterminds/semver v3 reads them: `>=1.2 <2 || ^3`, `1.x`, `~1.4`, `1.2 - 1.4`.
import { compareVersions, parseVersion, type Version } from './version.ts'

/** Whether a version satisfies a constraint. */
export type Constraint = (version: Version) => boolean

/** A constraint that cannot be read. */
export class ConstraintError extends Error {
  override readonly name = 'ConstraintError'

  constructor(text: string) {
    super(`${JSON.stringify(text.slice(0, 100))} is no version and no range of versions: write for example 1.2.3, ^1.2 or >=1.0 <2.0`)
  }
}

/** One comparison: how, and with what; the flags tell which part was left open (`1.x`). */
interface Comparison {
  readonly operator: string
  readonly version: Version
  readonly anyMajor: boolean
  readonly anyMinor: boolean
  readonly anyPatch: boolean
}

const MAX_LENGTH = 512
const NUMBER = '[0-9xX*]+'
const TAIL = '[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*'
const VERSION = `v?(${NUMBER})(?:\\.(${NUMBER}))?(?:\\.(${NUMBER}))?(?:-(${TAIL}))?(?:\\+(${TAIL}))?`
const COMPARISON = new RegExp(`(!=|>=|=>|<=|=<|~>|=|>|<|~|\\^|)\\s*${VERSION}`, 'y')
const BETWEEN = /\s*,\s*|\s+/y
const RANGE = new RegExp(`\\s*(${VERSION.replaceAll(/\((?!\?)/g, '(?:')})\\s+-\\s+(${VERSION.replaceAll(/\((?!\?)/g, '(?:')})\\s*`, 'g')

/**
 * Compiles a constraint. A pre-release satisfies only those in which a pre-release is named (`>=1.0.0-0`).
 * @throws ConstraintError
 */
export function parseConstraint(text: string): Constraint {
  if (text.length > MAX_LENGTH) throw new ConstraintError(text)
  const alternatives = text
    .replaceAll(RANGE, (_range, low: string, high: string) => `>= ${low}, <= ${high} `)
    .split('||')
    .map((part) => parseComparisons(part.trim(), text))
  return (version) => alternatives.some((comparisons) => satisfiesAll(version, comparisons))
}

function parseComparisons(part: string, whole: string): Comparison[] {
  const comparisons: Comparison[] = []
  for (let at = 0; at < part.length || comparisons.length === 0; ) {
    at = comparisons.length === 0 ? at : skip(BETWEEN, part, at, whole)
    COMPARISON.lastIndex = at
    const match = COMPARISON.exec(part)
    if (!match) throw new ConstraintError(whole)
    comparisons.push(comparisonOf(match, whole))
    at = COMPARISON.lastIndex
  }
  return comparisons
}

function skip(pattern: RegExp, text: string, at: number, whole: string): number {
  pattern.lastIndex = at
  if (!pattern.test(text)) throw new ConstraintError(whole)
  return pattern.lastIndex
}

/** What stands behind an open part counts for nothing: `1.*.3` is `1.*`. */
function comparisonOf([, operator = '', major = '', minor, patch, pre]: RegExpExecArray, whole: string): Comparison {
  const anyMajor = isOpen(major)
  const anyMinor = !anyMajor && isOpen(minor)
  const anyPatch = !anyMajor && !anyMinor && isOpen(patch)
  const numbers = [anyMajor ? '0' : major, anyMajor || anyMinor ? '0' : minor, anyMajor || anyMinor || anyPatch ? '0' : patch]
  const version = parseVersion(`${numbers.join('.')}${pre ? `-${pre}` : ''}`)
  if (!version) throw new ConstraintError(whole)
  return { operator, version, anyMajor, anyMinor, anyPatch }
}

function isOpen(part: string | undefined): boolean {
  return part === undefined || part === 'x' || part === 'X' || part === '*'
}

function satisfiesAll(version: Version, comparisons: readonly Comparison[]): boolean {
  const wantsPre = comparisons.some((one) => one.version.pre !== '')
  return comparisons.every((one) => satisfies(version, one, wantsPre))
}

function satisfies(version: Version, comparison: Comparison, wantsPre: boolean): boolean {
  const { operator } = comparison
  const isWhole = !comparison.anyMajor && !comparison.anyMinor && !comparison.anyPatch
  if (version.pre !== '' && !wantsPre) return false
  const order = compareVersions(version, comparison.version)
  switch (operator) {
    case '':
    case '=':
      return isWhole ? order === 0 : isNear(version, comparison, order)
    case '!=':
      return isWhole ? order !== 0 : differs(version, comparison, order)
    case '>':
      return isWhole ? order > 0 : isAbove(version, comparison, order)
    case '<':
      return order < 0
    case '>=':
    case '=>':
      return order >= 0
    case '<=':
    case '=<':
      return isWhole ? order <= 0 : isAtMost(version, comparison)
    case '^':
      return isCompatible(version, comparison, order)
    default:
      return isNear(version, comparison, order)
  }
}

/** `>1` means from 2.0.0 on, `>1.2` from 1.3.0 on. */
function isAbove(version: Version, { version: base, anyMinor, anyPatch }: Comparison, order: number): boolean {
  if (version.major !== base.major) return version.major > base.major
  if (anyMinor) return false
  return anyPatch ? version.minor > base.minor : order > 0
}

/** `<=1.2` takes in 1.2.9. */
function isAtMost(version: Version, { version: base, anyMinor }: Comparison): boolean {
  if (version.major !== base.major) return version.major < base.major
  return anyMinor || version.minor <= base.minor
}

function differs(version: Version, { version: base, anyMinor, anyPatch }: Comparison, order: number): boolean {
  if (version.major !== base.major) return true
  if (anyMinor) return false
  if (version.minor !== base.minor) return true
  if (anyPatch) return (version.pre !== '' || base.pre !== '') && version.pre !== base.pre
  return order !== 0
}

/** `~1.2.3`, and whatever has an open part. */
function isNear(version: Version, { version: base, anyMinor, anyPatch }: Comparison, order: number): boolean {
  if (order < 0) return false
  const isZero = base.major === 0n && base.minor === 0n && base.patch === 0n
  if (isZero && !anyMinor && !anyPatch) return true
  return version.major === base.major && (anyMinor || version.minor === base.minor)
}

/** `^1.2.3`: nothing to the left of the first number that is not zero changes. */
function isCompatible(version: Version, { version: base, anyMajor, anyMinor, anyPatch }: Comparison, order: number): boolean {
  if (order < 0) return false
  if (anyMajor) return isCompatibleWithAny(version, base)
  if (version.major !== base.major) return false
  if (base.major > 0n || anyMinor) return true
  if (version.minor !== base.minor) return false
  return base.minor > 0n || anyPatch || version.patch === base.patch
}

/** `^*` is read as `^0.0.0`, which is what the library behind Helm makes of it. */
function isCompatibleWithAny(version: Version, base: Version): boolean {
  return version.major === base.major && version.minor === base.minor && version.patch === base.patch
}
