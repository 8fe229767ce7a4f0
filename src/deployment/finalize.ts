// Lets BundleDeployments go that somebody deleted (spec 2.6): the agent uninstalls when it sees that its deployment is gone, nothing has to wait for it.
import type { BundleDeployment } from '../api/bundle-deployment.ts'
import { BUNDLE_DEPLOYMENT } from '../api/kinds.ts'
import { BUNDLE_DEPLOYMENT_FINALIZER } from '../api/labels.ts'
import type { Clock } from '../lib/controller/clock.ts'
import { type Controller, createController } from '../lib/controller/controller.ts'
import { keyOf, parseKey } from '../lib/controller/keys.ts'
import type { Logger } from '../lib/controller/log.ts'
import type { ControllerMetrics } from '../lib/controller/metrics.ts'
import type { KubeClient } from '../lib/kube/client.ts'
import { isNotFound } from '../lib/kube/errors.ts'
import type { InformerFactory } from '../lib/kube/informer.ts'
import { deploymentCache } from './indexes.ts'
import { isOfShard } from './shard.ts'

export interface DeploymentFinalizerDeps {
  readonly client: KubeClient
  readonly informers: InformerFactory
  readonly log: Logger
  readonly clock: Clock
  readonly workers: number
  /** Only deployments of this shard are handled; empty: those that name none. */
  readonly shard?: string | undefined
  readonly metrics?: ControllerMetrics | undefined
}

/** A controller that takes our finalizer off BundleDeployments that are being deleted, and leaves those of others. */
export function createDeploymentFinalizer(deps: DeploymentFinalizerDeps): Controller {
  const { client, log, clock, workers, shard = '', metrics } = deps
  const deployments = deps.informers.informer(deploymentCache)
  const released = new Set<string>() // uids, until the cache has the end of the finalizer

  async function reconcile(key: string): Promise<void> {
    const { name, namespace = '' } = parseKey(key)
    const deployment = deployments.get(name, namespace)
    const uid = deployment?.metadata.uid ?? ''
    if (!deployment || !isWaiting(deployment) || !isOfShard(deployment, shard) || released.has(uid)) return
    released.add(uid)
    try {
      await client.patch({ ...BUNDLE_DEPLOYMENT, name, namespace }, withoutFinalizer(deployment), { type: 'json' })
    } catch (error) {
      released.delete(uid)
      if (!isNotFound(error)) throw error
    }
  }

  const controller = createController({ name: 'bundledeployment', workers, reconcile, log, clock, metrics })
  controller.watch(deployments, ({ type, object }) => {
    const isOurs = type !== 'deleted' && isWaiting(object)
    if (!isOurs) released.delete(object.metadata.uid ?? '')
    return isOurs ? [keyOf(object)] : []
  })
  return controller
}

function isWaiting({ metadata }: BundleDeployment): boolean {
  return metadata.deletionTimestamp !== undefined && (metadata.finalizers?.includes(BUNDLE_DEPLOYMENT_FINALIZER) ?? false)
}

/** Only as long as the finalizer stands where we saw it; the status may change meanwhile without a conflict. */
function withoutFinalizer({ metadata: { finalizers = [] } }: BundleDeployment): object[] {
  const path = `/metadata/finalizers/${finalizers.indexOf(BUNDLE_DEPLOYMENT_FINALIZER)}`
  return [
    { op: 'test', path, value: BUNDLE_DEPLOYMENT_FINALIZER },
    { op: 'remove', path },
  ]
}
