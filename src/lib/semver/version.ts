// Versions as Masterminds/semver v3 reads them: Helm, and so every chart repository, follows it rather than the stricter rules of semver.org.

/** A parsed version. The numbers hold 64 bits. */
export interface Version {
  readonly major: bigint
  readonly minor: bigint
  readonly patch: bigint
  /** behind the dash, empty without one */
  readonly pre: string
  /** behind the plus, empty without one */
  readonly build: string
}

const MAX_LENGTH = 256
const MAX_NUMBER = 2n ** 64n - 1n
const LOOSE = /^v?(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?$/
const STRICT = /^(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)(?:[-+]|$)/

/** Reads `1`, `v1.2`, `01.2.3-rc.1+build`; undefined for what is no version. */
export function parseVersion(text: string): Version | undefined {
  const match = text.length <= MAX_LENGTH ? LOOSE.exec(text) : null
  if (!match) return undefined
  const [, major = '0', minor = '0', patch = '0', pre = '', build = ''] = match
  const version = { major: BigInt(major), minor: BigInt(minor), patch: BigInt(patch), pre, build }
  const fits = version.major <= MAX_NUMBER && version.minor <= MAX_NUMBER && version.patch <= MAX_NUMBER
  return fits && !pre.split('.').some((part) => /^0\d+$/.test(part)) ? version : undefined
}

/** Reads only what semver.org allows: three numbers without leading zeros, no `v`. */
export function parseStrictVersion(text: string): Version | undefined {
  return STRICT.test(text) ? parseVersion(text) : undefined
}

/** The normal form: three numbers, no `v`. */
export function formatVersion({ major, minor, patch, pre, build }: Version): string {
  return `${major}.${minor}.${patch}${pre ? `-${pre}` : ''}${build ? `+${build}` : ''}`
}

/** Negative, 0 or positive, as for sorting. What stands behind the plus does not count. */
export function compareVersions(a: Version, b: Version): number {
  return order(a.major, b.major) || order(a.minor, b.minor) || order(a.patch, b.patch) || comparePre(a.pre, b.pre)
}

function comparePre(a: string, b: string): number {
  if (a === b) return 0
  if (a === '' || b === '') return a === '' ? 1 : -1
  const [left, right] = [a.split('.'), b.split('.')]
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const result = comparePart(left[i], right[i])
    if (result !== 0) return result
  }
  return 0
}

/** Numbers come before words, and what has fewer parts before what has more. */
function comparePart(a: string | undefined, b: string | undefined): number {
  if (a === undefined || b === undefined) return a === b ? 0 : a === undefined ? -1 : 1
  const [isNumber, isOtherNumber] = [/^\d+$/.test(a), /^\d+$/.test(b)]
  if (isNumber && isOtherNumber) return order(BigInt(a), BigInt(b))
  if (isNumber !== isOtherNumber) return isNumber ? -1 : 1
  return order(a, b)
}

function order<T extends bigint | string>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0
}
