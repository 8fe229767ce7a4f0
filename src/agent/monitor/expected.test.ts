import { describe, expect, test } from 'vitest'
import type { KubeObject } from '../../lib/kube/types.ts'
import { expected } from './expected.ts'

const base64 = (text: string) => Buffer.from(text).toString('base64')

/** What is expected of an object with some fields, where the live one has others. */
function fieldsOf(kind: string, desired: object, live: object, replicasScaled = false): unknown {
  const make = (fields: object) => ({ ...type(kind), metadata: { name: 'x' }, ...fields }) as KubeObject
  const before = structuredClone(desired)
  const { apiVersion: _, kind: __, metadata: ___, ...fields } = expected(make(desired), make(live), { replicasScaled })
  expect(desired, 'the manifest is not changed').toEqual(before)
  return fields
}

function type(name: string): { apiVersion: string; kind: string } {
  const [kind = '', ...apiVersion] = name.split('.')
  return { apiVersion: apiVersion.join('.') || 'v1', kind }
}

const WEBHOOKS = 'MutatingWebhookConfiguration.admissionregistration.k8s.io/v1'
const ROLE = 'ClusterRole.rbac.authorization.k8s.io/v1'

describe('the certificate of a webhook', () => {
  const one = (caBundle?: string | null) => ({
    webhooks: [{ name: 'one', clientConfig: { service: {}, ...(caBundle === undefined ? {} : { caBundle }) } }],
  })

  test.each([undefined, null, '', 'Cg=='])('is whatever was put in where the manifest has %j', (given) => {
    expect(fieldsOf(WEBHOOKS, one(given), one('abc'))).toEqual(one('abc'))
    expect(fieldsOf(WEBHOOKS, one(given), one())).toEqual(one())
  })

  test('is the one of the manifest where there is one', () => {
    expect(fieldsOf(WEBHOOKS, one(base64('mine')), one('abc'))).toEqual(one(base64('mine')))
  })

  test('goes by the name of the webhook', () => {
    const live = { webhooks: [{ name: 'other', clientConfig: { caBundle: 'abc' } }] }
    expect(fieldsOf(WEBHOOKS, one(), live)).toEqual(one())
  })

  test('of conversions and of API services is treated alike', () => {
    const conversion = (client: object) => ({ spec: { conversion: { webhook: { clientConfig: client } } } })
    const crd = 'CustomResourceDefinition.apiextensions.k8s.io/v1'
    expect(fieldsOf(crd, conversion({ url: 'u' }), conversion({ caBundle: 'abc' }))).toEqual(conversion({ url: 'u', caBundle: 'abc' }))
    const service = { spec: { group: 'g' } }
    expect(fieldsOf('APIService.apiregistration.k8s.io/v1', service, { spec: { caBundle: 'abc' } })).toEqual({
      spec: { group: 'g', caBundle: 'abc' },
    })
  })
})

test('the rules of a role are left to the cluster where the manifest lets it gather them', () => {
  const live = { aggregationRule: {}, rules: [{ verbs: ['get'] }] }
  expect(fieldsOf(ROLE, { aggregationRule: {}, rules: [] }, live)).toEqual({ aggregationRule: {} })
  expect(fieldsOf(ROLE, { rules: [] }, live)).toEqual({ rules: [] })
})

test('an account may have more secrets than its manifest names, but not fewer', () => {
  const [a, b] = [{ name: 'a' }, { name: 'b' }]
  expect(fieldsOf('ServiceAccount', { imagePullSecrets: [a] }, { imagePullSecrets: [b, a] })).toEqual({ imagePullSecrets: [b, a] })
  expect(fieldsOf('ServiceAccount', { secrets: [a, b] }, { secrets: [b] })).toEqual({ secrets: [a, b] })
  expect(fieldsOf('ServiceAccount', {}, { secrets: [b] })).toEqual({})
})

test('texts of a Secret win over its data and are encoded', () => {
  const desired = { stringData: { a: 'new', n: 1 }, data: { a: 'b2xk', b: 'Yg==' } }
  expect(fieldsOf('Secret', desired, {})).toEqual({ data: { a: base64('new'), b: 'Yg==', n: base64('1') } })
})

test('replicas that are scaled are those of the live object', () => {
  const deployment = 'Deployment.apps/v1'
  expect(fieldsOf(deployment, { spec: { replicas: 2 } }, { spec: { replicas: 5 } }, true)).toEqual({ spec: { replicas: 5 } })
  expect(fieldsOf(deployment, { spec: { replicas: 2 } }, { spec: { replicas: 5 } })).toEqual({ spec: { replicas: 2 } })
  expect(fieldsOf(deployment, { spec: {} }, { spec: { replicas: 5 } }, true)).toEqual({ spec: {} })
})

test('nulls, status and marks of the release are not looked for', () => {
  const metadata = {
    name: 'x',
    creationTimestamp: null,
    resourceVersion: '7',
    labels: { 'app.kubernetes.io/managed-by': 'kustomize', a: 'b' },
    annotations: { 'meta.helm.sh/release-name': 'other' },
  }
  const desired = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { a: null, b: 'c' }, status: {} } as unknown as KubeObject
  expect(expected(desired, desired, { replicasScaled: false })).toEqual({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'x', labels: { a: 'b' }, annotations: {} },
    data: { b: 'c' },
  })
})
