// Link `source`: is what the repository or the chart holds known, and read? (spec 8.1, 8.5)
import type { GitRepo } from '../api/git-repo.ts'
import type { HelmOp } from '../api/helm-op.ts'
import type { Condition } from '../api/status.ts'
import { keyOf } from '../lib/controller/keys.ts'
import { redactUrl } from '../lib/git/url.ts'
import { pollingIntervalMs, recordEveryMs } from '../source/poll-schedule.ts'
import { conditionWith, type Finding, quoted, sinceOf, timeIn, upcoming, withHint } from './finding.ts'
import type { World } from './world.ts'

/** What was found, or what to say if nothing is wrong. */
export type Checked = { readonly finding: Finding } | { readonly note: string }

type Trouble = Omit<Finding, 'link'>

/** Where a bundle comes from: a GitRepo. */
export function checkGitRepo(gitRepo: GitRepo, world: World): Checked {
  const trouble =
    leaving(`gitrepo ${keyOf(gitRepo)}`, gitRepo) ??
    refused(gitRepo, world) ??
    pollFailed(gitRepo, world) ??
    stalled(`gitrepo ${keyOf(gitRepo)}`, gitRepo.status?.conditions) ??
    unread(gitRepo) ??
    unpolled(gitRepo, world)
  return trouble ? { finding: { link: 'source', ...trouble } } : { note: gitNote(gitRepo) }
}

/** Where a bundle comes from: a HelmOp. */
export function checkHelmOp(helmOp: HelmOp, world: World): Checked {
  const about = `helmop ${keyOf(helmOp)}`
  const { conditions, version } = helmOp.status ?? {}
  const trouble =
    leaving(about, helmOp) ??
    refused(helmOp, world, 'helmop') ??
    chartPollFailed(helmOp, world) ??
    stalled(about, conditions) ??
    unresolved(helmOp)
  if (trouble) return { finding: { link: 'source', ...trouble } }
  return { note: `${about} is at version ${version}` }
}

function leaving(about: string, { metadata }: GitRepo | HelmOp): Trouble | undefined {
  const { deletionTimestamp, finalizers } = metadata
  if (!deletionTimestamp) return undefined
  const kept = finalizers?.length ? `kept by ${finalizers.join(', ')}` : 'nothing keeps it'
  return {
    state: 'waiting',
    reason: 'Deleting',
    message: `${about} is being deleted and waits for its bundles to go; ${kept}`,
    since: timeIn(deletionTimestamp),
  }
}

function refused(object: GitRepo | HelmOp, world: World, kind = 'gitrepo'): Trouble | undefined {
  const condition = conditionWith(object.status?.conditions, 'Accepted', 'False')
  if (!condition) return undefined
  const rules = world.rulesIn(object.metadata.namespace ?? '')
  const hint = rules.length > 0 ? `; rules of this namespace: ${rules.slice(0, 5).join(', ')}` : ''
  return {
    state: 'blocked',
    reason: 'NotAccepted',
    message: `${kind} ${keyOf(object)} is not accepted: ${quoted(condition.message)}${hint}; change its spec, or what restricts it`,
    since: sinceOf(condition),
  }
}

function pollFailed(gitRepo: GitRepo, { now }: World): Trouble | undefined {
  const { spec, status } = gitRepo
  const condition = conditionWith(status?.conditions, 'GitPolling', 'False')
  if (!condition) return undefined
  const lastPoll = Date.parse(status?.lastPollingTriggered ?? condition.lastUpdateTime ?? '')
  return {
    state: 'blocked',
    reason: 'PollFailed',
    message: withHint(
      `gitrepo ${keyOf(gitRepo)} cannot be polled`,
      `${quoted(condition.message)}; it is asked again, at most 10 minutes apart`,
    ),
    since: sinceOf(condition),
    nextTry: upcoming(lastPoll + pollingIntervalMs(spec.pollingInterval), now),
  }
}

function chartPollFailed(helmOp: HelmOp, { now }: World): Trouble | undefined {
  const { spec, status } = helmOp
  const condition = conditionWith(status?.conditions, 'Polled', 'False')
  if (!condition) return undefined
  const lastPoll = Date.parse(status?.lastPollingTriggered ?? condition.lastUpdateTime ?? '')
  return {
    state: 'blocked',
    reason: 'PollFailed',
    message: `helmop ${keyOf(helmOp)}: ${quoted(condition.message)}; see that the chart repository is reachable and the version exists`,
    since: sinceOf(condition),
    nextTry: upcoming(lastPoll + pollingIntervalMs(spec.pollingInterval), now),
  }
}

