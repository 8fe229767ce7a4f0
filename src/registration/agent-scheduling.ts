// Priority class and disruption budget of an agent's pods (spec 1.6, 3.2).
import type { AgentSchedulingCustomization, ClusterSpec } from '../api/cluster.ts'
import { AGENT_NAME } from '../api/labels.ts'
import { TerminalError } from '../lib/controller/errors.ts'
import type { KubeObject } from '../lib/kube/types.ts'

export const PRIORITY_CLASS = { apiVersion: 'scheduling.k8s.io/v1', kind: 'PriorityClass' } as const
export const DISRUPTION_BUDGET = { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget' } as const
export const PRIORITY_CLASS_NAME = 'fleet-agent-priority-class'
export const DISRUPTION_BUDGET_NAME = 'fleet-agent-pod-disruption-budget'

/** The objects that a cluster asks for. */
export function schedulingObjects({ agentSchedulingCustomization: custom }: ClusterSpec, namespace: string): KubeObject[] {
  const objects: KubeObject[] = []
  if (custom?.priorityClass) objects.push(priorityClass(custom.priorityClass))
  if (custom?.podDisruptionBudget) objects.push(disruptionBudget(custom.podDisruptionBudget, namespace))
  return objects
}

function priorityClass({ value, preemptionPolicy }: NonNullable<AgentSchedulingCustomization['priorityClass']>): KubeObject {
  const object = {
    ...PRIORITY_CLASS,
    metadata: { name: PRIORITY_CLASS_NAME },
    value: value ?? 0,
    description: 'Priority class for Fleet Agent',
    ...(preemptionPolicy ? { preemptionPolicy } : {}),
  }
  return object
}

function disruptionBudget(
  { minAvailable, maxUnavailable }: NonNullable<AgentSchedulingCustomization['podDisruptionBudget']>,
  namespace: string,
): KubeObject {
  // a zero beside the other limit says nothing
  const [asksFor, allows] = [minAvailable && minAvailable !== '0', maxUnavailable && maxUnavailable !== '0']
  if (asksFor && allows) {
    const texts = `minAvailable (${minAvailable}) and maxUnavailable (${maxUnavailable})`
    throw new TerminalError(`agentSchedulingCustomization.podDisruptionBudget has both ${texts}: give one of them`, {
      reason: 'InvalidSpec',
    })
  }
  const isMinimum = minAvailable && (asksFor || !maxUnavailable)
  const limit = isMinimum ? { minAvailable: numberOrText(minAvailable) } : { maxUnavailable: numberOrText(maxUnavailable || '0') }
  const object = {
    ...DISRUPTION_BUDGET,
    metadata: { name: DISRUPTION_BUDGET_NAME, namespace },
    spec: { ...limit, selector: { matchLabels: { app: AGENT_NAME } } },
  }
  return object
}

function numberOrText(text: string): number | string {
  return /^[+-]?\d{1,9}$/.test(text) ? Number(text) : text
}
