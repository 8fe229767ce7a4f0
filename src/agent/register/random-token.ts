import { randomBytes as machineRandomBytes } from 'node:crypto'

const ALPHABET = 'bcdfghjklmnpqrstvwxz2456789'
const LENGTH = 54
/** Bytes from here on would make some letters more likely than others. */
const FAIR = 256 - (256 % ALPHABET.length)

/** A token of 54 letters and digits (spec 0.3), more than 250 bits. `randomBytes` must be cryptographically strong. */
export function randomToken(randomBytes: (size: number) => Uint8Array = machineRandomBytes): string {
  let token = ''
  while (token.length < LENGTH) {
    const fair = [...randomBytes(LENGTH)].filter((byte) => byte < FAIR)
    token += fair.map((byte) => ALPHABET[byte % ALPHABET.length]).join('')
  }
  return token.slice(0, LENGTH)
}
