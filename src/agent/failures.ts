// What a failed deployment means (spec 7.1 error classes, 12): give it up until its id changes, or try it again.
import { messageOf, TerminalError, WaitingError } from '../lib/controller/errors.ts'
import { HelmError, type HelmErrorKind } from '../lib/helm/errors.ts'
import { ApiError, ConnectionError } from '../lib/kube/errors.ts'
import { KustomizeError } from '../lib/kustomize/build.ts'
import { RenderError, type RenderProblem } from './render/render-error.ts'
import { NamespaceForbiddenError } from './target-namespace.ts'

/**
 * - `permanent`: counts as applied, nothing is tried again until the id changes
 * - `namespace`: deployed, but the account may not label its namespace
 * - `broken`: what is in the bundle must change; reported as not deployed, nothing is tried again
 * - `passing`: may heal by itself; reported as not deployed
 * - `unreported`: about the hub or the way to it; what is known stays as it is
 */
export type FailureClass = 'permanent' | 'namespace' | 'broken' | 'passing' | 'unreported'

const PERMANENT: readonly HelmErrorKind[] = [
  'rolled-back',
  'timeout',
  'kube-version',
  'broken-yaml',
  'ownership',
  'immutable',
  'unknown-field',
  'wrong-type',
]
/** Not about this deployment: the way to the cluster, or another helm at work. */
const ELSEWHERE: readonly HelmErrorKind[] = ['unreachable', 'in-progress']
/** Problems of contents that depend on what the cluster knows. */
const HEALING: readonly RenderProblem[] = ['unknown-kind', 'cluster-scoped']

/** Files of a chart that cannot be read: nothing is rendered, so nothing can be said about what is installed. */
const UNLOADABLE = /^cannot load (values\.yaml|Chart\.yaml|requirements\.yaml)/
/** An object of nobody, or of another release, stays as it is; one that lacks nothing but its label may get it. */
const OTHER_RELEASE = /annotation validation error/
/** What kustomize says about its own files is about what they hold (spec 7.1 c). */
const UNREADABLE_SOURCE = /unknown field|MalformedYAMLError/

const STOPPING = 'Stopping'
const SOON_MS = 1_000

/** A signal that is aborted with another one, and whose reason says so: what has not begun by then is left to the next process. */
export function untilStop(signal: AbortSignal): AbortSignal {
  const stopping = new AbortController()
  const stop = (): void => stopping.abort(new WaitingError('the agent stops', { reason: STOPPING, retryAfterMs: SOON_MS }))
  if (signal.aborted) stop()
  else signal.addEventListener('abort', stop, { once: true })
  return stopping.signal
}

/** Something was not begun because of {@link untilStop}: that says nothing about a deployment. */
export function isStop(error: unknown): boolean {
  return error instanceof WaitingError && error.reason === STOPPING
}

/** The class of an error of a deployment. */
export function failureClass(error: unknown): FailureClass {
  if (isStop(error)) return 'unreported'
  if (error instanceof HelmError && ELSEWHERE.includes(error.kind)) return 'unreported'
  if (error instanceof HelmError) return helmFailure(error)
  if (error instanceof RenderError && error.problem === 'broken-yaml') return 'permanent'
  if (error instanceof RenderError) return HEALING.includes(error.problem) ? 'passing' : 'broken'
  if (error instanceof KustomizeError) return UNREADABLE_SOURCE.test(error.message) ? 'permanent' : 'broken'
  if (error instanceof TerminalError) return 'broken'
  if (error instanceof NamespaceForbiddenError) return 'namespace'
  if (error instanceof ConnectionError) return 'unreported'
  if (error instanceof ApiError && (error.status === 401 || error.status === 429 || error.status >= 500)) return 'unreported'
  return 'passing'
}

function helmFailure({ kind, message }: HelmError): FailureClass {
  if (UNLOADABLE.test(message)) return 'broken'
  if (kind === 'ownership' && !OTHER_RELEASE.test(message)) return 'passing'
  return PERMANENT.includes(kind) ? 'permanent' : 'passing'
}

/** Folders that rendering and installing worked in; their names differ each time. */
const WORK_FOLDER = /(\/[^\s'":]*)?\/fleet-agent-[^/\s]+\/(render|release)-[^/\s'"]+\/(bundle\/)?/g
const CONNECTION = /\b(read|write|dial) tcp \S+->/g

/** A message without temporary folders and addresses of single connections, so that the same cause always gives the same text. */
export function stableMessage(error: unknown): string {
  return messageOf(error).replace(WORK_FOLDER, '').replace(CONNECTION, '$1 tcp ')
}
