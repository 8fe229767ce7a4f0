// What the answers of servers mean to whoever asked for a chart.
import type { Dispatcher } from 'undici'
import { ChartError } from './errors.ts'
import type { ChartAccess } from './types.ts'

const MAX_RETRY_AFTER_MS = 3_600_000

/** The error for an answer other than 200; `shown` is the address as it may be shown. */
export function statusError(shown: string, { statusCode, headers }: Dispatcher.ResponseData, access: ChartAccess): ChartError {
  return new ChartError(`${shown}: the server answers with error code ${statusCode}${meaning(statusCode, access)}`, {
    retryAfterMs: retryAfter(headers['retry-after']),
  })
}

function meaning(status: number, { credentials, withheld }: ChartAccess): string {
  if (status === 401 || status === 403) {
    if (withheld) return `, it wants credentials: ${withheld}`
    return credentials ? ', it does not accept these credentials: correct them' : ', it wants credentials: name a secret that has them'
  }
  if (status === 404 || status === 410) return ', there is nothing: correct the address'
  if (status === 407) return ', the proxy wants credentials: set them in its address'
  return status === 429 || status >= 500 ? ', it is tried again' : ''
}

function retryAfter(value: string | string[] | undefined): number | undefined {
  const seconds = Number(Array.isArray(value) ? value[0] : value)
  return seconds > 0 ? Math.min(seconds * 1_000, MAX_RETRY_AFTER_MS) : undefined
}
