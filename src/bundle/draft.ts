// What this stage makes of a folder, and what it needs to know for that.
import type { Bundle, BundleSpec } from '../api/bundle.ts'
import type { CorrectDrift } from '../api/bundle-deployment-options.ts'
import type { ImageScan } from '../api/image-scan.ts'
import type { BundleValues } from '../api/values-secret.ts'
import type { TraceRecorder } from '../source/read-trace.ts'
import type { ChartSource } from './charts.ts'
import type { TargetsFragment } from './fleet-yaml.ts'
import type { ReadLimits } from './limits.ts'

/** A bundle as a folder describes it. Helm values are still in its spec: `withoutValues` takes them out before it is written. */
export interface BundleDraft {
  readonly bundle: Bundle & { spec: BundleSpec }
  /** the values as their secret holds them; `hash` is empty when there are none */
  readonly values: BundleValues
  /** image scans without namespace, labels and GitRepo: whoever writes them knows these */
  readonly scans: readonly ImageScan[]
  /** the folder, relative to the repository, and the options file where one was named: `apps/one`, `apps/one:dev.yaml` */
  readonly origin: string
}

/** Options that a GitRepo or the command line decides, over those of fleet.yaml (spec 6.7). */
export interface Overrides {
  readonly serviceAccount?: string | undefined
  /** always taken, 0 too */
  readonly forceSyncGeneration?: number | undefined
  /** namespace of the bundle and of each target */
  readonly targetNamespace?: string | undefined
  readonly paused?: boolean | undefined
  readonly keepResources?: boolean | undefined
  readonly deleteNamespace?: boolean | undefined
  /** taken only when enabled */
  readonly correctDrift?: CorrectDrift | undefined
}

export interface ReadOptions {
  /** name of the GitRepo: the first part of the names of bundles */
  readonly repoName: string
  /** namespace of the bundles */
  readonly namespace: string
  /** folders and patterns; the whole repository when unset or empty */
  readonly paths?: readonly string[] | undefined
  /** bundles listed one by one: folders below are then not searched, and `paths` is not looked at */
  readonly bundles?: readonly { readonly base?: string | undefined; readonly options?: string | undefined }[] | undefined
  /** name of the options file in each folder, in place of fleet.yaml */
  readonly bundleFile?: string | undefined
  /** labels of all bundles; those of fleet.yaml win */
  readonly labels?: Readonly<Record<string, string>> | undefined
  /** targets that are used unless fleet.yaml overrides them; without them the group `default` is the target of a bundle that has none */
  readonly targets?: TargetsFragment | undefined
  readonly overrides?: Overrides | undefined
  /** store every file compressed */
  readonly compress?: boolean | undefined
  /** image scans in fleet.yaml are an error unless the feature is on */
  readonly imageScans?: boolean | undefined
  /** downloads charts and their dependencies; without it bundles that need one fail */
  readonly charts?: ChartSource | undefined
  /** is told what the bundles depend on */
  readonly trace?: TraceRecorder | undefined
  /** bundles that are read at a time; 4 when unset */
  readonly concurrency?: number | undefined
  readonly limits?: Partial<ReadLimits> | undefined
  readonly signal?: AbortSignal | undefined
}

export interface ReadResult {
  /** in the order of the paths; a folder that is found twice is there twice */
  readonly drafts: readonly BundleDraft[]
  readonly warnings: readonly string[]
}
