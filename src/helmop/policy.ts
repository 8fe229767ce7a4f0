// What the Policies of a namespace mean for its HelmOps (spec 4.6).
import type { HelmOp } from '../api/helm-op.ts'
import type { Policy } from '../api/policy.ts'
import { redactUrl } from '../lib/git/url.ts'
import type { PatternMatcher } from '../source/patterns.ts'
import { byName, firstOf, joined, missingAccount, outside } from '../source/restrictions.ts'

/** Defaults are never written into the HelmOp: what its bundle is made from has them. */
export type HelmOpAuthorization =
  | { readonly isAllowed: true; readonly serviceAccount: string; readonly helmSecretName: string }
  | { readonly isAllowed: false; readonly message: string }

/** Several policies add up: lists are joined, of defaults the first by name counts. Charts of single targets have to be allowed as well. */
export function authorizeHelmOp({ spec }: Pick<HelmOp, 'spec'>, policies: readonly Policy[], matches: PatternMatcher): HelmOpAuthorization {
  const rules = [...policies].sort(byName)
  const helmRules = rules.map(({ helmOp }) => helmOp ?? {})
  const serviceAccount = spec.serviceAccount || firstOf(helmRules, 'defaultServiceAccount')
  const helmSecretName = spec.helmSecretName || firstOf(helmRules, 'defaultHelmSecretName')
  const [repos, charts] = [joined(helmRules, 'allowedHelmRepoPatterns'), joined(helmRules, 'allowedChartPatterns')]
  const sources = [spec, ...(spec.targets ?? [])].flatMap(({ helm }) => (helm ? [helm] : []))
  const message =
    missingAccount(serviceAccount, rules) ??
    outside('serviceAccount', serviceAccount, joined(rules, 'allowedServiceAccounts')) ??
    outside('helmSecretName', helmSecretName, joined(helmRules, 'allowedHelmSecretNames')) ??
    first(sources, ({ repo = '' }) => refused('repo', repo, repos, matches)) ??
    first(sources, ({ chart = '' }) => refused('chart', chart, charts, matches))
  return message ? { isAllowed: false, message } : { isAllowed: true, serviceAccount, helmSecretName }
}

/** Nothing at all may always be said; a list without patterns restricts nothing. */
function refused(what: string, text: string, patterns: readonly string[], matches: PatternMatcher): string | undefined {
  if (text === '' || patterns.length === 0 || patterns.includes(text)) return undefined
  const results = patterns.map((pattern) => [pattern, matches(pattern, text, 'whole')] as const)
  if (results.some(([, result]) => result === 'match')) return undefined
  const unusable = results.filter(([, result]) => result === 'invalid').map(([pattern]) => pattern)
  const hint = unusable.length > 0 ? `; not usable as regular expressions: ${unusable.join(' ')}` : ''
  const shown = text.includes('/') ? redactUrl(text) : text
  return `disallowed helm ${what} ${shown}: ${shown} not in allowed set [${patterns.join(' ')}]${hint}`
}

function first<T>(items: readonly T[], problemOf: (item: T) => string | undefined): string | undefined {
  return items.map(problemOf).find((problem) => problem !== undefined)
}
