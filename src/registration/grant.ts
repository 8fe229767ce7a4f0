// What a ClusterRegistration leads to: a cluster, an account for its agent, and the least rights that the agent needs (spec 3.4).
import type { Cluster } from '../api/cluster.ts'
import type { ClusterRegistration } from '../api/cluster-registration.ts'
import type { ClusterRegistrationToken } from '../api/cluster-registration-token.ts'
import { CLUSTER, FLEET_GROUP } from '../api/kinds.ts'
import {
  AGENT_CREDENTIAL_SECRET,
  CLUSTER_FINALIZER,
  CLUSTER_LABEL,
  CLUSTER_REGISTRATION_ANNOTATION,
  CLUSTER_REGISTRATION_NAMESPACE_ANNOTATION,
  MANAGED_LABEL,
  REGISTRATION_TOKEN_LABEL,
} from '../api/labels.ts'
import { importTokenName, registeredClusterName, registrationNamespace, registrationSecretName, safeConcatName } from '../api/names.ts'
import type { Informer } from '../lib/kube/informer.ts'
import type { KubeObject } from '../lib/kube/types.ts'
import { BUNDLE_DEPLOYMENT_ROLE, CONTENT_ROLE } from './bootstrap-data.ts'
import { bindingObject, type NamespacedName, roleObject, SERVICE_ACCOUNT, secretObject } from './kinds.ts'
import { sanitizedLabels } from './registration-labels.ts'
import { tokenAccount } from './token.ts'

/** Set id of what belongs to a registration. */
export const REGISTRATION_SET = 'cluster-registration'
const MANAGED = { [MANAGED_LABEL]: 'true' }

/** The cluster that a client becomes that nobody knows yet. */
export function newCluster({ metadata, spec }: ClusterRegistration, ignoreLabels: boolean): Cluster {
  const clientID = spec.clientID ?? ''
  const name = registeredClusterName(clientID)
  const labels = { ...(ignoreLabels ? {} : sanitizedLabels(spec.clusterLabels)), [CLUSTER_LABEL]: name }
  return {
    ...CLUSTER,
    metadata: { name, namespace: metadata.namespace ?? '', labels, finalizers: [CLUSTER_FINALIZER] },
    spec: { clientID },
  }
}

/**
 * Whether `other` is a registration of the client that `request` takes the place of: an earlier one. Times are to the second; within one, whoever is granted makes room
 * for whoever comes then, and of two that were granted at once one stays.
 */
export function isReplacedBy(other: ClusterRegistration, request: ClusterRegistration): boolean {
  if (other.metadata.name === request.metadata.name || other.spec.clientID !== request.spec.clientID) return false
  if (other.spec.clientRandom === request.spec.clientRandom) return false
  const later = Date.parse(request.metadata.creationTimestamp ?? '') - Date.parse(other.metadata.creationTimestamp ?? '')
  if (later !== 0 || !other.status?.granted) return later > 0
  return !request.status?.granted || other.metadata.name < request.metadata.name
}

/** The account of the agent that made a request, in the namespace of its cluster. */
export function requestAccount({ metadata }: ClusterRegistration, clusterNamespace: string): NamespacedName {
  return { name: safeConcatName(metadata.name, metadata.uid ?? ''), namespace: clusterNamespace }
}

/** The token that an agent came with: the one that it names, or else that of its cluster's import, which agents of old releases don't name (spec 3.4). */
export function tokenOf(
  tokens: Pick<Informer<ClusterRegistrationToken>, 'get'>,
  { metadata: { labels, namespace } }: ClusterRegistration,
  cluster: Cluster,
): ClusterRegistrationToken | undefined {
  const named = tokens.get(labels?.[REGISTRATION_TOKEN_LABEL] ?? '', namespace)
  return named ?? tokens.get(importTokenName(cluster.metadata.name), namespace)
}

/** Everything that grants of one registration are made of. */
export interface Grant {
  readonly request: ClusterRegistration
  readonly cluster: Cluster
  /** Namespace of the cluster's deployments. */
  readonly clusterNamespace: string
  /** The token that the agent came with, if it is known. */
  readonly token: ClusterRegistrationToken | undefined
  readonly systemNamespace: string
}

/** The agent's account. */
export function requestAccountObject({ request, cluster, clusterNamespace }: Grant): KubeObject {
  const annotations = {
    [CLUSTER_LABEL]: cluster.metadata.name,
    [CLUSTER_REGISTRATION_ANNOTATION]: request.metadata.name,
    [CLUSTER_REGISTRATION_NAMESPACE_ANNOTATION]: request.metadata.namespace ?? '',
  }
  return { ...SERVICE_ACCOUNT, metadata: { ...requestAccount(request, clusterNamespace), labels: MANAGED, annotations } }
}

/** The agent's rights: its own deployments, contents by name, and to say how its cluster is; and the right of its token to fetch its credential. */
export function grantedRights(grant: Grant): KubeObject[] {
  const { request, cluster, clusterNamespace } = grant
  const { name, namespace = '' } = request.metadata
  const account = requestAccount(request, clusterNamespace)
  return [
    requestAccountObject(grant),
    roleObject({ name, namespace, labels: MANAGED }, [
      { verbs: ['patch'], apiGroups: [FLEET_GROUP], resources: ['clusters/status'], resourceNames: [cluster.metadata.name] },
    ]),
    bindingObject({ name, namespace, labels: MANAGED }, { kind: 'Role', name }, account),
    bindingObject({ name, namespace: clusterNamespace, labels: MANAGED }, { kind: 'ClusterRole', name: BUNDLE_DEPLOYMENT_ROLE }, account),
    bindingObject({ name: safeConcatName(name, 'content'), labels: MANAGED }, { kind: 'ClusterRole', name: CONTENT_ROLE }, account),
    ...credentialRights(grant),
  ]
}

function credentialRights({ request, cluster, token, systemNamespace }: Grant): KubeObject[] {
  if (!token) return []
  const account = tokenAccount(token)
  const imported = token.metadata.name === importTokenName(cluster.metadata.name)
  const owner = imported ? account.name : request.metadata.name
  const metadata = { name: safeConcatName(owner, 'creds'), namespace: registrationNamespace(systemNamespace), labels: MANAGED }
  const rule = { verbs: ['get'], apiGroups: [''], resources: ['secrets'], resourceNames: [credentialName(request)] }
  return [roleObject(metadata, [rule]), bindingObject(metadata, { kind: 'Role', name: metadata.name }, account)]
}

/** The secret that the agent waits for: only who knows both its texts can name it. */
export function credentialName({ spec }: ClusterRegistration): string {
  return registrationSecretName(spec.clientID ?? '', spec.clientRandom ?? '')
}

/** The credential of the agent. */
export function credentialSecret({ request, cluster, clusterNamespace, systemNamespace }: Grant, token: string): KubeObject {
  const { name, namespace = '' } = cluster.metadata
  const metadata = {
    name: credentialName(request),
    namespace: registrationNamespace(systemNamespace),
    labels: { ...MANAGED, [CLUSTER_LABEL]: name },
  }
  const data = { token, deploymentNamespace: clusterNamespace, clusterNamespace: namespace, clusterName: name, systemNamespace }
  return secretObject(metadata, data, AGENT_CREDENTIAL_SECRET)
}