function stalled(about: string, conditions: readonly Condition[] | undefined): Trouble | undefined {
  const stall = conditionWith(conditions, 'Stalled', 'True')
  if (stall) {
    const message = `${about} cannot be read: ${quoted(stall.message)}; what was deployed stays until this is mended, it is read again when something changes`
    return { state: 'blocked', reason: 'ReadFailed', message, since: sinceOf(stall) }
  }
  const work = conditionWith(conditions, 'Reconciling', 'True')
  if (!work) return undefined
  return {
    state: 'waiting',
    reason: work.reason || 'Reading',
    message: `${about} is being read: ${quoted(work.message) || 'in progress'}`,
    since: sinceOf(work),
  }
}

function unread(gitRepo: GitRepo): Trouble | undefined {
  const { metadata, spec, status = {} } = gitRepo
  const about = `gitrepo ${keyOf(gitRepo)}`
  if (!spec.repo) return { state: 'blocked', reason: 'NoRepository', message: `${about} names no repository: set spec.repo` }
  const created = timeIn(metadata.creationTimestamp)
  if (!status.commit && spec.disablePolling && !status.webhookCommit) return neverTold(about, created)
  if (status.gitJobStatus === 'Failed')
    return { state: 'blocked', reason: 'ReadFailed', message: `${about}: the commit could not be read`, since: undefined }
  if (!status.commit && !status.pollingCommit && !status.observedGeneration)
    return {
      state: 'waiting',
      reason: 'NotObserved',
      message: `${about} has not been looked at yet: see that fleet-controller runs, and that the shard label of the gitrepo names one that does`,
      since: created,
    }
  const hint = pushed(about, gitRepo)
  if (hint) return hint
  if (!status.commit || (status.pollingCommit && status.pollingCommit !== status.commit))
    return {
      state: 'waiting',
      reason: 'NewCommit',
      message: `${about}: commit ${short(status.pollingCommit)} was found and is to be read`,
      since: timeIn(status.lastPollingTriggered) ?? created,
    }
  if (isBehind(metadata.generation, status.observedGeneration))
    return { state: 'waiting', reason: 'NotObserved', message: `${about} was changed, its new spec has not been read yet` }
  return undefined
}

function pushed(about: string, { status = {} }: GitRepo): Trouble | undefined {
  const { webhookCommit, commit, lastWebhookTime } = status
  if (!webhookCommit || webhookCommit === commit) return undefined
  const message = `${about}: a webhook told of commit ${short(webhookCommit)}, which the server is being asked for`
  return { state: 'waiting', reason: 'PushSeen', message, since: timeIn(lastWebhookTime) }
}

function neverTold(about: string, since: string | undefined): Trouble {
  const message = `${about} is not polled (spec.disablePolling) and no webhook has come: send one, or allow polling`
  return { state: 'blocked', reason: 'PollingDisabled', message, since }
}

/** Polls without news are only recorded now and then. */
function unpolled(gitRepo: GitRepo, { now }: World): Trouble | undefined {
  const { spec, status } = gitRepo
  const lastPoll = Date.parse(status?.lastPollingTriggered ?? '')
  if (spec.disablePolling || Number.isNaN(lastPoll)) return undefined
  const interval = pollingIntervalMs(spec.pollingInterval)
  if (lastPoll >= now - 2 * recordEveryMs(interval) - 2 * interval) return undefined
  return {
    state: 'unknown',
    reason: 'NotPolled',
    message: `gitrepo ${keyOf(gitRepo)} has not been polled lately: see that fleet-controller runs`,
    since: timeIn(status?.lastPollingTriggered),
  }
}

function unresolved(helmOp: HelmOp): Trouble | undefined {
  const { metadata, spec, status } = helmOp
  if (status?.version) return undefined
  const asked = spec.helm?.version ? ` for ${JSON.stringify(spec.helm.version)}` : ''
  return {
    state: 'waiting',
    reason: 'VersionNotResolved',
    message: `helmop ${keyOf(helmOp)} has found no version of chart ${spec.helm?.chart || spec.helm?.repo || '(none)'}${asked} yet: see that repository, chart and version exist`,
    since: timeIn(metadata.creationTimestamp),
  }
}

function gitNote(gitRepo: GitRepo): string {
  const { spec, status } = gitRepo
  const notes = [
    ...(spec.disablePolling
      ? [`not polled: new commits are only seen when a webhook tells (last: ${status?.lastWebhookTime ?? 'never'})`]
      : []),
    ...(spec.paused ? ['paused: new versions are prepared, not deployed'] : []),
  ]
  const ref = spec.revision || spec.branch || 'master'
  return [`gitrepo ${keyOf(gitRepo)} is at commit ${short(status?.commit)} of ${redactUrl(spec.repo)} (${ref})`, ...notes].join('; ')
}

function short(commit: string | undefined): string {
  return commit ? commit.slice(0, 12) : '(none)'
}

/** The controller has not seen the newest spec. */
export function isBehind(generation: number | undefined, observed: number | undefined): boolean {
  return generation !== undefined && generation !== (observed ?? 0)
}
