// Reads answers of the API server. `managedFields` are dropped here, once for all: they are more than half of many objects and nobody needs them.
import { ApiError, type ApiErrorFields, ConnectionError, type StatusDetails } from './errors.ts'
import type { KubeObject } from './types.ts'

/** A `metav1.Status`, as far as we read it. */
interface Status {
  kind?: string
  message?: string
  reason?: string
  code?: number
  details?: StatusDetails
}

/** A list as it comes, before its items get `apiVersion` and `kind`. */
export interface RawList {
  metadata?: { resourceVersion?: string; continue?: string }
  items?: KubeObject[] | null
}

/** Longest part of an answer that is not a Status and is quoted in an error. */
const QUOTED = 300

/** Parses JSON; `what` names its origin in the ConnectionError MALFORMED. */
export function decodeJson<T>(body: Buffer | string, what: string): T {
  try {
    return JSON.parse(body.toString()) as T
  } catch (error) {
    throw new ConnectionError(`the answer to ${what} is not valid JSON`, 'MALFORMED', error)
  }
}

/** The object without `managedFields`. Changes and returns its argument. */
export function decodeObject<T>(object: T): T {
  const metadata = (object as { metadata?: KubeObject['metadata'] & { managedFields?: unknown } }).metadata
  if (metadata?.managedFields === undefined) return object
  // a copy without the field keeps a compact shape in memory, `delete` would not
  const { managedFields: _, ...rest } = metadata
  ;(object as { metadata: KubeObject['metadata'] }).metadata = rest
  return object
}

/** Gives an item of a list, or a PartialObjectMetadata, the kind it is of; without `managedFields`. Changes and returns its argument if it can. */
export function withType<T extends KubeObject>(object: KubeObject, apiVersion: string, kind: string): T {
  decodeObject(object)
  // items of built-in kinds come without type; both fields belong in front
  if (!('apiVersion' in object)) return Object.assign({ apiVersion, kind }, object) as KubeObject as T
  object.apiVersion = apiVersion
  object.kind = kind
  return object as T
}

/** The error that a refused request comes down to. Answers of proxies, which are no Status, are quoted shortly. */
export function errorOf(status: number, body: Buffer | string, request: string, retryAfterMs?: number): ApiError {
  const parsed = tryStatus(body.toString())
  if (parsed) return errorOfStatus(parsed, status, retryAfterMs)
  const text = body.toString().trim().replaceAll(/\s+/g, ' ').slice(0, QUOTED)
  return new ApiError({ status, reason: reasonOf(status), message: `${request}: HTTP ${status}${text ? `: ${text}` : ''}`, retryAfterMs })
}

/** The error inside a Status object, as it comes in an ERROR event of a watch. */
export function errorOfStatus(value: unknown, status = 500, retryAfterMs?: number): ApiError {
  const parsed = (typeof value === 'object' && value !== null ? value : {}) as Status
  const seconds = parsed.details?.retryAfterSeconds
  const fields: ApiErrorFields = {
    status: parsed.code ?? status,
    reason: parsed.reason || reasonOf(parsed.code ?? status),
    message: parsed.message || `the API server answered with status ${parsed.code ?? status}`,
    details: parsed.details,
    retryAfterMs: retryAfterMs ?? (seconds === undefined ? undefined : seconds * 1_000),
  }
  return new ApiError(fields)
}

function tryStatus(text: string): Status | undefined {
  if (!text.trimStart().startsWith('{')) return undefined
  try {
    const value = JSON.parse(text) as Status
    return value.kind === 'Status' ? value : undefined
  } catch {
    return undefined // cut off or not JSON: quoted as text
  }
}

const REASONS: Readonly<Record<number, string>> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  409: 'Conflict',
  410: 'Gone',
  413: 'RequestEntityTooLarge',
  422: 'Invalid',
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'ServiceUnavailable',
  504: 'Timeout',
}

function reasonOf(status: number): string {
  return REASONS[status] ?? 'Unknown'
}
