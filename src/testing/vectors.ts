// Runs the test vectors of the pure functions. They are not part of the repository: VECTORS names their folder.
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'

/** One case: what goes in, and what must come out, or that it must fail. */
interface Vector<I, O> {
  name: string
  input: I
  output?: O
  error?: { class: string; phase?: string }
}

interface VectorOptions<I> {
  /** Runs only these cases. */
  only?: (input: I) => boolean
}

const ROOT = resolve(import.meta.dirname, '..', '..')

/** VECTORS, from the root of the checkout. */
function vectorFolder(): string {
  return resolve(ROOT, process.env.VECTORS ?? '')
}

/**
 * Registers one test per case of a vector file: `answer` must return the output, or throw where the case expects an error.
 * A file that is not there gives one skipped test whose name says so.
 *
 *     checkVectors('names.json', (input: { text: string }) => keyHash(input.text), { only: (input) => input.kind === 'key-hash' })
 */
export function checkVectors<I, O>(file: string, answer: (input: I) => O | Promise<O>, options: VectorOptions<I> = {}): void {
  const path = join(vectorFolder(), file)
  describe(`vectors ${file}`, () => {
    if (!existsSync(path)) {
      process.stdout.write(`vectors skipped: there is no ${file} in the folder that VECTORS names\n`)
      test.skip(`${file} is not there`, () => {})
      return
    }
    const { cases } = JSON.parse(readFileSync(path, 'utf8')) as { cases: Vector<I, O>[] }
    for (const vector of cases) {
      if (options.only?.(vector.input) === false) continue
      test(vector.name, () => checkVector(vector, answer))
    }
  })
}

async function checkVector<I, O>(vector: Vector<I, O>, answer: (input: I) => O | Promise<O>): Promise<void> {
  if (!vector.error) {
    expect(await answer(vector.input)).toEqual(vector.output)
    return
  }
  await expect(
    (async () => answer(vector.input))(),
    `expected an error (${vector.error.class}${vector.error.phase ? `, phase ${vector.error.phase}` : ''})`,
  ).rejects.toThrow()
}
