import { expect, test } from 'vitest'
import { TerminalError, WaitingError } from '../lib/controller/errors.ts'
import { ExecError } from '../lib/exec/exec-error.ts'
import { HelmError, type HelmErrorKind, helmErrorKind } from '../lib/helm/errors.ts'
import { ApiError, ConnectionError } from '../lib/kube/errors.ts'
import { KustomizeError } from '../lib/kustomize/build.ts'
import { type FailureClass, failureClass, isStop, stableMessage, untilStop } from './failures.ts'
import { RenderError } from './render/render-error.ts'
import { NamespaceForbiddenError } from './target-namespace.ts'

const helm = (kind: HelmErrorKind) => new HelmError(kind, 'x')
const api = (status: number) => new ApiError({ status, reason: 'X', message: 'x' })

const rows: [FailureClass, unknown[]][] = [
  [
    'permanent',
    [
      ...(['rolled-back', 'timeout', 'kube-version', 'broken-yaml', 'immutable', 'unknown-field', 'wrong-type'] as const).map(helm),
      new HelmError('ownership', 'annotation validation error: missing key "meta.helm.sh/release-name"'),
      new RenderError('x', 'broken-yaml'),
      new KustomizeError('invalid Kustomization: json: unknown field "resorces"'),
      new KustomizeError("accumulating resources from 'a.yaml': MalformedYAMLError: yaml: line 2"),
    ],
  ],
  [
    'broken',
    [
      ...(['broken-chart', 'missing-base', 'remote-base'] as const).map((problem) => new RenderError('x', problem)),
      new KustomizeError('x'),
      new TerminalError('x'),
      new HelmError('wrong-type', 'cannot load values.yaml: cannot unmarshal array into a map'),
    ],
  ],
  [
    'passing',
    [
      ...(['values-schema', 'template', 'unknown-kind', 'no-namespace', 'forbidden', 'invalid', 'conflict', 'other'] as const).map(helm),
      new HelmError('ownership', 'invalid ownership metadata; label validation error: missing key "app.kubernetes.io/managed-by"'),
      new RenderError('x', 'cluster-scoped'),
      new RenderError('x', 'unknown-kind'),
      new WaitingError('x'),
      new Error('x'),
      api(403),
      api(404),
      new ExecError({ command: 'helm', failure: 'timeout', durationMs: 1 }),
    ],
  ],
  ['unreported', [helm('unreachable'), helm('in-progress'), new ConnectionError('x', 'TIMEOUT'), api(401), api(429), api(503)]],
  ['namespace', [new NamespaceForbiddenError('x')]],
]

test.each(rows)('%s', (expected, errors) => {
  expect(errors.map(failureClass)).toEqual(errors.map(() => expected))
})

const WEBHOOK = 'Internal error occurred: failed calling webhook "x.example.org": failed to call webhook: Post "https://x.svc:443/": '

test.each<[FailureClass, HelmErrorKind, string]>([
  ['passing', 'other', `${WEBHOOK}context deadline exceeded`],
  ['passing', 'other', `${WEBHOOK}dial tcp 10.0.0.1:443: connect: connection refused`],
  ['passing', 'other', 'admission webhook "x.example.org" denied the request: field is immutable'],
  ['permanent', 'rolled-back', `release web failed, and has been rolled back due to atomic being set: ${WEBHOOK}EOF`],
])('a webhook that fails may work later: %s for a %s', (expected, kind, message) => {
  expect(helmErrorKind(message)).toBe(kind)
  expect(failureClass(new HelmError(kind, message))).toBe(expected)
})

test('a message never names temporary folders or connections, which differ each time', () => {
  const message =
    "evalsymlink failure on '/scratch/fleet-agent-cattle-fleet-system-a1B2/render-x9/bundle/app/absent.yaml': read tcp 10.0.0.1:55123->10.0.0.2:443: i/o timeout"
  expect(stableMessage(new Error(message))).toBe("evalsymlink failure on 'app/absent.yaml': read tcp 10.0.0.2:443: i/o timeout")
})

test('what is not begun because the agent stops is no failure of a deployment', () => {
  const stop = new AbortController()
  const stopping = untilStop(stop.signal)
  expect(stopping.aborted).toBe(false)
  stop.abort(new Error('SIGTERM received'))
  for (const signal of [stopping, untilStop(stop.signal)]) {
    expect(signal.reason).toBeInstanceOf(WaitingError) // no error in the log
    expect([isStop(signal.reason), failureClass(signal.reason)]).toEqual([true, 'unreported'])
  }
  expect(isStop(new WaitingError('a secret'))).toBe(false)
})
