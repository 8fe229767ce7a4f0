// What GitRepoRestrictions and Policies of a namespace mean for its GitRepos (spec 4.6).
import type { GitRepo } from '../api/git-repo.ts'
import type { GitRepoRestriction } from '../api/git-repo-restriction.ts'
import { GIT_REPO_RESTRICTION, POLICY } from '../api/kinds.ts'
import type { Policy } from '../api/policy.ts'
import { redactUrl } from '../lib/git/url.ts'
import type { Informer, InformerFactory } from '../lib/kube/informer.ts'
import type { KubeObject } from '../lib/kube/types.ts'
import type { Authorization, Authorize } from './authorizer.ts'
import { createPatternMatcher, type PatternMatcher } from './patterns.ts'

export interface Restrictions {
  readonly authorize: Authorize
  /** The caches that it reads: a change in one concerns the GitRepos of the same namespace. */
  readonly informers: readonly Informer<KubeObject>[]
}

/** The restrictions of all namespaces, out of shared caches. */
export function createRestrictions(informers: InformerFactory): Restrictions {
  const restrictions = informers.informer<GitRepoRestriction>({ type: GIT_REPO_RESTRICTION })
  const policies = informers.informer<Policy>({ type: POLICY })
  const matches = createPatternMatcher()
  return {
    informers: [restrictions, policies],
    authorize(gitRepo) {
      const { namespace } = gitRepo.metadata
      return authorizeGitRepo(gitRepo, restrictions.list(namespace), policies.list(namespace), matches)
    },
  }
}

/**
 * Several objects of a kind add up: lists are joined; of defaults the first by name counts, those of restrictions before those of policies.
 * What is empty is allowed: a default is judged once it is written, so that everyone sees what is refused.
 */
export function authorizeGitRepo(
  { spec }: Pick<GitRepo, 'spec'>,
  restrictions: readonly GitRepoRestriction[],
  policies: readonly Policy[],
  matches: PatternMatcher,
): Authorization {
  const limits = [...restrictions].sort(byName)
  const rules = [...policies].sort(byName)
  const gitRules = rules.map(({ gitRepo }) => gitRepo ?? {})
  const serviceAccount = spec.serviceAccount || firstOf(limits, 'defaultServiceAccount') || firstOf(gitRules, 'defaultServiceAccount')
  const clientSecretName =
    spec.clientSecretName || firstOf(limits, 'defaultClientSecretName') || firstOf(gitRules, 'defaultClientSecretName')

  const refusal =
    missingNamespace(spec.targetNamespace, limits) ??
    outside('targetNamespace', spec.targetNamespace, joined(limits, 'allowedTargetNamespaces')) ??
    outside('serviceAccount', spec.serviceAccount, [
      ...joined(limits, 'allowedServiceAccounts'),
      ...joined(rules, 'allowedServiceAccounts'),
    ]) ??
    refusedRepo(spec.repo, joined(limits, 'allowedRepoPatterns'), joined(gitRules, 'allowedRepoPatterns'), matches) ??
    outside('clientSecretName', spec.clientSecretName, [
      ...joined(limits, 'allowedClientSecretNames'),
      ...joined(gitRules, 'allowedClientSecretNames'),
    ]) ??
    missingAccount(serviceAccount, rules)
  if (refusal) return { isAllowed: false, message: refusal }
  return {
    isAllowed: true,
    defaults: { ...(serviceAccount ? { serviceAccount } : {}), ...(clientSecretName ? { clientSecretName } : {}) },
  }
}

export function byName(a: KubeObject, b: KubeObject): number {
  return a.metadata.name < b.metadata.name ? -1 : 1
}

export function firstOf<K extends string>(sources: readonly { readonly [key in K]?: string | undefined }[], field: K): string {
  return sources.map((source) => source[field]).find((value) => value) ?? ''
}

export function joined<K extends string>(sources: readonly { readonly [key in K]?: readonly string[] | undefined }[], field: K): string[] {
  return [...new Set(sources.flatMap((source) => source[field] ?? []))]
}

function missingNamespace(namespace: string | undefined, limits: readonly GitRepoRestriction[]): string | undefined {
  if (namespace) return undefined
  const denied = (field: string) => `empty targetNamespace denied, because ${field} restriction is present`
  if (joined(limits, 'allowedTargetNamespaces').length > 0) return denied('allowedTargetNamespaces')
  return limits.some(({ allowedTargetNamespaceSelector }) => allowedTargetNamespaceSelector)
    ? denied('allowedTargetNamespaceSelector')
    : undefined
}

/** A field without a value may always be so; a list without entries restricts nothing. */
export function outside(field: string, value: string | undefined, allowed: readonly string[]): string | undefined {
  if (!value || allowed.length === 0 || allowed.includes(value)) return undefined
  return `disallowed ${field} ${value}: ${value} not in allowed set [${allowed.join(' ')}]`
}

/** One pattern of either kind is enough. Those of policies have to match the whole address, those of restrictions a part of it. */
function refusedRepo(repo: string, parts: readonly string[], wholes: readonly string[], matches: PatternMatcher): string | undefined {
  const patterns = [...parts, ...wholes]
  if (patterns.length === 0 || patterns.includes(repo)) return undefined
  const isMatch = (extent: 'whole' | 'part') => (pattern: string) => matches(pattern, repo, extent) === 'match'
  if (parts.some(isMatch('part')) || wholes.some(isMatch('whole'))) return undefined
  const shown = redactUrl(repo)
  const unusable = patterns.filter((pattern) => matches(pattern, repo, wholes.includes(pattern) ? 'whole' : 'part') === 'invalid')
  const hint = unusable.length > 0 ? `; not usable as regular expressions: ${unusable.join(' ')}` : ''
  return `disallowed repo ${shown}: ${shown} not in allowed set [${patterns.join(' ')}]${hint}`
}

export function missingAccount(serviceAccount: string, rules: readonly Policy[]): string | undefined {
  if (serviceAccount || !rules.some(({ requireServiceAccount }) => requireServiceAccount)) return undefined
  return 'serviceAccount is required by Policy but is not set'
}
