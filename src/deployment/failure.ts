import { messageOf } from '../lib/controller/errors.ts'

/** Several errors as one to throw; none of them is lost. */
export function failure(errors: readonly unknown[]): unknown {
  if (errors.length === 1) return errors[0]
  const messages = [...new Set(errors.map(messageOf))].sort()
  return new AggregateError(
    errors,
    `${errors.length} deployments failed: ${messages[0] ?? ''}${messages.length > 1 ? ` (and ${messages.length - 1} other errors)` : ''}`,
  )
}
