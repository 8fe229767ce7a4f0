// What an API server answers to a write of the native engine, in the words and kinds of the helm engine: whoever reports it need not know who wrote.
import { HelmError, helmErrorKind } from '../../lib/helm/errors.ts'
import { ApiError, ConnectionError, isConflict, UnknownKindError } from '../../lib/kube/errors.ts'
import type { KubeObject, ObjectRef } from '../../lib/kube/types.ts'

/** Messages of single objects that are quoted when many fail. */
const QUOTED = 5
/** A server that is busy, starting, or does not know us: says nothing about the object. */
const ELSEWHERE = [401, 429, 502, 503, 504]

/** The error of a request, with `what` was tried in front of its message. Errors on the way to the cluster are returned as they are. */
export function refusalOf(error: unknown, what: string): unknown {
  if (error instanceof UnknownKindError) return unknownKind(error)
  if (!(error instanceof ApiError) || ELSEWHERE.includes(error.status)) return error
  const isOfWebhook = /\bwebhook\b/.test(error.message)
  const message = `${what}: ${error.message}`
  // a webhook may say anything: its words are not those of the API server
  return new HelmError(isOfWebhook ? 'other' : helmErrorKind(message), message, { cause: error })
}

/** The error of writing an object. */
export function writeRefusal(error: unknown, ref: ObjectRef): unknown {
  const what = `${ref.namespace ? `${ref.namespace}/` : ''}${ref.name} ${typeOf(ref)}`
  return refusalOf(
    error,
    isConflict(error) ? `conflict occurred while applying object ${what}` : `server-side apply failed for object ${what}`,
  )
}

/** The error of removing an object. */
export function removalRefusal(error: unknown, { kind, namespace = '', name }: ObjectRef): unknown {
  return refusalOf(error, `failed to delete resource namespace=${namespace}, name=${name}, kind=${kind}`)
}

/** An object of a kind that the cluster does not serve. */
export function unknownKindOf({ apiVersion, kind, metadata }: KubeObject): HelmError {
  const message = `resource mapping not found for name: "${metadata.name}" namespace: "${metadata.namespace ?? ''}" from "": no matches for kind "${kind}" in version "${apiVersion}"\nensure CRDs are installed first`
  return new HelmError('unknown-kind', message)
}

/**
 * One error for all that went wrong with the objects of a release: what is wrong with the way to the cluster comes first, for it explains the rest.
 * Undefined when nothing did.
 */
export function combined(errors: readonly unknown[], separator: string): unknown {
  const [first] = errors
  if (errors.length <= 1) return first
  const elsewhere = errors.find((error) => error instanceof ConnectionError || error instanceof ApiError)
  if (elsewhere) return elsewhere
  const refusals = errors.filter((error) => error instanceof HelmError)
  if (refusals.length < errors.length) return errors.find((error) => !(error instanceof HelmError))
  const messages = [...new Set(refusals.map(({ message }) => message))]
  const more = messages.length > QUOTED ? `${separator}and ${messages.length - QUOTED} more` : ''
  return new HelmError(kindOf(refusals), messages.slice(0, QUOTED).join(separator) + more, { cause: new AggregateError(errors) })
}

/** What may heal by itself is worth another try, whatever else is wrong. */
function kindOf(refusals: readonly HelmError[]): HelmError['kind'] {
  const kinds = new Set(refusals.map(({ kind }) => kind))
  return kinds.size === 1 ? refusals[0]!.kind : ([...kinds].find((kind) => HEALING.includes(kind)) ?? refusals[0]!.kind)
}

const HEALING: readonly HelmError['kind'][] = ['unknown-kind', 'no-namespace', 'forbidden', 'conflict', 'other', 'invalid']

function unknownKind({ type }: UnknownKindError): HelmError {
  return new HelmError('unknown-kind', `no matches for kind "${type.kind}" in version "${type.apiVersion}"`)
}

/** `apps/v1, Kind=Deployment`; the core group is empty. */
function typeOf({ apiVersion, kind }: ObjectRef): string {
  return `${apiVersion.includes('/') ? apiVersion : `/${apiVersion}`}, Kind=${kind}`
}
