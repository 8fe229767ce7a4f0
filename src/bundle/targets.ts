// Where the targets of a Bundle come from, and in which order (spec 4.1). The order is the contract: what stands before the targets that are restrictions too is a customization.
import type { BundleSpec, BundleTarget } from '../api/bundle.ts'
import type { GitTarget } from '../api/git-repo.ts'
import { DEFAULT_TARGET } from '../api/targets-file.ts'
import type { FleetYaml, TargetsFragment } from './fleet-yaml.ts'

/**
 * Targets and restrictions of a Bundle: `targets` and `targetCustomizations` of fleet.yaml first, then `overrideTargets` or, where fleet.yaml has none, those given.
 * An empty `overrideTargets` leaves no restrictions, so customizations become plain targets. Without any target there is the group `default`.
 */
export function assembleTargets(
  fleet: Pick<FleetYaml, 'spec' | 'targetCustomizations' | 'overrideTargets'>,
  given: TargetsFragment | undefined,
): Pick<BundleSpec, 'targets' | 'targetRestrictions'> {
  const own = [...(fleet.spec.targets ?? []), ...fleet.targetCustomizations].map(named).map((target) => withChart(target, fleet.spec.helm))
  const override = fleet.overrideTargets && { targets: fleet.overrideTargets, targetRestrictions: fleet.overrideTargets }
  const last = override ?? given ?? { targets: [], targetRestrictions: [] }
  const targets = [...own, ...last.targets]
  const restrictions = [...(fleet.spec.targetRestrictions ?? []), ...last.targetRestrictions]
  return {
    targets: targets.length > 0 ? targets : [DEFAULT_TARGET],
    ...(restrictions.length > 0 ? { targetRestrictions: restrictions } : {}),
  }
}

/** The targets of a GitRepo are their own restrictions; without any the group `default` is both. */
export function gitRepoTargets(targets: readonly GitTarget[] | null | undefined): TargetsFragment {
  const all = targets && targets.length > 0 ? targets : [DEFAULT_TARGET]
  return { targets: all, targetRestrictions: all }
}

/** Names are keys of the values secret. */
function named(target: BundleTarget, index: number): BundleTarget {
  return target.name ? target : { ...target, name: `target${String(index).padStart(3, '0')}` }
}

/** A target that changes helm options says where its chart is, so that its chart is found by looking at the target alone. */
function withChart(target: BundleTarget, helm: BundleSpec['helm']): BundleTarget {
  if (!target.helm || !helm) return target
  const inherited = (['repo', 'chart', 'version'] as const).filter((key) => !target.helm?.[key] && helm[key])
  if (inherited.length === 0) return target
  return { ...target, helm: { ...target.helm, ...Object.fromEntries(inherited.map((key) => [key, helm[key]])) } }
}
