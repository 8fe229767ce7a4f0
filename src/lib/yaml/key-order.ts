// The order in which Go's YAML writer puts the keys of a map: letters after all else, runs of digits by their number.

const LETTER = /^\p{L}$/u
const DIGIT = /^\p{Nd}$/u

/** Compares two keys; a comparator for sort. */
export function compareKeys(left: string, right: string): number {
  const [a, b] = [[...left], [...right]]
  for (let at = 0; at < a.length && at < b.length; at++) {
    const [x, y] = [a[at] ?? '', b[at] ?? '']
    if (x !== y) return compareAt(a, b, at)
  }
  return a.length - b.length
}

/** The keys are equal before `at` and differ there. */
function compareAt(a: readonly string[], b: readonly string[], at: number): number {
  const [x, y] = [a[at] ?? '', b[at] ?? '']
  const [isLetterX, isLetterY] = [LETTER.test(x), LETTER.test(y)]
  if (isLetterX && isLetterY) return codeOf(x) - codeOf(y)
  if (isLetterX || isLetterY) return isLetterY ? -1 : 1
  // a zero after other digits is part of their number, a leading one is not
  const seed = (x === '0' || y === '0') && followsNonZeroDigit(a, at) ? 1n : 0n
  const [left, right] = [numberAt(a, at, seed), numberAt(b, at, seed)]
  if (left.value !== right.value) return left.value < right.value ? -1 : 1
  return left.end - right.end || codeOf(x) - codeOf(y)
}

function followsNonZeroDigit(key: readonly string[], at: number): boolean {
  for (let before = at - 1; before >= 0 && DIGIT.test(key[before] ?? ''); before--) {
    if (key[before] !== '0') return true
  }
  return false
}

function numberAt(key: readonly string[], at: number, seed: bigint): { value: bigint; end: number } {
  let value = seed
  let end = at
  for (; end < key.length && DIGIT.test(key[end] ?? ''); end++) {
    value = BigInt.asIntN(64, value * 10n + BigInt(codeOf(key[end] ?? '') - 0x30))
  }
  return { value, end }
}

function codeOf(char: string): number {
  return char.codePointAt(0) ?? 0
}
