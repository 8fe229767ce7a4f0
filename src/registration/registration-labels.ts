// The labels that an agent asks for: which of them its cluster may have, and why the others are left out (spec 3.4).
import type { ClusterRegistration } from '../api/cluster-registration.ts'
import { CREATED_BY_AGENT_POD_LABEL, FLEET_PREFIX } from '../api/labels.ts'
import type { ConditionUpdate } from '../lib/controller/conditions.ts'
import { labelKeyProblem, labelValueProblem } from '../lib/kube/label-syntax.ts'

type Labels = Readonly<Record<string, string>> | undefined

/** Prefixes of labels that steer what is deployed and what belongs together: an agent must not choose them for itself. */
const RESERVED = [FLEET_PREFIX, 'management.cattle.io/', 'objectset.rio.cattle.io/']
/** Labels that a message names. */
const MAX_NAMED = 20
const MAX_KEY = 80

/** The labels of a registration that its cluster may have. */
export function sanitizedLabels(labels: Labels): Record<string, string> {
  return Object.fromEntries(Object.entries(labels ?? {}).filter(([key, value]) => labelProblem(key, value) === undefined))
}

/** Condition `LabelsAccepted` that names the labels which are left out; undefined if none is. */
export function labelsCondition({ spec }: ClusterRegistration): ConditionUpdate | undefined {
  const dropped = Object.entries(spec.clusterLabels ?? {}).flatMap(([key, value]) => {
    const problem = labelProblem(key, value)
    return problem === undefined ? [] : [`${shortened(key)} (${problem})`]
  })
  if (dropped.length === 0) return undefined
  const more = dropped.length > MAX_NAMED ? `, and ${dropped.length - MAX_NAMED} more` : ''
  const message = `labels of the registration that no cluster gets: ${dropped.sort().slice(0, MAX_NAMED).join(', ')}${more}; remove them from the values of chart fleet-agent`
  return { type: 'LabelsAccepted', status: 'False', reason: 'LabelsDropped', message }
}

function labelProblem(key: string, value: string): string | undefined {
  if (key === CREATED_BY_AGENT_POD_LABEL) return labelValueProblem(value)
  const prefix = RESERVED.find((reserved) => key.startsWith(reserved))
  if (prefix) return `${prefix} is reserved`
  return labelKeyProblem(key) ?? labelValueProblem(value)
}

function shortened(key: string): string {
  return key.length <= MAX_KEY ? key : `${key.slice(0, MAX_KEY - 1).toWellFormed()}…`
}
