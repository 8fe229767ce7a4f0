import { describe, expect, test } from 'vitest'
import type { GitRepoSpec } from '../api/git-repo.ts'
import type { GitRepoRestriction } from '../api/git-repo-restriction.ts'
import type { Policy } from '../api/policy.ts'
import { createPatternMatcher } from './patterns.ts'
import { authorizeGitRepo } from './restrictions.ts'

const REPO = 'https://git.example/team/app'
const matches = createPatternMatcher()

const restriction = (fields: Partial<GitRepoRestriction>, name = 'limits') => ({ metadata: { name }, ...fields }) as GitRepoRestriction
const policy = (fields: Partial<Policy>, name = 'rules') => ({ metadata: { name }, ...fields }) as Policy

function check(spec: Partial<GitRepoSpec>, restrictions: GitRepoRestriction[] = [], policies: Policy[] = []) {
  return authorizeGitRepo({ spec: { repo: REPO, ...spec } }, restrictions, policies, matches)
}

function refusal(...args: Parameters<typeof check>): string {
  const answer = check(...args)
  return answer.isAllowed ? 'allowed' : answer.message
}

describe('defaults', () => {
  test('come from the first restriction by name, then from policies', () => {
    const limits = [restriction({ defaultServiceAccount: 'second' }, 'b'), restriction({ defaultServiceAccount: 'first' }, 'a')]
    const rules = [policy({ gitRepo: { defaultServiceAccount: 'third', defaultClientSecretName: 'secret' } })]
    expect(check({}, limits, rules)).toEqual({ isAllowed: true, defaults: { serviceAccount: 'first', clientSecretName: 'secret' } })
    expect(check({ serviceAccount: 'own' }, limits)).toEqual({ isAllowed: true, defaults: { serviceAccount: 'own' } })
    expect(check({})).toEqual({ isAllowed: true, defaults: {} })
  })

  test('satisfy what is required', () => {
    expect(refusal({}, [restriction({ defaultServiceAccount: 'a' })], [policy({ requireServiceAccount: true })])).toBe('allowed')
  })

  test('are written into the GitRepo before they are judged', () => {
    const accounts = [restriction({ defaultServiceAccount: 'a', allowedServiceAccounts: ['b'] })]
    expect(check({}, accounts)).toEqual({ isAllowed: true, defaults: { serviceAccount: 'a' } })
    expect(refusal({ serviceAccount: 'a' }, accounts)).toBe('disallowed serviceAccount a: a not in allowed set [b]')
    const secrets = [policy({ gitRepo: { defaultClientSecretName: 's', allowedClientSecretNames: ['t'] } })]
    expect(check({}, [], secrets)).toEqual({ isAllowed: true, defaults: { clientSecretName: 's' } })
    expect(refusal({ clientSecretName: 's' }, [], secrets)).toBe('disallowed clientSecretName s: s not in allowed set [t]')
  })
})

describe('target namespaces', () => {
  const limits = [restriction({ allowedTargetNamespaces: ['a', 'b'] })]

  test('have to be named where they are restricted', () => {
    const denied = (field: string) => `empty targetNamespace denied, because ${field} restriction is present`
    const selecting = restriction({ allowedTargetNamespaceSelector: { matchLabels: { a: 'b' } } })
    expect(refusal({}, limits)).toBe(denied('allowedTargetNamespaces'))
    expect(refusal({}, [selecting])).toBe(denied('allowedTargetNamespaceSelector'))
    expect(refusal({}, [selecting, ...limits])).toBe(denied('allowedTargetNamespaces'))
    expect(refusal({ targetNamespace: 'x' }, [restriction({ allowedTargetNamespaceSelector: {} })])).toBe('allowed')
  })

  test('have to be allowed', () => {
    expect(refusal({ targetNamespace: 'b' }, limits)).toBe('allowed')
    expect(refusal({ targetNamespace: 'c' }, limits)).toBe('disallowed targetNamespace c: c not in allowed set [a b]')
  })
})

describe('lists', () => {
  test('of restrictions and policies add up', () => {
    const limits = [restriction({ allowedServiceAccounts: ['one'], allowedClientSecretNames: ['s1'] })]
    const rules = [policy({ allowedServiceAccounts: ['two'], gitRepo: { allowedClientSecretNames: ['s2'] } })]
    expect(refusal({ serviceAccount: 'one', clientSecretName: 's2' }, limits, rules)).toBe('allowed')
    expect(refusal({ serviceAccount: 'two', clientSecretName: 's1' }, limits, rules)).toBe('allowed')
    expect(refusal({ serviceAccount: 'x' }, limits, rules)).toBe('disallowed serviceAccount x: x not in allowed set [one two]')
    expect(refusal({ clientSecretName: 'x' }, limits, rules)).toBe('disallowed clientSecretName x: x not in allowed set [s1 s2]')
    expect(refusal({}, limits, rules)).toBe('allowed')
  })
})

describe('repositories', () => {
  test('match a part of a pattern of a restriction, and all of one of a policy', () => {
    expect(refusal({}, [restriction({ allowedRepoPatterns: ['git\\.example'] })])).toBe('allowed')
    expect(refusal({}, [], [policy({ gitRepo: { allowedRepoPatterns: ['git\\.example'] } })])).toMatch(/^disallowed repo/)
    expect(refusal({}, [], [policy({ gitRepo: { allowedRepoPatterns: ['https://git\\.example/.*'] } })])).toBe('allowed')
  })

  test('pass when either kind allows them, or one names them verbatim', () => {
    const other = restriction({ allowedRepoPatterns: ['elsewhere'] })
    expect(refusal({}, [other], [policy({ gitRepo: { allowedRepoPatterns: ['https://git.*'] } })])).toBe('allowed')
    expect(refusal({}, [other], [policy({ gitRepo: { allowedRepoPatterns: [REPO] } })])).toBe('allowed')
    const odd = 'https://git.example/c++'
    expect(refusal({ repo: odd }, [restriction({ allowedRepoPatterns: [odd] })])).toBe('allowed')
  })

  test('are refused without telling credentials, and with what is wrong about the patterns', () => {
    const text = refusal({ repo: 'https://user:hunter2@git.example/x' }, [restriction({ allowedRepoPatterns: ['a(', 'b'] })])
    expect(text).toBe(
      'disallowed repo https://git.example/x: https://git.example/x not in allowed set [a( b]; not usable as regular expressions: a(',
    )
  })
})

test('a policy can require a service account', () => {
  const rules = [policy({ requireServiceAccount: true })]
  expect(refusal({}, [], rules)).toBe('serviceAccount is required by Policy but is not set')
  expect(refusal({ serviceAccount: 'mine' }, [], rules)).toBe('allowed')
})
