// Link `rollout`: has the hub given the cluster the newest version? (spec 5.1–5.3)
import type { BundleDeployment } from '../api/bundle-deployment.ts'
import { contentIdOf } from '../api/content-id.ts'
import { BUNDLE_DEPLOYMENT_FINALIZER, CLUSTER_LABEL } from '../api/labels.ts'
import type { Schedule } from '../api/schedule.ts'
import { deploymentState } from '../api/state.ts'
import { keyOf } from '../lib/controller/keys.ts'
import { conditionWith, type Finding, quoted, sinceOf, timeIn, upcoming } from './finding.ts'
import type { Pair } from './pair.ts'
import type { HeldPartition } from './plan.ts'
import type { World } from './world.ts'

const DEFAULT_MAX_NEW = 50

function found(state: Finding['state'], reason: string, message: string, more: Partial<Finding> = {}): Finding {
  return { link: 'rollout', state, reason, message, ...more }
}

export function checkRollout(pair: Pair, world: World): Finding | undefined {
  const { deployment, plan, where } = pair
  if (!deployment) return plan ? notCreated(pair) : undefined
  return (
    leaving(pair, deployment) ??
    (plan && !pair.isTarget && pair.cluster ? left(pair, deployment) : undefined) ??
    heldBack(pair, deployment) ??
    notPromoted(pair, deployment) ??
    stopped(pair, deployment, world) ??
    (deployment.spec.waitingForValues && !isApplied(deployment)
      ? found(
          'waiting',
          'WaitingForValues',
          `cluster ${where}: the secret ${keyOf(deployment)} with its helm values is missing on the hub, or holds others; the hub writes it again`,
        )
      : undefined) ??
    (deployment.spec.deploymentID
      ? undefined
      : found('waiting', 'NotPromoted', `cluster ${where}: the hub has not given deployment ${keyOf(deployment)} a version yet`))
  )
}

/** Whether the agent has reported the version that the deployment asks for. */
export function isApplied({ spec, status }: BundleDeployment): boolean {
  return Boolean(spec.deploymentID) && status?.appliedDeploymentID === spec.deploymentID
}

function notCreated({ plan, cluster, where }: Pair): Finding {
  if (!plan || !cluster) return found('waiting', 'NotCreated', `cluster ${where} has no deployment yet`)
  const { bundle, held, unpartitioned, listed, targets, deployments } = plan
  const about = `bundle ${keyOf(bundle)}`
  const { spec, status } = bundle
  if (plan.strategyError !== undefined) return invalidStrategy(about, plan.strategyError)
  const partition = held.get(where)
  if (partition) return earlierPartition(where, partition)
  if (unpartitioned.has(where)) return noPartition(where, about)
  const maxNew = spec.rolloutStrategy?.maxNew ?? DEFAULT_MAX_NEW
  if (maxNew <= 0)
    return found(
      'blocked',
      'MaxNew',
      `cluster ${where} gets nothing: rolloutStrategy.maxNew of ${about} is ${maxNew}, so no deployment is ever made; raise it`,
    )
  const left = status?.summary?.pending || targets.length - deployments.size
  if ((status?.newlyCreated ?? 0) > 0)
    return found(
      'waiting',
      'MaxNew',
      `cluster ${where} waits for its turn: at most ${maxNew} deployments of ${about} are made at a time, ${left} are left`,
      {
        sameAs: keyOf(bundle),
        isConsequence: deployments.size > 0,
      },
    )
  const told = listed.get(where)?.message
  return found(
    'waiting',
    'NotCreated',
    `cluster ${where}: the hub has not made a deployment of ${about} yet${told ? `: ${quoted(told)}` : ''}`,
    {
      since: timeIn(cluster.metadata.creationTimestamp),
    },
  )
}

function invalidStrategy(about: string, error: string): Finding {
  return found('blocked', 'InvalidStrategy', `the rolloutStrategy of ${about} cannot be followed: ${error}; correct it`)
}

function noPartition(where: string, about: string): Finding {
  return found(
    'blocked',
    'NoPartition',
    `cluster ${where} is in no partition of the rolloutStrategy of ${about}: it gets no new version; add a partition that matches it`,
  )
}

function earlierPartition(where: string, { name, blockedBy, unavailable, maxUnavailable }: HeldPartition): Finding {
  const why = `${unavailable} of its clusters are not ready with the new version, ${maxUnavailable} may be`
  return found(
    'waiting',
    'EarlierPartition',
    `cluster ${where} (partition ${JSON.stringify(name)}) waits for partition ${JSON.stringify(blockedBy)}: ${why}`,
    {
      sameAs: blockedBy,
      isConsequence: true,
    },
  )
}

function leaving({ where }: Pair, deployment: BundleDeployment): Finding | undefined {
  const { deletionTimestamp, finalizers = [] } = deployment.metadata
  if (!deletionTimestamp) return undefined
  const foreign = finalizers.filter((finalizer) => finalizer !== BUNDLE_DEPLOYMENT_FINALIZER)
  const since = timeIn(deletionTimestamp)
  const about = `cluster ${where}: deployment ${keyOf(deployment)} is being deleted`
  if (foreign.length > 0)
    return found(
      'blocked',
      'Deleting',
      `${about} and kept by ${foreign.join(', ')}: see to it that whoever set these finalizers removes them`,
      { since },
    )
  return found('waiting', 'Deleting', `${about}: the hub has to remove its finalizer`, { since })
}

