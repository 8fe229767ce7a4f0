// Writes of the HelmOp controller: the own part of the status, the finalizer, the bundle; always on top of the newest known version.
import type { Bundle } from '../api/bundle.ts'
import type { HelmOp } from '../api/helm-op.ts'
import { BUNDLE } from '../api/kinds.ts'
import { HELM_OP_FINALIZER } from '../api/labels.ts'
import { isSame, over } from '../bundle/publish-plan.ts'
import type { Clock } from '../lib/controller/clock.ts'
import { TerminalError, WaitingError } from '../lib/controller/errors.ts'
import type { EventRecorder } from '../lib/controller/events.ts'
import { onNewest } from '../lib/controller/on-newest.ts'
import { createStatusWriter } from '../lib/controller/status.ts'
import type { KubeClient } from '../lib/kube/client.ts'
import { ApiError, isAlreadyExists, isConflict, isNotFound } from '../lib/kube/errors.ts'
import { refOf } from '../lib/kube/paths.ts'
import type { ObjectRef } from '../lib/kube/types.ts'
import { hasChanged, nextStatus, OWNED_FIELDS, problemIn, type StatusFacts } from './helm-op-status.ts'
import { type HelmOpMemory, newest } from './memory.ts'

export interface HelmOpWriter {
  /** Brings the status to what the facts say; no request if it says so already. Others write conditions too: a conflict is tried again on the live object. */
  status(cached: HelmOp, memory: HelmOpMemory, facts: StatusFacts): Promise<void>
  /** Adds the finalizer; no request if it is there. Returns the newest version. */
  claim(cached: HelmOp, memory: HelmOpMemory): Promise<HelmOp>
  /** Removes the finalizer. */
  release(cached: HelmOp, memory: HelmOpMemory): Promise<void>
  /** Creates the bundle or replaces what differs; no request if nothing does. */
  bundle(helmOp: HelmOp, memory: HelmOpMemory, existing: Bundle | undefined, wanted: Bundle): Promise<void>
}

/** A cache that lags behind has caught up by then. */
const LAG_MS = 200

export function createWriter(deps: { client: KubeClient; clock: Clock; events: EventRecorder }): HelmOpWriter {
  const { client, clock, events } = deps
  const writer = createStatusWriter(client)

  async function patchFinalizers(base: HelmOp, memory: HelmOpMemory, finalizers: string[]): Promise<HelmOp> {
    const body = { metadata: { finalizers, resourceVersion: base.metadata.resourceVersion } }
    memory.written = await client.patch<HelmOp>(refOf(base), body, { type: 'merge' })
    return memory.written
  }

  return {
    async status(cached, memory, facts) {
      await onNewest(client, newest(cached, memory.written), async (base) => {
        const next = nextStatus(base, facts, clock.now())
        if (!hasChanged(base.status ?? {}, next)) return
        if (!(await writer.write(base, next, { owned: OWNED_FIELDS }))) return
        memory.written = writer.latest(base)
        if (facts.poll) memory.recordedAt = clock.now()
        tell(events, base, memory.written, facts)
      })
    },
    async claim(cached, memory) {
      const base = newest(cached, memory.written)
      const { finalizers = [] } = base.metadata
      return finalizers.includes(HELM_OP_FINALIZER) ? base : patchFinalizers(base, memory, [...finalizers, HELM_OP_FINALIZER])
    },
    async release(cached, memory) {
      const base = newest(cached, memory.written)
      const { finalizers = [] } = base.metadata
      const left = finalizers.filter((name) => name !== HELM_OP_FINALIZER)
      if (left.length === finalizers.length) return
      try {
        await patchFinalizers(base, memory, left)
      } catch (error) {
        if (!isNotFound(error)) throw error
      }
    },
    async bundle(helmOp, memory, existing, wanted) {
      if (existing && isSame(existing, wanted)) return
      try {
        memory.bundle = existing ? await client.update(over(existing, wanted)) : await client.create(wanted)
      } catch (error) {
        if (isNotFound(error)) memory.bundle = undefined // gone before the cache ever saw it
        if (isAlreadyExists(error) || isConflict(error) || (existing && isNotFound(error)))
          throw new WaitingError(`the bundle ${wanted.metadata.name} has just changed`, { retryAfterMs: LAG_MS })
        const note = `could not write the bundle ${wanted.metadata.name}: ${(error as Error).message}`
        events.event(helmOp, { type: 'Warning', reason: 'FailedToPatchBundle', action: 'PatchBundle', note })
        if (error instanceof ApiError && (error.status === 400 || error.status === 422)) throw new TerminalError(note, { cause: error })
        throw error
      }
    },
  }
}

/** The reference of a HelmOp's bundle. */
export function bundleRef(helmOp: HelmOp): ObjectRef {
  return refOf({ ...BUNDLE, metadata: helmOp.metadata })
}

/** Events for what has just been written (spec 10.2). */
function tell(events: EventRecorder, before: HelmOp, after: HelmOp, facts: StatusFacts): void {
  const newProblem = (type: string): string | undefined => {
    const message = problemIn(after.status, type)
    return message === problemIn(before.status, type) ? undefined : message
  }
  const version = after.status?.version
  if (facts.isPolling && version && version !== before.status?.version)
    events.event(after, {
      type: 'Normal',
      reason: 'GotNewChartVersion',
      action: 'GetNewChartVersion',
      note: `got new chart version ${version}`,
    })
  const polling = newProblem('Polled')
  if (polling !== undefined)
    events.event(after, { type: 'Warning', reason: 'FailedToGetNewChartVersion', action: 'GetNewChartVersion', note: polling })
  const refusal = facts.isPolicyViolation ? newProblem('Accepted') : undefined
  if (refusal !== undefined)
    events.event(after, { type: 'Warning', reason: 'PolicyViolation', action: 'ApplyPolicyRestrictions', note: refusal })
}
