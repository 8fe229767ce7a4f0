// Functions that give something else each time. They work only where the renderer lends its randomness: values that change
// with every rendering would be deployed again and again.
import { fail } from '../errors.ts'
import type { GoFunction, Run } from '../values/value.ts'
import { defineWith, type FunctionTable } from './define.ts'

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const DIGITS = '0123456789'
const ASCII = String.fromCharCode(...Array.from({ length: 95 }, (_, index) => 32 + index))

/** Functions of randomness. */
export const RANDOM: FunctionTable = {
  randAlpha: randomText('randAlpha', LETTERS),
  randNumeric: randomText('randNumeric', DIGITS),
  randAlphaNum: randomText('randAlphaNum', LETTERS + DIGITS),
  randAscii: randomText('randAscii', ASCII),
  randBytes: defineWith(['int'], (run, count) => {
    if (count < 0n) fail('the number of bytes is negative')
    run.meter.create(Number(count))
    return Buffer.from(randomBytes(run, 'randBytes', Number(count))).toString('base64')
  }),
  randInt: defineWith(['int', 'int'], (run, low, high) => {
    if (high <= low) fail('invalid argument to Intn')
    return low + (BigInt(`0x${Buffer.from(randomBytes(run, 'randInt', 16)).toString('hex')}`) % (high - low))
  }),
  shuffle: defineWith(['string'], (run, text) => shuffled([...text], run).join('')),
  uuidv4: defineWith([], (run) => {
    const bytes = Buffer.from(randomBytes(run, 'uuidv4', 16))
    bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40
    bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
    return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
  }),
}

/** Random bytes for a function of that name, which fails where there are none. */
export function randomBytes({ random }: Run, name: string, count: number): Uint8Array {
  return random ? random(count) : fail(`${name} is not available: it would give another result on every run`)
}

function randomText(name: string, characters: string): GoFunction {
  return defineWith(['int'], (run, count) => {
    if (count <= 0n) return ''
    run.meter.create(Number(count))
    run.meter.step(Number(count) / 16)
    let text = ''
    while (text.length < Number(count)) text += characters.charAt(randomBelow(run, name, characters.length))
    return text
  })
}

function shuffled(characters: string[], run: Run): string[] {
  run.meter.step(characters.length / 16)
  for (let last = characters.length - 1; last > 0; last--) {
    const other = randomBelow(run, 'shuffle', last + 1)
    const moved = characters[last] ?? ''
    characters[last] = characters[other] ?? ''
    characters[other] = moved
  }
  return characters
}

/** A number from 0 up to a limit below 2³², all as likely. */
function randomBelow(run: Run, name: string, limit: number): number {
  const fair = 2 ** 32 - (2 ** 32 % limit)
  for (;;) {
    const value = Buffer.from(randomBytes(run, name, 4)).readUInt32BE()
    if (value < fair) return value % limit
  }
}
