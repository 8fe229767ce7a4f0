// Numbers as tags write them. They are compared digit by digit: build numbers and times are longer than what a double holds.

const NUMBER = /^(\d+)(?:\.(\d+))?$/

/** Whether a text is a decimal number: digits, and perhaps a point with more of them. */
export function isNumber(text: string): boolean {
  return NUMBER.test(text)
}

/** Negative if `a` is the smaller one, 0 if they are equal. Both have to be numbers. */
export function compareNumbers(a: string, b: string): number {
  const [left, right] = [partsOf(a), partsOf(b)]
  return left.whole.length - right.whole.length || compareText(left.whole, right.whole) || compareText(left.fraction, right.fraction)
}

/** Without zeros that mean nothing. */
function partsOf(text: string): { readonly whole: string; readonly fraction: string } {
  const [, whole = '', fraction = ''] = NUMBER.exec(text) ?? []
  return { whole: whole.replace(/^0+/, ''), fraction: fraction.replace(/0+$/, '') }
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
