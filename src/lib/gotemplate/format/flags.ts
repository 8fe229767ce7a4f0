import { characterCount } from '../values/bytes.ts'

/** What stands between `%` and the verb. */
export interface Flags {
  readonly plus: boolean
  readonly minus: boolean
  readonly sharp: boolean
  readonly space: boolean
  readonly zero: boolean
  /** `%+v` */
  readonly plusV: boolean
  /** `%#v` */
  readonly sharpV: boolean
  readonly width: number | undefined
  readonly precision: number | undefined
}

/** A directive without flags. */
export const NO_FLAGS: Flags = {
  plus: false,
  minus: false,
  sharp: false,
  space: false,
  zero: false,
  plusV: false,
  sharpV: false,
  width: undefined,
  precision: undefined,
}

/** The text filled up to the width: with blanks, or with zeros on the left if the flag asks for them. */
export function pad(text: string, { width, minus, zero }: Flags): string {
  if (!width) return text
  const missing = width - characterCount(text)
  if (missing <= 0) return text
  return minus ? text + ' '.repeat(missing) : (zero ? '0' : ' ').repeat(missing) + text
}

/** The same, never with zeros. */
export function padBlank(text: string, flags: Flags): string {
  return flags.width ? pad(text, { ...flags, zero: false }) : text
}
