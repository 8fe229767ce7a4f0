// Link `registration`: how far a cluster has come into the fleet (spec 3).
import type { Cluster } from '../api/cluster.ts'
import { keyOf } from '../lib/controller/keys.ts'
import { conditionWith, type Finding, quoted, sinceOf, timeIn } from './finding.ts'
import type { Checked } from './source.ts'

/** In the order in which they are written. */
const STEPS = ['Processed', 'Imported', 'Reconciled']

export function checkRegistration(cluster: Cluster): Checked {
  const finding = leaving(cluster) ?? failedStep(cluster) ?? withoutNamespace(cluster)
  if (finding) return { finding }
  const paused = cluster.spec.paused ? '; paused: new versions are prepared, not deployed' : ''
  return { note: `cluster ${keyOf(cluster)} has namespace ${cluster.status?.namespace}${paused}` }
}

function found(state: Finding['state'], reason: string, message: string, since: string | undefined): Finding {
  return { link: 'registration', state, reason, message, since }
}

function leaving({ metadata }: Cluster): Finding | undefined {
  const { deletionTimestamp, finalizers } = metadata
  if (!deletionTimestamp) return undefined
  const kept = finalizers?.length ? `kept by ${finalizers.join(', ')}` : 'nothing keeps it'
  return found('waiting', 'Deleting', `cluster ${keyOf({ metadata })} is being deleted; ${kept}`, timeIn(deletionTimestamp))
}

function failedStep(cluster: Cluster): Finding | undefined {
  const [failed] = STEPS.flatMap((type) => conditionWith(cluster.status?.conditions, type, 'False') ?? []).filter(({ message }) => message)
  if (!failed) return undefined
  const message = `cluster ${keyOf(cluster)}, condition ${failed.type}: ${quoted(failed.message)}; see the kubeconfig secret of the cluster and the address of the hub in the configuration`
  return found('blocked', 'RegistrationFailed', message, sinceOf(failed))
}

function withoutNamespace({ metadata, status }: Cluster): Finding | undefined {
  if (status?.namespace) return undefined
  const message = `cluster ${keyOf({ metadata })} has no namespace on the hub yet: if this stays so, see that fleet-controller runs`
  return found('waiting', 'NoClusterNamespace', message, timeIn(metadata.creationTimestamp))
}
