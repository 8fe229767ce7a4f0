// What policies and restrictions of a workspace mean for its bundles (spec 2.7 step 2, 4.3, 4.6).
import type { Bundle } from '../api/bundle.ts'
import type { GitRepoRestriction } from '../api/git-repo-restriction.ts'
import { REPO_NAME_LABEL } from '../api/labels.ts'
import type { Policy } from '../api/policy.ts'
import { TerminalError } from '../lib/controller/errors.ts'
import { mergeSelectors } from '../target/merge-options.ts'
import type { Impositions } from '../target/variant.ts'

/** A bundle does what a policy of its namespace forbids. */
export class PolicyViolation extends TerminalError {}

/**
 * Checks the service accounts of a bundle against the policies of its namespace, which add up: what one requires is required, what one allows is allowed.
 * Throws {@link PolicyViolation}.
 */
export function authorize(bundle: Bundle, policies: readonly Policy[]): void {
  const { serviceAccount, targets } = bundle.spec
  const allowed = new Set(policies.flatMap(({ allowedServiceAccounts }) => allowedServiceAccounts ?? []))
  if (requiresServiceAccount(policies) && !serviceAccount) {
    throw new PolicyViolation('serviceAccount is required by Policy but is not set on the Bundle')
  }
  checkAccount(serviceAccount, allowed, '')
  for (const target of targets ?? []) checkAccount(target.serviceAccount, allowed, ` in target ${target.name ?? ''}`)
}

function checkAccount(account: string | undefined, allowed: ReadonlySet<string>, where: string): void {
  if (!account || allowed.size === 0 || allowed.has(account)) return
  throw new PolicyViolation(`disallowed serviceAccount ${account}${where}: policies allow ${[...allowed].sort().join(', ')}`)
}

function requiresServiceAccount(policies: readonly Policy[]): boolean {
  return policies.some(({ requireServiceAccount }) => requireServiceAccount)
}

/** What the options of a bundle's targets have to follow. Restrictions of git repositories only concern bundles that come from one. */
export function impositionsOf(bundle: Bundle, policies: readonly Policy[], restrictions: readonly GitRepoRestriction[]): Impositions {
  const selectors = bundle.metadata.labels?.[REPO_NAME_LABEL] ? [...restrictions].sort(byName) : []
  return {
    forbidNamespaceCreation: requiresServiceAccount(policies) && !policies.some(({ allowNamespaceCreation }) => allowNamespaceCreation),
    allowedTargetNamespaceSelector: mergeSelectors(selectors.map(({ allowedTargetNamespaceSelector }) => allowedTargetNamespaceSelector)),
  }
}

function byName(a: GitRepoRestriction, b: GitRepoRestriction): number {
  return a.metadata.name < b.metadata.name ? -1 : 1
}
