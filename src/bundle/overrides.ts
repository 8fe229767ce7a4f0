import type { BundleSpec } from '../api/bundle.ts'
import type { Overrides } from './draft.ts'

/** Options of the GitRepo or the command line over those of fleet.yaml (spec 6.7). */
export function applyOverrides(spec: BundleSpec, overrides: Overrides = {}): BundleSpec {
  const { serviceAccount, forceSyncGeneration, targetNamespace, paused, keepResources, deleteNamespace, correctDrift } = overrides
  const { forceSyncGeneration: _ofFile, ...rest } = spec
  return {
    ...rest,
    ...(serviceAccount ? { serviceAccount } : {}),
    ...(forceSyncGeneration ? { forceSyncGeneration } : {}),
    ...(targetNamespace
      ? { namespace: targetNamespace, targets: (spec.targets ?? []).map((target) => ({ ...target, namespace: targetNamespace })) }
      : {}),
    ...(paused ? { paused } : {}),
    ...(keepResources ? { keepResources } : {}),
    ...(deleteNamespace ? { deleteNamespace } : {}),
    ...(correctDrift?.enabled ? { correctDrift: onlyTrue(correctDrift) } : {}),
  }
}

function onlyTrue<T extends object>(flags: T): T {
  return Object.fromEntries(Object.entries(flags).filter(([, value]) => value === true)) as T
}
