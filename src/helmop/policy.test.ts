import { expect, test } from 'vitest'
import type { HelmOpSpec } from '../api/helm-op.ts'
import { POLICY } from '../api/kinds.ts'
import type { Policy } from '../api/policy.ts'
import { createPatternMatcher } from '../source/patterns.ts'
import { authorizeHelmOp } from './policy.ts'

const repo = 'https://charts.example/stable'
const policy = (name: string, rules: Omit<Policy, keyof typeof POLICY | 'metadata'>): Policy => ({
  ...POLICY,
  metadata: { name },
  ...rules,
})
const authorize = (spec: Partial<HelmOpSpec>, ...policies: Policy[]) =>
  authorizeHelmOp({ spec: { helm: { repo, chart: 'hello' }, ...spec } }, policies, createPatternMatcher())
const refusal = (message: RegExp) => ({ isAllowed: false, message: expect.stringMatching(message) })

test('without policies everything is allowed', () => {
  expect(authorize({ helmSecretName: 'a', serviceAccount: 'b' })).toEqual({ isAllowed: true, helmSecretName: 'a', serviceAccount: 'b' })
})

test('the defaults of the first policy by name fill what is empty', () => {
  const policies = [
    policy('b', { helmOp: { defaultServiceAccount: 'second', defaultHelmSecretName: 'pull' } }),
    policy('a', { requireServiceAccount: true, helmOp: { defaultServiceAccount: 'first' } }),
  ]
  expect(authorize({}, ...policies)).toEqual({ isAllowed: true, serviceAccount: 'first', helmSecretName: 'pull' })
  expect(authorize({ serviceAccount: 'own' }, ...policies)).toMatchObject({ serviceAccount: 'own' })
})

test.each<[string, Partial<HelmOpSpec>, RegExp]>([
  ['no account', {}, /^serviceAccount is required by Policy but is not set$/],
  ['another account', { serviceAccount: 'bad' }, /^disallowed serviceAccount bad: /],
  ['another secret', { serviceAccount: 'good', helmSecretName: 'other' }, /^disallowed helmSecretName other: /],
  ['another repository', { serviceAccount: 'good', helm: { repo: `${repo}-not`, chart: 'hello' } }, /^disallowed helm repo https:.*-not: /],
  ['another chart', { serviceAccount: 'good', helm: { repo, chart: 'hello2' } }, /^disallowed helm chart hello2: /],
  [
    'another chart for one target',
    { serviceAccount: 'good', targets: [{ clusterName: 'a', helm: { repo: 'https://evil.example' } }] },
    /^disallowed helm repo https:\/\/evil\.example/,
  ],
])('%s is refused', (_what, spec, message) => {
  const rules = policy('rules', {
    requireServiceAccount: true,
    allowedServiceAccounts: ['good'],
    helmOp: {
      allowedHelmRepoPatterns: ['https://charts\\.example/stable'],
      allowedChartPatterns: ['hel+o'],
      allowedHelmSecretNames: ['pull'],
    },
  })
  expect(authorize(spec, rules)).toEqual(refusal(message))
  expect(authorize({ serviceAccount: 'good', helmSecretName: 'pull' }, rules)).toMatchObject({ isAllowed: true })
})

test('a pattern that cannot be used allows nothing, and is named', () => {
  expect(authorize({}, policy('a', { helmOp: { allowedChartPatterns: ['('] } }))).toEqual(refusal(/not usable as regular expressions: \($/))
})
