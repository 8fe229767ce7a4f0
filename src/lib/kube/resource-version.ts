/**
 * Whether version `a` is older than `b`. Versions of built-in and custom resources are decimal numbers that grow; where they are not
 * (aggregated API servers), the answer is false.
 */
export function isOlderVersion(a: string | undefined, b: string | undefined): boolean {
  if (!a || !b || !isNumber(a) || !isNumber(b)) return false
  return a.length === b.length ? a < b : a.length < b.length
}

function isNumber(version: string): boolean {
  return /^(?:0|[1-9][0-9]*)$/.test(version)
}
