/**
 * A number as Go's `strconv.FormatFloat(value, 'g', -1, bits)` prints it: the shortest digits that read back the same, with an exponent below 1e-4 and from 1e6 on.
 * Infinite values are written as YAML writes them.
 */
export function formatFloat(value: number, bits: 32 | 64): string {
  if (Number.isNaN(value)) return '.nan'
  if (!Number.isFinite(value)) return value > 0 ? '.inf' : '-.inf'
  if (value === 0) return Object.is(value, -0) ? '-0' : '0'
  const [digits = '', power = '0'] = (bits === 64 ? value.toExponential() : shortestSingle(value)).split('e')
  const exponent = Number(power)
  if (exponent >= -4 && exponent < 6) return String(Number(`${digits}e${power}`))
  return `${digits}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`
}

/** The shortest decimal that becomes the same 32-bit float. */
function shortestSingle(value: number): string {
  const single = Math.fround(value)
  for (let digits = 0; digits < 9; digits++) {
    const text = value.toExponential(digits)
    if (Math.fround(Number(text)) === single) return text
  }
  return value.toExponential(9)
}
