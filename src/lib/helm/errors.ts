// What helm says on standard error, mapped to kinds. One table, one test a row: nothing else compares messages of helm.

import { ExecError } from '../exec/exec-error.ts'

export type HelmErrorKind =
  | 'rolled-back'
  | 'timeout'
  | 'in-progress'
  | 'kube-version'
  | 'broken-yaml'
  | 'ownership'
  | 'immutable'
  | 'unknown-field'
  | 'wrong-type'
  | 'values-schema'
  | 'template'
  | 'chart'
  | 'unknown-kind'
  | 'no-namespace'
  | 'forbidden'
  | 'invalid'
  | 'conflict'
  | 'release-not-found'
  | 'already-uninstalled'
  | 'unreachable'
  | 'other'

/** The first row that matches decides; what contains other messages (a rollback says why it happened) comes first. */
const KINDS: readonly (readonly [RegExp, HelmErrorKind])[] = [
  [/failed, and has been (uninstalled|rolled back) due to/, 'rolled-back'],
  // a webhook may say anything, and its failure to answer is not that of the cluster
  [/failed calling webhook|admission webhook "[^"]*" denied/, 'other'],
  [/another operation \(install\/upgrade\/rollback\) is in progress/, 'in-progress'],
  [/chart requires kubeVersion/, 'kube-version'],
  [/YAML parse error|MalformedYAMLError|error while running post render on files/, 'broken-yaml'],
  [/invalid ownership metadata|annotation validation error/, 'ownership'],
  [/field is immutable|spec is immutable after creation|Forbidden: updates to .+ are forbidden/, 'immutable'],
  [/field not declared in schema|unknown field/, 'unknown-field'],
  [/expected (numeric|string|boolean|map|list|object|array)[^"]*, got|cannot unmarshal|error validating data/, 'wrong-type'],
  [/values don't meet the specifications of the schema/, 'values-schema'],
  [/execution error at|parse error at|template: |error calling /, 'template'],
  [
    /Chart\.yaml file is missing|validation: chart\.metadata|library charts are not installable|found in Chart\.yaml, but missing in charts\/ directory/,
    'chart',
  ],
  [/no matches for kind/, 'unknown-kind'],
  [/namespaces "[^"]*" not found/, 'no-namespace'],
  [/is forbidden: /, 'forbidden'],
  [/ is invalid: /, 'invalid'],
  [/timed out waiting for the condition|context deadline exceeded|not ready\. status: /, 'timeout'],
  [/Apply failed with \d+ conflict|the object has been modified/, 'conflict'],
  [/release: not found/, 'release-not-found'],
  [/is already deleted/, 'already-uninstalled'],
  [/cluster unreachable|connection refused|no such host|i\/o timeout|TLS handshake timeout|EOF$/, 'unreachable'],
]

/** A helm command failed. The message is helm's, without its decoration. */
export class HelmError extends Error {
  readonly kind: HelmErrorKind

  constructor(kind: HelmErrorKind, message: string, options: { cause?: unknown } = {}) {
    super(message, options)
    this.name = 'HelmError'
    this.kind = kind
  }
}

/** The error of a helm process: a {@link HelmError} if helm ended by itself, otherwise what was given. */
export function toHelmError(error: unknown): unknown {
  if (!(error instanceof ExecError) || error.failure !== 'exit') return error
  const message = helmMessage(error.stderr)
  return new HelmError(helmErrorKind(message), message || error.message, { cause: error })
}

/** The kind of a message of helm. */
export function helmErrorKind(message: string): HelmErrorKind {
  return KINDS.find(([pattern]) => pattern.test(message))?.[1] ?? 'other'
}

/** What helm means to say: the text behind `Error:`, without the name of the operation, log lines and advice about flags that users cannot set here. */
export function helmMessage(stderr: string): string {
  const start = stderr.search(/^Error: /m)
  const text = start < 0 ? stderr : stderr.slice(start + 'Error: '.length)
  return text
    .replace(/^(INSTALLATION FAILED|UPGRADE FAILED): /, '')
    .replace(/\n*Use --debug flag to render out invalid YAML\s*$/, '')
    .replaceAll('rollback-on-failure being set', 'atomic being set') // the name of the option a user of Fleet knows
    .trim()
}
