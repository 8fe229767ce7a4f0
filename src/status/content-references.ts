// Content objects count the deployments that use them, and go away with the last one (spec 2.6, 5.5).
import type { BundleDeployment } from '../api/bundle-deployment.ts'
import type { Content } from '../api/content.ts'
import { CONTENT } from '../api/kinds.ts'
import { FLEET_PREFIX } from '../api/labels.ts'
import { type Controller, createController, type ReconcileResult } from '../lib/controller/controller.ts'
import { createStatusWriter } from '../lib/controller/status.ts'
import type { InformerEvent } from '../lib/kube/informer.ts'
import { live } from './deployment-change.ts'
import { BY_CONTENT, contentsOf } from './informers.ts'
import { createPacer } from './pacer.ts'
import type { StatusControllerDeps } from './roll-up.ts'

/** What is to be done about a content. */
export type ContentPlan =
  | { action: 'none' }
  /** Write the count. */
  | { action: 'count'; references: number }
  /** Take off finalizers that Fleet once set; nobody acts on them any more. */
  | { action: 'release'; finalizers: readonly string[] }
  | { action: 'delete' }
  /** Look again after a time. */
  | { action: 'wait'; forMs: number }

/** A content without deployments is kept so long after its creation: its deployments may be about to be made. */
export const GRACE_MS = 10 * 60_000

/** Counts are written behind a burst, and a few times within a long one. A content must have been unused for a moment: it may come back into use. */
const PACE = { quietMs: 1_000, maxWaitMs: 5_000 }
const UNUSED_MS = 2_000

/**
 * Decides about a content. `deployments` are all that use it, by label or as the version that is deployed now or next: only the former count,
 * but none may lose it. The grace time runs from the creation of the content, so it survives restarts.
 */
export function contentPlan(content: Content, deployments: readonly BundleDeployment[], now: number): ContentPlan {
  const finalizers = content.metadata.finalizers ?? []
  const kept = finalizers.filter((finalizer) => !finalizer.startsWith(FLEET_PREFIX))
  if (kept.length < finalizers.length) return { action: 'release', finalizers: kept }
  if (content.metadata.deletionTimestamp) return { action: 'none' }
  const using = live(deployments)
  const references = using.filter((deployment) => contentsOf(deployment).counted === content.metadata.name).length
  const known = content.status?.referenceCount ?? 0
  if (using.length > 0) return references === known ? { action: 'none' } : { action: 'count', references }
  if (known > 0) return { action: 'delete' }
  const created = Date.parse(content.metadata.creationTimestamp ?? '')
  const forMs = Number.isNaN(created) ? GRACE_MS : created + GRACE_MS - now
  return forMs > 0 ? { action: 'wait', forMs } : { action: 'delete' }
}

/** Counts references and collects what is not used. One process has to do this for all shards, on a cache of all deployments. */
export function createContentController(deps: StatusControllerDeps): Controller {
  const { client, clock, log, workers, metrics, handles = () => true } = deps
  const { bundleDeployments, contents } = deps.informers
  const writer = createStatusWriter(client)
  const pacer = createPacer(clock, PACE)
  const controller = createController({ name: 'content', workers, reconcile, clock, log, metrics })

  async function reconcile(name: string): Promise<ReconcileResult | undefined> {
    const content = contents.get(name)
    if (!content || !handles(content)) {
      pacer.forget(name)
      return undefined
    }
    const plan = contentPlan(writer.latest(content), bundleDeployments.by(BY_CONTENT, name), clock.now())
    if (plan.action === 'none' || plan.action === 'wait') {
      pacer.settle(name, false)
      return plan.action === 'wait' ? { requeueAfterMs: plan.forMs } : undefined
    }
    const wait = pacer.waitMs(name, plan.action === 'delete' ? UNUSED_MS : 0)
    if (wait > 0) return { requeueAfterMs: wait }
    await act(content, plan)
    pacer.settle(name, true)
    return undefined
  }

  async function act(content: Content, plan: Exclude<ContentPlan, { action: 'none' | 'wait' }>): Promise<void> {
    const ref = { ...CONTENT, name: content.metadata.name }
    const { uid, resourceVersion } = writer.latest(content).metadata
    if (plan.action === 'count') {
      await writer.write(content, { referenceCount: plan.references }, { owned: ['referenceCount'] })
    } else if (plan.action === 'release') {
      await client.patch(ref, { metadata: { resourceVersion, finalizers: plan.finalizers } }, { type: 'merge' })
    } else {
      await client.delete(ref, { ...(uid ? { uid } : {}), ...(resourceVersion ? { resourceVersion } : {}) })
      log.info({ content: ref.name }, 'content is not used any more, deleted')
    }
  }

  function touch(name: string): string {
    pacer.touch(name)
    return name
  }

  controller.watch(contents, ({ object }) => [touch(object.metadata.name)])
  controller.watch(bundleDeployments, (event) => contentsTouched(event).map(touch))
  return controller
}

/** Names of the contents whose use an event changes. */
function contentsTouched({ type, object, old }: InformerEvent<BundleDeployment>): string[] {
  const after = contentsOf(object)
  if (type !== 'modified' || !old || object.metadata.deletionTimestamp !== old.metadata.deletionTimestamp) return [...after.used]
  const before = contentsOf(old)
  if (before.counted === after.counted && before.used.join() === after.used.join()) return []
  return [...new Set([...before.used, ...after.used])]
}
