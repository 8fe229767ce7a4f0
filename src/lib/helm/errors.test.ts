import { describe, expect, test } from 'vitest'
import { ExecError } from '../exec/exec-error.ts'
import { HelmError, type HelmErrorKind, helmErrorKind, helmMessage, toHelmError } from './errors.ts'

const rows: [string, HelmErrorKind][] = [
  [
    'release web failed, and has been uninstalled due to atomic being set: resource Deployment/a/web not ready. status: InProgress',
    'rolled-back',
  ],
  ['release web failed, and has been rolled back due to atomic being set: context deadline exceeded', 'rolled-back'],
  ['another operation (install/upgrade/rollback) is in progress', 'in-progress'],
  ['chart requires kubeVersion: < 1.10.0 which is incompatible with Kubernetes v1.36.3', 'kube-version'],
  [
    'YAML parse error on web/templates/b.yaml: error converting YAML to JSON: yaml: line 1: did not find expected node content',
    'broken-yaml',
  ],
  ['MalformedYAMLError: yaml: line 2', 'broken-yaml'],
  ['error while running post render on files: yaml: line 1', 'broken-yaml'],
  [
    'unable to continue with install: ConfigMap "a" in namespace "b" exists and cannot be imported into the current release: invalid ownership metadata; annotation validation error: key',
    'ownership',
  ],
  ['Deployment.apps "web" is invalid: spec.selector: Invalid value: {}: field is immutable', 'immutable'],
  ['PersistentVolumeClaim "data" is invalid: spec: Forbidden: spec is immutable after creation except resources.requests', 'immutable'],
  [
    "StatefulSet.apps \"db\" is invalid: spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'template' are forbidden",
    'immutable',
  ],
  [
    'failed to create typed patch object (ns/web; apps/v1, Kind=Deployment): .spec.notAField: field not declared in schema',
    'unknown-field',
  ],
  ['strict decoding error: unknown field "spec.notAField"', 'unknown-field'],
  ['failed to create typed patch object: .spec.replicas: expected numeric (int or float), got string', 'wrong-type'],
  ['json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32', 'wrong-type'],
  ['error validating "": error validating data: ValidationError', 'wrong-type'],
  [
    "values don't meet the specifications of the schema(s) in the following chart(s):\nweb:\n- at '/a': got string, want integer",
    'values-schema',
  ],
  ['execution error at (web/templates/b.yaml:1:3): colour must be given', 'template'],
  ['parse error at (web/templates/b.yaml:1): unclosed action', 'template'],
  ['template: web/templates/a.yaml:3:8: executing "x" at <.Values.a.b>: nil pointer', 'template'],
  ['Chart.yaml file is missing', 'chart'],
  ['validation: chart.metadata.version is required', 'chart'],
  ['library charts are not installable', 'chart'],
  ['An error occurred while checking for chart dependencies. found in Chart.yaml, but missing in charts/ directory: redis', 'chart'],
  [
    'unable to build kubernetes objects from release manifest: resource mapping not found for name: "a": no matches for kind "Widget" in version "x/v1"',
    'unknown-kind',
  ],
  ['create: failed to create: namespaces "apps" not found', 'no-namespace'],
  ['services is forbidden: User "system:serviceaccount:a:b" cannot create resource', 'forbidden'],
  ['ConfigMap "Not_A_Name" is invalid: metadata.name: Invalid value', 'invalid'],
  ['timed out waiting for the condition', 'timeout'],
  ['resource Deployment/ns/web not ready. status: InProgress, message: Available: 0/1\ncontext deadline exceeded', 'timeout'],
  ['Apply failed with 1 conflict: conflict with "kubectl"', 'conflict'],
  ['Operation cannot be fulfilled: the object has been modified', 'conflict'],
  ['uninstall: Release not loaded: web: release: not found', 'release-not-found'],
  ['the release named "web" is already deleted', 'already-uninstalled'],
  ['kubernetes cluster unreachable: Get "https://x/version"', 'unreachable'],
  ['dial tcp 127.0.0.1:1: connect: connection refused', 'unreachable'],
  ['lookup api: no such host', 'unreachable'],
  ['read tcp: i/o timeout', 'unreachable'],
  ['net/http: TLS handshake timeout', 'unreachable'],
  ['Get "https://x/api": EOF', 'unreachable'],
  ['something nobody has seen', 'other'],
]

test.each(rows)('%s', (message, kind) => {
  expect(helmErrorKind(message)).toBe(kind)
})

describe('what helm means to say', () => {
  test('is the text behind Error, without log lines and advice', () => {
    const stderr =
      'level=WARN msg="upgrade failed" name=web error="x"\nError: UPGRADE FAILED: YAML parse error on a.yaml\n\nUse --debug flag to render out invalid YAML\n'
    expect(helmMessage(stderr)).toBe('YAML parse error on a.yaml')
  })

  test('keeps further lines', () => {
    expect(helmMessage("Error: INSTALLATION FAILED: values don't fit:\nweb:\n- at a\n")).toBe("values don't fit:\nweb:\n- at a")
  })

  test('speaks of the option that the user set', () => {
    expect(helmMessage('Error: release web failed, and has been uninstalled due to rollback-on-failure being set: x')).toContain(
      'due to atomic being set: x',
    )
  })
})

test('a process that failed becomes a HelmError, one that was stopped stays what it is', () => {
  const failed = new ExecError({ command: 'helm', failure: 'exit', exitCode: 1, stderr: 'Error: release: not found\n', durationMs: 5 })
  const mapped = toHelmError(failed)
  expect(mapped).toBeInstanceOf(HelmError)
  expect(mapped).toMatchObject({ kind: 'release-not-found', message: 'release: not found', cause: failed })
  const stopped = new ExecError({ command: 'helm', failure: 'timeout', durationMs: 5 })
  expect(toHelmError(stopped)).toBe(stopped)
})
