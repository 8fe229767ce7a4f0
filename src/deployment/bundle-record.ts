// What the controller writes on a Bundle itself: finalizer, labels and status.
import type { Bundle, BundleStatus } from '../api/bundle.ts'
import { BUNDLE } from '../api/kinds.ts'
import { BUNDLE_FINALIZER, CREATED_BY_DISPLAY_NAME_LABEL } from '../api/labels.ts'
import type { Clock } from '../lib/controller/clock.ts'
import { getCondition } from '../lib/controller/conditions.ts'
import { keyOf } from '../lib/controller/keys.ts'
import type { KubeClient } from '../lib/kube/client.ts'
import { isNotFound } from '../lib/kube/errors.ts'
import { OWNED_STATUS } from './bundle-status.ts'
import { mergePatch } from './merge-patch.ts'
import type { Newest } from './newest.ts'

/** While a rollout goes on, its progress is written once in this time. */
const PROGRESS_MS = 1_000

export interface BundleRecord {
  /** The bundle with our finalizer and without obsolete labels. */
  adopt(bundle: Bundle): Promise<Bundle>
  /** Takes the finalizer off, which lets the bundle go. */
  release(bundle: Bundle): Promise<void>
  /** Writes what differs. Mere progress may have to wait: then nothing is written, and the milliseconds are returned after which to try again. */
  writeStatus(bundle: Bundle, next: BundleStatus): Promise<number>
  forget(key: string): void
}

export function createBundleRecord(client: KubeClient, newest: Newest<Bundle>, clock: Clock): BundleRecord {
  const written = new Map<string, number>()

  async function patch(bundle: Bundle, body: { metadata?: object; status?: object }, subresource?: string): Promise<Bundle> {
    const { name, namespace = '', resourceVersion } = bundle.metadata
    const versioned = { ...body, metadata: { ...body.metadata, resourceVersion } }
    const updated = await client.patch<Bundle>({ ...BUNDLE, name, namespace }, versioned, {
      type: 'merge',
      ...(subresource ? { subresource } : {}),
    })
    newest.wrote(updated)
    return updated
  }

  return {
    async adopt(bundle) {
      const { finalizers = [], labels } = bundle.metadata
      const hasFinalizer = finalizers.includes(BUNDLE_FINALIZER)
      const hasObsolete = labels?.[CREATED_BY_DISPLAY_NAME_LABEL] !== undefined
      if (hasFinalizer && !hasObsolete) return bundle
      return patch(bundle, {
        metadata: {
          ...(hasFinalizer ? {} : { finalizers: [...finalizers, BUNDLE_FINALIZER] }),
          ...(hasObsolete ? { labels: { [CREATED_BY_DISPLAY_NAME_LABEL]: null } } : {}),
        },
      })
    },
    async release(bundle) {
      const { finalizers = [] } = bundle.metadata
      if (!finalizers.includes(BUNDLE_FINALIZER)) return
      await patch(bundle, { metadata: { finalizers: finalizers.filter((finalizer) => finalizer !== BUNDLE_FINALIZER) } }).catch(
        ignoreNotFound,
      )
    },
    async writeStatus(bundle, next) {
      const status = mergePatch(owned(bundle.status), owned(next))
      if (!status) return 0
      const due = (written.get(keyOf(bundle)) ?? -Infinity) + PROGRESS_MS
      if (isProgress(bundle.status, next) && due > clock.now()) return due - clock.now()
      written.set(keyOf(bundle), clock.now())
      await patch(bundle, { status }, 'status').catch(ignoreNotFound)
      return 0
    },
    forget: (key) => {
      written.delete(key)
    },
  }
}

function owned(status: BundleStatus | undefined): object {
  return Object.fromEntries(OWNED_STATUS.map((field) => [field, status?.[field]]))
}

/** Neither a new version nor a new trouble. */
function isProgress(before: BundleStatus | undefined, next: BundleStatus): boolean {
  return before?.observedGeneration === next.observedGeneration && reasonOf(before) === reasonOf(next)
}

function reasonOf(status: BundleStatus | undefined): string {
  return getCondition(status?.conditions, 'Ready')?.reason ?? ''
}

function ignoreNotFound(error: unknown): void {
  if (!isNotFound(error)) throw error
}
