import { describe, expect, test } from 'vitest'
import type { BundleSpec } from '../api/bundle.ts'
import type { Policy } from '../api/policy.ts'
import { authorize, impositionsOf, PolicyViolation } from './impositions.ts'
import { bundle } from './testing/objects.ts'

const policies = (...fields: Partial<Policy>[]): Policy[] =>
  fields.map((one, index) => ({ apiVersion: 'v1', kind: 'Policy', metadata: { name: `p${index}` }, ...one }))
const restriction = (name: string, matchLabels: Record<string, string>) => ({
  apiVersion: 'v1',
  kind: 'GitRepoRestriction',
  metadata: { name },
  allowedTargetNamespaceSelector: { matchLabels },
})

describe('service accounts', () => {
  const check =
    (spec: BundleSpec, ...fields: Partial<Policy>[]) =>
    () =>
      authorize(bundle(spec), policies(...fields))

  test('are free without policies', () => {
    expect(check({ serviceAccount: 'any' })).not.toThrow()
  })

  test('that are required must stand on the bundle', () => {
    expect(check({ targets: [{ serviceAccount: 'x' }] }, { requireServiceAccount: true }, {})).toThrow(
      'serviceAccount is required by Policy but is not set on the Bundle',
    )
    expect(check({ serviceAccount: 'x' }, { requireServiceAccount: true })).not.toThrow()
  })

  test('must be in one of the lists, those of targets too', () => {
    const lists = [{ allowedServiceAccounts: ['b'] }, { allowedServiceAccounts: ['a'] }, {}]
    expect(check({ serviceAccount: 'c' }, ...lists)).toThrow(new PolicyViolation('disallowed serviceAccount c: policies allow a, b'))
    expect(check({ serviceAccount: 'a', targets: [{ name: 't', serviceAccount: 'c' }] }, ...lists)).toThrow(
      'disallowed serviceAccount c in target t: ',
    )
    expect(check({ serviceAccount: 'a', targets: [{ serviceAccount: 'b' }, {}] }, ...lists)).not.toThrow()
    expect(check({}, ...lists)).not.toThrow()
  })
})

test('who needs a service account may not create namespaces, unless that is allowed', () => {
  const forbidden = (...fields: Partial<Policy>[]) => impositionsOf(bundle(), policies(...fields), []).forbidNamespaceCreation
  expect([
    forbidden(),
    forbidden({ requireServiceAccount: true }),
    forbidden({ requireServiceAccount: true }, { allowNamespaceCreation: true }),
  ]).toEqual([false, true, false])
})

test('selectors of restrictions only concern bundles that come from git, and are merged in the order of names', () => {
  const restrictions = [restriction('b', { team: 'last' }), restriction('a', { team: 'first', env: 'x' })]
  expect(impositionsOf(bundle(), [], restrictions).allowedTargetNamespaceSelector).toBeUndefined()
  const fromGit = bundle({}, { labels: { 'fleet.cattle.io/repo-name': 'repo' } })
  expect(impositionsOf(fromGit, [], restrictions).allowedTargetNamespaceSelector).toEqual({ matchLabels: { team: 'last', env: 'x' } })
})