/** A cluster that is no target any more. */
function left({ where }: Pair, { metadata, spec }: BundleDeployment): Finding {
  const when = spec.offSchedule ? 'once its schedule is active' : 'by the hub'
  return found('waiting', 'Leftover', `cluster ${where} is no target any more: its deployment ${metadata.name} is removed ${when}`)
}

function heldBack({ plan, where }: Pair, deployment: BundleDeployment): Finding | undefined {
  if (!plan) return undefined
  const about = `bundle ${keyOf(plan.bundle)}`
  if (plan.strategyError !== undefined) return invalidStrategy(about, plan.strategyError)
  const isOld = isBehind(plan.bundle.status?.resourcesSha256Sum, deployment)
  const partition = plan.held.get(where)
  const isListed = plan.listed.has(where) && deploymentState(deployment) === 'Ready'
  if (partition && (isOld || isListed || partition.isWhollyBehind)) return earlierPartition(where, partition)
  if (plan.unpartitioned.has(where) && (isOld || isListed)) return noPartition(where, about)
  return undefined
}

/** Its newest version has other files than the bundle. */
function isBehind(sha256: string | undefined, { spec }: BundleDeployment): boolean {
  const staged = spec.stagedDeploymentID?.split(':', 1)[0]
  return Boolean(sha256 && staged) && !spec.ociContents && !spec.helmChartOptions && staged !== contentIdOf(sha256 ?? '')
}

function notPromoted(pair: Pair, deployment: BundleDeployment): Finding | undefined {
  const { deploymentID, stagedDeploymentID } = deployment.spec
  if (!stagedDeploymentID || stagedDeploymentID === deploymentID) return undefined
  const { plan, where } = pair
  const pause = pauseOf(pair, deployment)
  if (pause)
    return found('blocked', 'Paused', `cluster ${where}: the next version is prepared, but not deployed, because ${pause}`, {
      sameAs: pause,
    })
  const { maxUnavailable, unavailable } = plan?.bundle.status ?? {}
  if (plan && maxUnavailable === undefined && plan.bundle.spec.rolloutStrategy?.maxUnavailable === 0)
    return found(
      'blocked',
      'MaxUnavailable',
      `cluster ${where} keeps its version: rolloutStrategy.maxUnavailable of bundle ${keyOf(plan.bundle)} is 0, so nothing that is ready is ever changed; raise it`,
    )
  const count = maxUnavailable === undefined ? '' : `: ${unavailable ?? 0} clusters are unavailable, ${maxUnavailable} may be`
  return found(
    'waiting',
    'MaxUnavailable',
    `cluster ${where}: the next version is prepared and waits until fewer clusters are unavailable${count}`,
    {
      sameAs: 'limit',
      isConsequence: true,
    },
  )
}

/** Who has paused it, and how to go on. */
function pauseOf({ plan, cluster, maker }: Pair, { spec, metadata }: BundleDeployment): string | undefined {
  if (maker?.spec?.paused) return `gitrepo ${keyOf(maker)} is paused: set its spec.paused to false`
  if (plan?.bundle.spec.paused) return `bundle ${keyOf(plan.bundle)} is paused: set its spec.paused to false`
  if (cluster?.spec.paused) return `cluster ${keyOf(cluster)} is paused: set its spec.paused to false`
  return spec.paused ? `bundledeployment ${metadata.namespace ?? ''}/${metadata.name} is paused: resume its bundle and cluster` : undefined
}

/** The agent is told to leave the deployment alone. */
function stopped(pair: Pair, deployment: BundleDeployment, world: World): Finding | undefined {
  if (isApplied(deployment)) return undefined
  const { where } = pair
  const pause = deployment.spec.paused ? pauseOf(pair, deployment) : undefined
  if (pause) return found('blocked', 'Paused', `cluster ${where}: nothing is deployed, because ${pause}`, { sameAs: pause })
  return deployment.spec.offSchedule ? outsideSchedule(pair, deployment, world) : undefined
}

/** It opens for nobody, and still holds its clusters. */
function brokenSchedule(where: string, schedule: Schedule): Finding {
  const condition = conditionWith(schedule.status?.conditions, 'Ready', 'False')
  const name = keyOf(schedule)
  return found(
    'blocked',
    'ScheduleInvalid',
    `cluster ${where} is held by schedule ${name}, which never opens: ${quoted(condition?.message)}; correct or delete it`,
    {
      since: sinceOf(condition),
      sameAs: name,
    },
  )
}

function outsideSchedule({ where, cluster }: Pair, { metadata }: BundleDeployment, { schedules, now }: World): Finding {
  const name = cluster?.metadata.name ?? metadata.labels?.[CLUSTER_LABEL] ?? ''
  const own = schedules.filter(
    ({ metadata: { namespace }, status }) =>
      (!cluster || namespace === cluster.metadata.namespace) &&
      status?.matchingClusters?.some((matching) => matching === name || matching === where),
  )
  const unusable = own.find(({ status }) => conditionWith(status?.conditions, 'Ready', 'False'))
  if (unusable) return brokenSchedule(where, unusable)
  const starts = own.map(({ status }) => Date.parse(status?.nextStartTime ?? '')).filter((ms) => ms > now)
  const nextTry = starts.length > 0 ? upcoming(Math.min(...starts), now) : undefined
  const names = own.map((schedule) => keyOf(schedule)).join(', ')
  const until = nextTry ? ` until ${nextTry}` : ': see the schedules of its namespace for the next start'
  return found(
    'waiting',
    'OutsideSchedule',
    `cluster ${where} is outside of its schedule${names ? ` (${names})` : ''}: nothing is deployed${until}`,
    {
      sameAs: names,
      nextTry,
    },
  )
}
