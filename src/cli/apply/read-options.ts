// What the flags of `fleet apply` mean for reading folders.
import { COMMIT_LABEL } from '../../api/labels.ts'
import type { ChartSource } from '../../bundle/charts.ts'
import type { Overrides, ReadOptions } from '../../bundle/draft.ts'
import type { TargetsFragment } from '../../bundle/fleet-yaml.ts'
import { drivenBundles } from './driven.ts'
import type { ApplyFlags } from './flags.ts'

export interface ReadInputs {
  /** name of the repository: the first part of the names of bundles */
  readonly repoName: string
  /** folders and patterns, or what a driven scan lists */
  readonly paths: readonly string[]
  readonly commit: string | undefined
  readonly targets: TargetsFragment | undefined
  readonly charts: ChartSource | undefined
  readonly signal: AbortSignal
}

/** Options for `readBundles`. Throws UsageError. */
export function readOptions(flags: ApplyFlags, { repoName, paths, commit, ...rest }: ReadInputs): ReadOptions {
  const concurrency = flags['bundle-creation-max-concurrency']
  return {
    repoName,
    namespace: flags.namespace,
    ...(flags['driven-scan'] ? { bundles: drivenBundles(paths, flags['driven-scan-sep']) } : { paths }),
    bundleFile: flags['bundle-file'],
    labels: labelsOf(flags, commit),
    overrides: overridesOf(flags),
    compress: flags.compress,
    imageScans: flags['imagescan-enabled'],
    concurrency: concurrency > 0 ? concurrency : undefined,
    ...rest,
  }
}

/** Labels of all bundles. */
export function labelsOf(flags: Pick<ApplyFlags, 'label'>, commit: string | undefined): Record<string, string> {
  return { ...flags.label, ...(commit ? { [COMMIT_LABEL]: commit } : {}) }
}

/** What flags decide over fleet.yaml (spec 6.7). */
export function overridesOf(flags: ApplyFlags): Overrides {
  return {
    serviceAccount: flags['service-account'],
    forceSyncGeneration: flags['sync-generation'],
    targetNamespace: flags['target-namespace'],
    paused: flags.paused,
    keepResources: flags['keep-resources'],
    deleteNamespace: flags['delete-namespace'],
    correctDrift: {
      enabled: flags['correct-drift'],
      force: flags['correct-drift-force'],
      keepFailHistory: flags['correct-drift-keep-fail-history'],
    },
  }
}
