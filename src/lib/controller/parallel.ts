import { messageOf } from './errors.ts'

/** How many messages the error of a failed batch quotes. */
const QUOTED_ERRORS = 5

/**
 * Runs `fn` for each item, at most `limit` at a time, and returns the results in the order of the items.
 * All items are tried even if some fail. Then a single error is thrown as it is, several as an AggregateError that holds each of them.
 *
 *     await inParallel(changes, 16, (change) => client.update(change))
 */
export async function inParallel<T, R>(items: readonly T[], limit: number, fn: (item: T, index: number) => Promise<R>): Promise<R[]> {
  const results = new Array<R>(items.length)
  const errors: { index: number; error: unknown }[] = []
  let next = 0

  async function worker(): Promise<void> {
    while (next < items.length) {
      const index = next++
      try {
        results[index] = await fn(items[index]!, index)
      } catch (error) {
        errors.push({ index, error })
      }
    }
  }

  await Promise.all(Array.from({ length: Math.min(Math.max(limit, 1), items.length) }, worker))
  if (errors.length > 0)
    throw combine(
      errors.sort((a, b) => a.index - b.index).map((failure) => failure.error),
      items.length,
    )
  return results
}

function combine(errors: unknown[], total: number): unknown {
  if (errors.length === 1) return errors[0]
  const messages = [...new Set(errors.map(messageOf))].sort()
  const more = messages.length > QUOTED_ERRORS ? `; and ${messages.length - QUOTED_ERRORS} more` : ''
  return new AggregateError(errors, `${errors.length} of ${total} failed: ${messages.slice(0, QUOTED_ERRORS).join('; ')}${more}`)
}
