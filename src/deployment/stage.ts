import type { Clock } from '../lib/controller/clock.ts'
import type { EventRecorder } from '../lib/controller/events.ts'
import type { Logger } from '../lib/controller/log.ts'
import type { KubeClient } from '../lib/kube/client.ts'
import type { BundleRecord } from './bundle-record.ts'
import type { Caches } from './caches.ts'
import type { ContentStore } from './contents.ts'
import type { Copier } from './copier.ts'
import type { Limiter } from './limiter.ts'
import type { ArtifactKeeper } from './oci-artifacts.ts'
import type { ValuesSecrets } from './values-secrets.ts'
import type { Versions } from './versions.ts'

/** What the steps of the bundle controller work with. */
export interface BundleStage {
  readonly client: KubeClient
  readonly clock: Clock
  readonly log: Logger
  readonly events: EventRecorder
  readonly caches: Caches
  readonly versions: Versions
  readonly contents: ContentStore
  readonly copier: Copier
  readonly artifacts: ArtifactKeeper
  readonly secrets: ValuesSecrets
  readonly record: BundleRecord
  /** Logs a warning unless it was the last one about the same mapping. */
  warnOnce(fields: { mapping: string; version?: string | undefined; err: unknown }, message: string): void
  /** Shared by all bundles: writes of many deployments go out a few at a time, one bundle after the other. */
  readonly limited: Limiter
}
