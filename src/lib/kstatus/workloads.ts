// Deployments, StatefulSets, DaemonSets and ReplicaSets: the first count that lags behind is what is being waited for.
import { numberAt, type PlainObject, textAt } from './fields.ts'
import { type Condition, current, failed, inProgress, type Progress } from './progress.ts'

function count(object: PlainObject, field: string): number {
  return numberAt(object, 'status', field) ?? 0
}

function wanted(object: PlainObject): number {
  return numberAt(object, 'spec', 'replicas') ?? 1
}

type Lag = readonly [behind: boolean, message: string]

function firstLag(lags: readonly Lag[]): Progress | undefined {
  const lag = lags.find(([behind]) => behind)
  return lag ? inProgress(lag[1]) : undefined
}

/** Counts of a kind whose controller always sets observedGeneration mean nothing before it has. */
function generationMissing(object: PlainObject): Progress | undefined {
  if (numberAt(object, 'metadata', 'generation') === undefined) return inProgress(`${String(object.kind)} metadata.generation not found`)
  if (numberAt(object, 'status', 'observedGeneration') === undefined)
    return inProgress(`${String(object.kind)} status.observedGeneration not found`)
  return undefined
}

/** The controller writes Progressing only when there is a deadline; this number stands for none. */
const NO_DEADLINE = 2_147_483_647

export function deployment(object: PlainObject, conditions: readonly Condition[]): Progress {
  if (conditions.some(({ type, reason }) => type === 'Progressing' && reason === 'ProgressDeadlineExceeded'))
    return failed('Progress deadline exceeded')
  const spec = wanted(object)
  const [replicas, updated, available, ready] = ['replicas', 'updatedReplicas', 'availableReplicas', 'readyReplicas'].map((field) =>
    count(object, field),
  ) as [number, number, number, number]
  const deadline = numberAt(object, 'spec', 'progressDeadlineSeconds') ?? NO_DEADLINE
  const progressed =
    deadline === NO_DEADLINE ||
    conditions.some(({ type, status, reason }) => type === 'Progressing' && status === 'True' && reason === 'NewReplicaSetAvailable')
  const isAvailable = conditions.some(({ type, status }) => type === 'Available' && status === 'True')
  return (
    firstLag([
      [spec > replicas, `Replicas: ${replicas}/${spec}`],
      [spec > updated, `Updated: ${updated}/${spec}`],
      [replicas > spec, `Pending termination: ${replicas - spec}`],
      [updated > available, `Available: ${available}/${updated}`],
      [spec > ready, `Ready: ${ready}/${spec}`],
      [!progressed, 'ReplicaSet not Available'],
      [!isAvailable, 'Deployment not Available'],
    ]) ?? current(`Deployment is available. Replicas: ${replicas}`)
  )
}

export function replicaSet(object: PlainObject, conditions: readonly Condition[]): Progress {
  if (conditions.some(({ type, status }) => type === 'ReplicaFailure' && status === 'True'))
    return inProgress('Replica Failure condition. Check Pods')
  const spec = wanted(object)
  const [replicas, labelled, available, ready] = ['replicas', 'fullyLabeledReplicas', 'availableReplicas', 'readyReplicas'].map((field) =>
    count(object, field),
  ) as [number, number, number, number]
  return (
    firstLag([
      [spec > labelled, `Labelled: ${labelled}/${spec}`],
      [spec > available, `Available: ${available}/${spec}`],
      [spec > ready, `Ready: ${ready}/${spec}`],
      [replicas > spec, `Pending termination: ${replicas - spec}`],
    ]) ?? current(`ReplicaSet is available. Replicas: ${replicas}`)
  )
}

export function statefulSet(object: PlainObject): Progress {
  if (textAt(object, 'spec', 'updateStrategy', 'type') === 'OnDelete') return current('StatefulSet is using the ondelete update strategy')
  const spec = wanted(object)
  const [replicas, ready, currents, updated] = ['replicas', 'readyReplicas', 'currentReplicas', 'updatedReplicas'].map((field) =>
    count(object, field),
  ) as [number, number, number, number]
  const lag = firstLag([
    [spec > replicas, `Replicas: ${replicas}/${spec}`],
    [spec > ready, `Ready: ${ready}/${spec}`],
    [replicas > spec, `Pending termination: ${replicas - spec}`],
  ])
  if (lag) return lag
  const partition = numberAt(object, 'spec', 'updateStrategy', 'rollingUpdate', 'partition')
  if (partition !== undefined) {
    if (updated < spec - partition) return inProgress(`updated: ${updated}/${spec - partition}`)
    return current(`Partition rollout complete. updated: ${updated}`)
  }
  const sameRevision = textAt(object, 'status', 'currentRevision') === textAt(object, 'status', 'updateRevision')
  return (
    firstLag([
      [spec > currents, `current: ${currents}/${spec}`],
      [!sameRevision, 'Waiting for updated revision to match current'],
    ]) ?? current(`All replicas scheduled as expected. Replicas: ${replicas}`)
  )
}

export function daemonSet(object: PlainObject): Progress {
  const missing = generationMissing(object)
  if (missing) return missing
  const desired = numberAt(object, 'status', 'desiredNumberScheduled')
  if (desired === undefined) return inProgress('Missing .status.desiredNumberScheduled')
  const [scheduled, updated, available, ready] = ['currentNumberScheduled', 'updatedNumberScheduled', 'numberAvailable', 'numberReady'].map(
    (field) => count(object, field),
  ) as [number, number, number, number]
  return (
    firstLag([
      [desired > scheduled, `Current: ${scheduled}/${desired}`],
      [desired > updated, `Updated: ${updated}/${desired}`],
      [desired > available, `Available: ${available}/${desired}`],
      [desired > ready, `Ready: ${ready}/${desired}`],
    ]) ?? current(`All replicas scheduled as expected. Replicas: ${desired}`)
  )
}
