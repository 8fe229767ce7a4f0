// Hashes in a Cluster's status by which the hub sees that an agent must be installed again (spec 0.3).
import { createHash } from 'node:crypto'
import { type GoType, goList, goText } from '../lib/json/go-struct.ts'
import type { ClusterSpec } from './cluster.ts'
import { goAffinity, goEnvVar, goResourceRequirements, goSchedulingCustomization, goToleration } from './go-types.ts'

/** One hash a field of `Cluster.spec`; empty where the field is not set. */
export interface AgentHashes {
  agentEnvVars: string
  agentTolerations: string
  agentAffinity: string
  agentResources: string
  agentSchedulingCustomization: string
}

const envVars = goList(goEnvVar)
const tolerations = goList(goToleration)

/** Hashes of what a Cluster says of its agent's pods. Lists hash as empty when they have no entries, `{}` does not. */
export function agentHashes(spec: ClusterSpec): AgentHashes {
  return {
    agentEnvVars: hash(envVars, spec.agentEnvVars),
    agentTolerations: hash(tolerations, spec.agentTolerations),
    agentAffinity: hash(goAffinity, spec.agentAffinity),
    agentResources: hash(goResourceRequirements, spec.agentResources),
    agentSchedulingCustomization: hash(goSchedulingCustomization, spec.agentSchedulingCustomization),
  }
}

function hash(type: GoType, value: unknown): string {
  if (value === undefined || value === null || type.isEmpty(value)) return ''
  return sha224(type.write(value))
}

/** The hash of the certificates that an agent trusts: over the JSON of the bytes, which is base64 in quotes (spec 12). */
export function caHash(certificates: Uint8Array): string {
  return sha224(goText.write(Buffer.from(certificates).toString('base64')))
}

function sha224(text: string): string {
  return createHash('sha224').update(text).digest('hex')
}
