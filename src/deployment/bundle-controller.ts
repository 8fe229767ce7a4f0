// Bundle → BundleDeployments: which clusters get it, with which options, in which order, and what has come of it (spec 2.7).
import type { Clock } from '../lib/controller/clock.ts'
import { type Controller, createController } from '../lib/controller/controller.ts'
import type { EventRecorder } from '../lib/controller/events.ts'
import type { Logger } from '../lib/controller/log.ts'
import type { ControllerMetrics } from '../lib/controller/metrics.ts'
import type { KubeClient } from '../lib/kube/client.ts'
import type { Informer, InformerEvent, InformerFactory } from '../lib/kube/informer.ts'
import type { KubeObject } from '../lib/kube/types.ts'
import { createRegistries, type Registries } from '../lib/oci/registry.ts'
import type { TemplateCompiler } from '../target/values-template.ts'
import { createBundleRecord } from './bundle-record.ts'
import { type Caches, createCaches } from './caches.ts'
import { createContentStore } from './contents.ts'
import { createCopier } from './copier.ts'
import { createLimiter } from './limiter.ts'
import { createArtifactKeeper } from './oci-artifacts.ts'
import { reconcileBundle } from './reconcile-bundle.ts'
import type { BundleStage } from './stage.ts'
import { createValuesSecrets } from './values-secrets.ts'
import { createVersions } from './versions.ts'
import {
  bundleOf,
  bundleOfDeployment,
  bundleOfDeploymentValues,
  bundleOfValues,
  bundlesBeside,
  bundlesOfCluster,
  bundlesOfContent,
  bundlesOfCopyable,
  bundlesOfGroup,
  bundlesOfNamespace,
  bundlesOfStoredSecret,
} from './watches.ts'

export interface BundleControllerDeps {
  readonly client: KubeClient
  readonly informers: InformerFactory
  readonly log: Logger
  readonly clock: Clock
  /** How many bundles are worked on at a time. */
  readonly workers: number
  /** Component `fleet-bundle-ctrl`, with `-<shard>` in a shard. */
  readonly events: EventRecorder
  /** Go templates with the delimiters `${` and `}`, for helm values. */
  readonly compileTemplate: TemplateCompiler
  /** Where contents may lie; without it artifacts are deleted by a direct way, without a proxy. */
  readonly registries?: Registries | undefined
  /** Only bundles of this shard are handled; empty: those that name none. */
  readonly shard?: string | undefined
  readonly metrics?: ControllerMetrics | undefined
}

/** Writes under way at a time, over all bundles. */
const WRITES = 16
/** Events about deployments are folded for so long before their bundle is looked at again. */
const FOLD_MS = 250

/** The controller of Bundles. */
export function createBundleController(deps: BundleControllerDeps): Controller {
  const { client, informers, log, clock, workers, events, compileTemplate, shard = '', metrics } = deps
  const caches = createCaches(informers, clock)
  const registries = deps.registries ?? createRegistries({ clock })
  const copier = createCopier({ client, informers, clock, onStart: (informer) => follow(informer, bundlesOfCopyable) })
  const stage: BundleStage = {
    client,
    clock,
    log,
    events,
    caches,
    versions: createVersions(compileTemplate),
    contents: createContentStore(client, informers, clock),
    copier,
    artifacts: createArtifactKeeper({ client, secrets: caches.ociSecrets, bundles: caches.bundles, registries, events, clock, log }),
    secrets: createValuesSecrets(client, caches.newest.deploymentSecrets),
    record: createBundleRecord(client, caches.newest.bundles, clock),
    limited: createLimiter(WRITES),
    warnOnce: createWarnOnce(log),
  }
  const controller = createController({ name: 'bundle', workers, log, clock, metrics, reconcile })
  // Until then every bundle waits in the queue anyway, and the events of full caches need not be looked at one by one.
  let isRunning = false

  function reconcile(key: string, signal: AbortSignal) {
    isRunning = true
    return reconcileBundle(stage, shard, key, signal)
  }

  function follow<T extends KubeObject>(informer: Informer<T>, bundlesOf: (event: InformerEvent<T>, caches: Caches) => string[]): void {
    controller.watch(informer, (event) => (isRunning ? bundlesOf(event, caches) : []), { debounceMs: FOLD_MS })
  }

  controller.watch(caches.bundles, bundleOf)
  follow(caches.deployments, bundleOfDeployment)
  follow(caches.clusters, bundlesOfCluster)
  follow(caches.groups, bundlesOfGroup)
  follow(caches.mappings, bundlesBeside)
  follow(caches.namespaces, bundlesOfNamespace)
  follow(caches.policies, bundlesBeside)
  follow(caches.restrictions, bundlesBeside)
  follow(caches.bundleSecrets, bundleOfValues)
  follow(caches.deploymentSecrets, bundleOfDeploymentValues)
  follow(stage.contents.informer, bundlesOfContent)
  follow(caches.ociSecrets, bundlesOfStoredSecret)
  return controller
}

function createWarnOnce(log: Logger): BundleStage['warnOnce'] {
  const warned = new Map<string, string | undefined>()
  return (fields, message) => {
    if (warned.get(fields.mapping) === fields.version) return
    warned.set(fields.mapping, fields.version)
    log.warn(fields, message)
  }
}
