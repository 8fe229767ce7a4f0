// What can go wrong between us and an API server: it said no (ApiError), it could not be reached (ConnectionError), or it does not know the kind.
import type { ResourceType } from './types.ts'

/** A cause inside a `Status`, for example one wrong field. */
export interface StatusCause {
  reason?: string
  message?: string
  field?: string
}

/** `details` of a `Status`: the object it speaks of, and why. */
export interface StatusDetails {
  name?: string
  group?: string
  kind?: string
  uid?: string
  causes?: StatusCause[]
  retryAfterSeconds?: number
}

/** What an {@link ApiError} is made of. */
export interface ApiErrorFields {
  status: number
  reason: string
  message: string
  details?: StatusDetails | undefined
  retryAfterMs?: number | undefined
}

/** The API server refused a request. `message` is the server's own sentence; `reason` its CamelCase word (`NotFound`, `Conflict`, …). */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  /** HTTP status, or the `code` of a `Status` that came inside a watch. */
  readonly status: number
  readonly reason: string
  readonly details?: StatusDetails
  /** How long the server asks us to wait, in milliseconds. */
  readonly retryAfterMs?: number

  constructor(fields: ApiErrorFields) {
    super(fields.message)
    this.status = fields.status
    this.reason = fields.reason
    if (fields.details) this.details = fields.details
    if (fields.retryAfterMs !== undefined) this.retryAfterMs = fields.retryAfterMs
  }
}

/** No usable answer: not reached, cut off, too slow (`code` TIMEOUT), too large (TOO_LARGE) or not understood (MALFORMED). Otherwise `code` is that of the socket. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError'
  readonly code: string

  constructor(message: string, code: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
  }
}

/** The API server serves no such kind (yet): a CRD may be missing. */
export class UnknownKindError extends Error {
  override readonly name = 'UnknownKindError'
  readonly type: ResourceType

  constructor(type: ResourceType) {
    super(`the cluster does not know the kind ${type.kind} in ${type.apiVersion}: is its CustomResourceDefinition installed?`)
    this.type = { apiVersion: type.apiVersion, kind: type.kind }
  }
}

/** The object, or the path, does not exist. */
export function isNotFound(error: unknown): error is ApiError {
  return error instanceof ApiError && error.status === 404
}

/** The object changed since it was read (409 but not `AlreadyExists`), or a delete precondition does not hold. */
export function isConflict(error: unknown): error is ApiError {
  return error instanceof ApiError && error.status === 409 && error.reason !== 'AlreadyExists'
}

/** An object of that name exists already. */
export function isAlreadyExists(error: unknown): error is ApiError {
  return error instanceof ApiError && error.status === 409 && error.reason === 'AlreadyExists'
}

/** Our identity may not do this. */
export function isForbidden(error: unknown): error is ApiError {
  return error instanceof ApiError && error.status === 403
}

/** The resource version is too old: list again. */
export function isGone(error: unknown): error is ApiError {
  return error instanceof ApiError && (error.status === 410 || error.reason === 'Expired')
}

/** The resource version is newer than what this API server has seen, as when its cache lags behind. */
export function isTooLargeResourceVersion(error: unknown): error is ApiError {
  if (!(error instanceof ApiError)) return false
  return error.details?.causes?.some((cause) => cause.reason === 'ResourceVersionTooLarge') ?? false
}
