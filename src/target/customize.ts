// Which entry of `spec.targets` brings a bundle to a cluster, and which customizations change its options there (spec 4.1, 4.3).
import type { BundleSpec, BundleTarget } from '../api/bundle.ts'
import { type Candidate, compileCriteria, type Matcher, matchesAnyGroup } from './match.ts'

/** Indexes into `spec.targets`. */
export interface Choice {
  /** The entry that chose the cluster. */
  readonly target: number
  /** Customizations that apply, in order: at most one in mode FirstMatch. */
  readonly customizations: readonly number[]
}

/** Chooses for one cluster; undefined: the bundle is not deployed there. */
export type Chooser = (candidate: Candidate) => Choice | undefined

interface Entry {
  readonly index: number
  readonly doNotDeploy: boolean
  readonly matches: Matcher
}

/** Compiles targets and restrictions of a bundle; throws InvalidSelectorError. */
export function compileTargets(spec: BundleSpec): Chooser {
  const entries = (spec.targets ?? []).map(entryOf)
  const restrictions = (spec.targetRestrictions ?? []).map(compileCriteria)
  const border = customizationCount(spec)
  const targets = entries.slice(border).map((entry) => ({ ...entry, matches: restricted(entry.matches, restrictions) }))
  const customizations = entries.slice(0, border)
  const mode = spec.targetCustomizationMode === 'AllMatches' ? allMatches : firstMatch

  return (candidate) => {
    const chosen = targets.find(({ matches }) => matchesAnyGroup(matches, candidate))
    if (!chosen || chosen.doNotDeploy) return undefined
    const changes = mode(customizations, candidate)
    if (changes.some(({ doNotDeploy }) => doNotDeploy)) return undefined
    return { target: chosen.index, customizations: changes.map(({ index }) => index) }
  }
}

/** How many of the leading targets are customizations: told by position, and only in bundles with an allow list. */
export function customizationCount({ targets, targetRestrictions }: BundleSpec): number {
  const restrictions = targetRestrictions?.length ?? 0
  return restrictions === 0 ? 0 : Math.max((targets?.length ?? 0) - restrictions, 0)
}

function entryOf(target: BundleTarget, index: number): Entry {
  return { index, doNotDeploy: target.doNotDeploy ?? false, matches: compileCriteria(target) }
}

/** A restriction has to hold under the same group as the target itself. */
function restricted(matches: Matcher, restrictions: readonly Matcher[]): Matcher {
  if (restrictions.length === 0) return matches
  return (cluster, group) => matches(cluster, group) && restrictions.some((allows) => allows(cluster, group))
}

function firstMatch(customizations: readonly Entry[], candidate: Candidate): readonly Entry[] {
  const first = customizations.find(({ matches }) => matchesAnyGroup(matches, candidate))
  return first ? [first] : []
}

function allMatches(customizations: readonly Entry[], candidate: Candidate): readonly Entry[] {
  return customizations.filter(({ matches }) => matchesAnyGroup(matches, candidate))
}
