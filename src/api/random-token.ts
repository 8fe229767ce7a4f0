/** Letters and digits that nobody mistakes for others, and that spell no words. */
const ALPHABET = 'bcdfghjklmnpqrstvwxz2456789'
const LENGTH = 54

/** A clientID or clientRandom that cannot be guessed: 54 characters of 27, all equally likely, more than 250 bits (spec 0.3). `randomBytes` must be fit for secrets. */
export function randomToken(randomBytes: (length: number) => Uint8Array): string {
  // bytes from 243 on would favour the first letters
  const fair = 256 - (256 % ALPHABET.length)
  let text = ''
  for (let round = 0; text.length < LENGTH && round < 100; round++) {
    for (const byte of randomBytes(LENGTH)) if (byte < fair && text.length < LENGTH) text += ALPHABET[byte % ALPHABET.length]
  }
  if (text.length < LENGTH) throw new Error('there is no randomness to make a token of')
  return text
}
