import { describe, expect, test } from 'vitest'
import { HelmError } from '../../lib/helm/errors.ts'
import { ApiError, ConnectionError, UnknownKindError } from '../../lib/kube/errors.ts'
import { combined, removalRefusal, writeRefusal } from './refusal.ts'

const api = (status: number, message: string, reason = 'X') => new ApiError({ status, reason, message })
const web = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'ns', name: 'web' }
const map = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'ns', name: 'a' }

const rows: [string, ApiError | UnknownKindError, object][] = [
  [
    'a field that cannot be changed',
    api(422, 'Deployment.apps "web" is invalid: spec.selector: Invalid value: {}: field is immutable'),
    {
      kind: 'immutable',
      message:
        'server-side apply failed for object ns/web apps/v1, Kind=Deployment: Deployment.apps "web" is invalid: spec.selector: Invalid value: {}: field is immutable',
    },
  ],
  ['a missing right', api(403, 'deployments.apps "web" is forbidden: User "u" cannot patch resource "deployments"'), { kind: 'forbidden' }],
  ['a missing namespace', api(404, 'namespaces "ns" not found'), { kind: 'no-namespace' }],
  [
    'a field that does not exist',
    api(500, 'failed to create typed patch object: .spec.x: field not declared in schema'),
    { kind: 'unknown-field' },
  ],
  ['a kind that is not served', new UnknownKindError(web), { kind: 'unknown-kind' }],
  ['a webhook that refuses', api(400, 'admission webhook "x" denied the request: field is immutable'), { kind: 'other' }],
  ['a webhook that is not there', api(500, 'failed calling webhook "x": connection refused'), { kind: 'other' }],
  [
    'a conflict',
    api(409, 'Apply failed with 1 conflict: conflict with "other"', 'Conflict'),
    { kind: 'conflict', message: expect.stringMatching(/^conflict occurred while applying object ns\/web apps\/v1, Kind=Deployment: /) },
  ],
]

describe('a refusal', () => {
  test.each(rows)('for %s', (_, error, expected) => {
    expect(writeRefusal(error, web)).toMatchObject(expected)
    expect(writeRefusal(error, web)).toBeInstanceOf(HelmError)
  })

  test('names objects of the core group as helm does', () => {
    expect(writeRefusal(api(422, 'no'), map)).toMatchObject({ message: 'server-side apply failed for object ns/a /v1, Kind=ConfigMap: no' })
    expect(removalRefusal(api(403, 'no'), map)).toMatchObject({
      message: 'failed to delete resource namespace=ns, name=a, kind=ConfigMap: no',
    })
  })

  test.each([api(401, 'x'), api(429, 'x'), api(503, 'x'), new ConnectionError('x', 'TIMEOUT')])(
    'is not what says nothing of the object',
    (error) => {
      expect(writeRefusal(error, web)).toBe(error)
    },
  )
})

describe('many refusals', () => {
  const refusal = (kind: HelmError['kind'], message: string) => new HelmError(kind, message)

  test('are one error, with a few messages and each only once', () => {
    const errors = Array.from({ length: 9 }, (_, index) => refusal('invalid', `object ${index % 7}`))
    expect(combined(errors, ' && ')).toMatchObject({
      kind: 'invalid',
      message: 'object 0 && object 1 && object 2 && object 3 && object 4 && and 2 more',
    })
    expect(combined(errors.slice(0, 1), ' && ')).toBe(errors[0])
    expect(combined([], ' && ')).toBeUndefined()
  })

  test('may heal when one of them may', () => {
    expect(combined([refusal('immutable', 'a'), refusal('forbidden', 'b')], '\n')).toMatchObject({ kind: 'forbidden', message: 'a\nb' })
  })

  test('are not reported when the way to the cluster is broken', () => {
    const broken = new ConnectionError('x', 'ECONNRESET')
    expect(combined([refusal('invalid', 'a'), broken], '\n')).toBe(broken)
  })
})
