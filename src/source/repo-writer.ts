// Writes to GitRepos: the own part of the status, annotations, finalizers; always on top of the newest known version.
import type { GitRepo } from '../api/git-repo.ts'
import { CREATED_BY_DISPLAY_NAME_LABEL, GIT_REPO_FINALIZER } from '../api/labels.ts'
import type { Clock } from '../lib/controller/clock.ts'
import { getCondition } from '../lib/controller/conditions.ts'
import type { EventRecorder } from '../lib/controller/events.ts'
import { onNewest } from '../lib/controller/on-newest.ts'
import { createStatusWriter } from '../lib/controller/status.ts'
import type { KubeClient } from '../lib/kube/client.ts'
import { isNotFound } from '../lib/kube/errors.ts'
import { refOf } from '../lib/kube/paths.ts'
import { hasChanged, nextStatus, OWNED_FIELDS, type StatusFacts } from './git-repo-status.ts'
import { newest, type RepoMemory } from './repo-memory.ts'

export interface RepoWriter {
  /** Brings the status to what the facts say; no request if it says so already. Others write conditions too: a conflict is tried again on the live object. */
  status(cached: GitRepo, memory: RepoMemory, facts: StatusFacts): Promise<void>
  /** Adds the finalizer and takes an obsolete label off; no request if that is so. Returns the newest version. */
  claim(cached: GitRepo, memory: RepoMemory): Promise<GitRepo>
  /** Removes the finalizer. */
  release(cached: GitRepo, memory: RepoMemory): Promise<void>
  annotate(cached: GitRepo, memory: RepoMemory, annotations: Readonly<Record<string, string | null>>): Promise<void>
  setDefaults(cached: GitRepo, memory: RepoMemory, defaults: object): Promise<void>
}

export function createRepoWriter(deps: { client: KubeClient; clock: Clock; events: EventRecorder }): RepoWriter {
  const { client, clock, events } = deps
  const writer = createStatusWriter(client)

  async function status(cached: GitRepo, memory: RepoMemory, facts: StatusFacts): Promise<void> {
    await onNewest(client, newest(cached, memory), async (base) => {
      const next = nextStatus(base, facts, clock.now())
      if (!hasChanged(base.status ?? {}, next)) return
      if (!(await writer.write(base, next, { owned: OWNED_FIELDS }))) return
      memory.written = writer.latest(base)
      if (facts.poll) memory.recordedAt = clock.now()
      tell(events, base, memory.written, facts)
    })
  }

  /** Metadata is patched field by field; lists only if nobody has changed the object since. */
  async function patch(base: GitRepo, memory: RepoMemory, body: object): Promise<GitRepo> {
    memory.written = await client.patch<GitRepo>(refOf(base), body, { type: 'merge' })
    return memory.written
  }

  return {
    status,
    async claim(cached, memory) {
      const base = newest(cached, memory)
      const { finalizers = [], labels = {}, resourceVersion } = base.metadata
      const isClaimed = finalizers.includes(GIT_REPO_FINALIZER)
      const isLabelled = CREATED_BY_DISPLAY_NAME_LABEL in labels
      if (isClaimed && !isLabelled) return base
      return patch(base, memory, {
        metadata: {
          ...(isClaimed ? {} : { finalizers: [...finalizers, GIT_REPO_FINALIZER], resourceVersion }),
          ...(isLabelled ? { labels: { [CREATED_BY_DISPLAY_NAME_LABEL]: null } } : {}),
        },
      })
    },
    async release(cached, memory) {
      const base = newest(cached, memory)
      const { finalizers = [], resourceVersion } = base.metadata
      if (!finalizers.includes(GIT_REPO_FINALIZER)) return
      const left = finalizers.filter((name) => name !== GIT_REPO_FINALIZER)
      try {
        await patch(base, memory, { metadata: { finalizers: left, resourceVersion } })
      } catch (error) {
        if (!isNotFound(error)) throw error
      }
    },
    async annotate(cached, memory, annotations) {
      await patch(newest(cached, memory), memory, { metadata: { annotations } })
    },
    async setDefaults(cached, memory, defaults) {
      await patch(newest(cached, memory), memory, { spec: defaults })
    },
  }
}

/** Events for what has just been written (spec 10.2). */
function tell(events: EventRecorder, before: GitRepo, after: GitRepo, facts: StatusFacts): void {
  const { spec, status = {} } = after
  const messageOf = ({ status: from }: GitRepo, type: string): string | undefined => {
    const condition = getCondition(from?.conditions, type)
    return condition?.status === 'False' ? (condition.message ?? '') : undefined
  }
  const newProblem = (type: string): string | undefined => {
    const message = messageOf(after, type)
    return message === messageOf(before, type) ? undefined : message
  }
  const polling = newProblem('GitPolling')
  if (polling !== undefined)
    events.event(after, {
      type: 'Warning',
      ...(spec.disablePolling
        ? { reason: 'Failed', action: 'MonitorLatestCommit' }
        : { reason: 'FailedToCheckCommit', action: 'CheckCommit' }),
      note: polling,
    })
  if (facts.poll?.commit && before.status?.pollingCommit !== status.pollingCommit)
    events.event(after, { type: 'Normal', reason: 'GotNewCommit', action: 'GetNewCommit', note: `got new commit ${status.pollingCommit}` })
  if (facts.isHintLost && before.status?.webhookCommit !== status.webhookCommit)
    events.event(after, {
      type: 'Warning',
      reason: 'WebhookCommitNotVisible',
      action: 'MonitorLatestCommit',
      note: `a webhook told of commit ${before.status?.webhookCommit}, which the followed ref has not come to within 30 s: still at ${status.commit}`,
    })
  const refusal = newProblem('Accepted')
  if (refusal !== undefined) events.event(after, { type: 'Warning', ...refusalReason(facts), note: refusal })
}

function refusalReason({ isPolicyViolation }: StatusFacts): { reason: string; action: string } {
  return isPolicyViolation
    ? { reason: 'PolicyViolation', action: 'ApplyGitRepoRestrictions' }
    : { reason: 'FailedValidatingSecret', action: 'ValidateSecret' }
}
