// What a ClusterRegistrationToken stands for: an account that may ask for registrations in its namespace, and the values an agent needs (spec 3.3).
import type { ClusterRegistrationToken } from '../api/cluster-registration-token.ts'
import { FLEET_GROUP } from '../api/kinds.ts'
import { CLUSTER_REGISTRATION_VALUES_SECRET, MANAGED_LABEL } from '../api/labels.ts'
import { registrationNamespace, safeConcatName } from '../api/names.ts'
import type { HubConfig } from '../config/hub-config.ts'
import { TerminalError } from '../lib/controller/errors.ts'
import { parseDurationMs } from '../lib/duration/duration.ts'
import type { KubeObject } from '../lib/kube/types.ts'
import { stringifyYaml } from '../lib/yaml/stringify.ts'
import { bindingObject, type NamespacedName, roleObject, SERVICE_ACCOUNT, secretObject } from './kinds.ts'

/** Set id of what belongs to a token. */
export const TOKEN_SET = 'cluster-group-token'
/** The namespace that agents expect the hub's system in when nobody tells them another. */
const USUAL_SYSTEM_NAMESPACE = 'cattle-fleet-system'

/** How long a token is good. */
export type TokenLife =
  | { readonly state: 'endless' }
  /** `expires` is in milliseconds. */
  | { readonly state: 'good' | 'expired'; readonly expires: number }
  /** A life time is required and not given. */
  | { readonly state: 'refused' }

/** Decides about the life of a token; it ends exactly `ttl` after it was created. `now` is in milliseconds. Throws TerminalError for a ttl that is none. */
export function tokenLife(token: ClusterRegistrationToken, ttlRequired: boolean, now: number): TokenLife {
  const ttl = ttlMs(token)
  if (ttl <= 0) return ttlRequired ? { state: 'refused' } : { state: 'endless' }
  const expires = Date.parse(token.metadata.creationTimestamp ?? '') + ttl
  return { state: now > expires ? 'expired' : 'good', expires }
}

// definitions of other releases do not check it
function ttlMs({ spec: { ttl } }: ClusterRegistrationToken): number {
  try {
    return ttl ? parseDurationMs(ttl) : 0
  } catch {
    throw new TerminalError(`spec.ttl "${ttl}" is not a duration: write one such as 90s, 15m or 1h30m`, { reason: 'InvalidSpec' })
  }
}

/** The account of a token. */
export function tokenAccount({ metadata }: ClusterRegistrationToken): NamespacedName {
  return { name: safeConcatName(metadata.name, metadata.uid ?? ''), namespace: metadata.namespace ?? '' }
}

/** The account, and the one right it has: to create registrations in its namespace. */
export function tokenRights(token: ClusterRegistrationToken): KubeObject[] {
  const account = tokenAccount(token)
  const labels = { [MANAGED_LABEL]: 'true' }
  const role = safeConcatName(account.name, 'role')
  return [
    { ...SERVICE_ACCOUNT, metadata: { ...account, labels } },
    roleObject({ namespace: account.namespace, name: role, labels }, [
      { verbs: ['create'], apiGroups: [FLEET_GROUP], resources: ['clusterregistrations'] },
    ]),
    bindingObject(
      { namespace: account.namespace, name: safeConcatName(account.name, 'to', 'role'), labels },
      { kind: 'Role', name: role },
      account,
    ),
  ]
}

/** The secret with what the chart of the agent needs, named as the token. */
export function tokenValuesSecret(
  { metadata: { name, namespace = '' } }: ClusterRegistrationToken,
  accountToken: string,
  config: HubConfig,
  systemNamespace: string,
): KubeObject {
  const values = {
    clusterNamespace: namespace,
    apiServerURL: config.apiServerURL,
    apiServerCA: config.apiServerCA.toString('utf8'),
    token: accountToken,
    tokenName: name,
    systemRegistrationNamespace: registrationNamespace(systemNamespace),
    ...(systemNamespace === USUAL_SYSTEM_NAMESPACE ? {} : { internal: { systemNamespace } }),
  }
  const metadata = { name, namespace, labels: { [MANAGED_LABEL]: 'true' } }
  return secretObject(metadata, { values: stringifyYaml(values) }, CLUSTER_REGISTRATION_VALUES_SECRET)
}
