// A Bundle goes once its deployments are gone (spec 2.8).
import type { Bundle } from '../api/bundle.ts'
import { BUNDLE_FINALIZER } from '../api/labels.ts'
import type { ReconcileResult } from '../lib/controller/controller.ts'
import { keyOf } from '../lib/controller/keys.ts'
import { deploymentsOf } from './caches.ts'
import { failure } from './failure.ts'
import { removeDeployments } from './remove-deployments.ts'
import { SECRET } from './secrets.ts'
import type { BundleStage } from './stage.ts'

/** The deployments tell when they are gone; this is for events that get lost. */
const LOOK_AGAIN_MS = 2_000

/** Deletes the deployments, waits for their end, deletes contents in registries and the values, and lets the bundle go. */
export async function finalizeBundle(stage: BundleStage, bundle: Bundle, signal: AbortSignal): Promise<ReconcileResult | undefined> {
  if (!bundle.metadata.finalizers?.includes(BUNDLE_FINALIZER)) return undefined
  const deployments = deploymentsOf(keyOf(bundle), stage.caches)
  if (deployments.length > 0) {
    const errors = await removeDeployments(
      stage,
      deployments.filter(({ metadata }) => !metadata.deletionTimestamp),
    )
    if (errors.length > 0) throw failure(errors)
    return { requeueAfterMs: LOOK_AGAIN_MS }
  }
  const artifactsMs = await stage.artifacts.clear(bundle, signal)
  if (artifactsMs > 0) return { requeueAfterMs: artifactsMs }
  await dropValues(stage, bundle)
  await stage.record.release(bundle)
  stage.log.info({ bundle: keyOf(bundle) }, 'bundle deleted')
  return undefined
}

async function dropValues({ caches, client }: BundleStage, { metadata: { name, namespace = '' } }: Bundle): Promise<void> {
  const secret = caches.bundleSecrets.get(name, namespace)
  if (!secret || secret.metadata.deletionTimestamp) return
  const { uid } = secret.metadata
  await client.delete({ ...SECRET, name, namespace }, uid ? { uid } : {})
}
