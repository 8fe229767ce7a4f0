// The caches that registration reads, and how objects refer to each other.
import type { Bundle } from '../api/bundle.ts'
import type { Cluster } from '../api/cluster.ts'
import type { ClusterRegistration } from '../api/cluster-registration.ts'
import type { ClusterRegistrationToken } from '../api/cluster-registration-token.ts'
import { BUNDLE, CLUSTER, CLUSTER_REGISTRATION, CLUSTER_REGISTRATION_TOKEN } from '../api/kinds.ts'
import {
  AGENT_CREDENTIAL_SECRET,
  BUNDLE_DEPLOYMENT_SECRET,
  BUNDLE_VALUES_SECRET,
  CONTROLLER_CONFIG_NAME,
  MANAGED_LABEL,
  SET_HASH_LABEL,
} from '../api/labels.ts'
import type { ConfigMapObject } from '../config/hub-config.ts'
import { keyOf } from '../lib/controller/keys.ts'
import type { Informer, InformerFactory } from '../lib/kube/informer.ts'
import type { KubeObject, ObjectRef, ResourceType } from '../lib/kube/types.ts'
import { DATA_SET } from './bootstrap-data.ts'
import {
  CLUSTER_ROLE,
  CLUSTER_ROLE_BINDING,
  CONFIG_MAP,
  NAMESPACE,
  ROLE,
  ROLE_BINDING,
  SECRET,
  SERVICE_ACCOUNT,
  type Secret,
} from './kinds.ts'
import type { LiveSet } from './object-set.ts'
import { hashOfSet, recordedOwner, type SetIdentity } from './set-identity.ts'

export interface RegistrationInformers {
  readonly configMaps: Informer<ConfigMapObject>
  readonly clusters: Informer<Cluster>
  readonly registrations: Informer<ClusterRegistration>
  readonly tokens: Informer<ClusterRegistrationToken>
  /** Metadata only. */
  readonly namespaces: Informer<KubeObject>
  /** Service accounts, secrets and rights with the label `fleet.cattle.io/managed: true`. */
  readonly managed: Readonly<Record<ManagedKind, Informer<KubeObject>>>
  /** Secrets in which the API server puts tokens of service accounts. */
  readonly accountTokens: Informer<Secret>
  /** Metadata of secrets that may hold a kubeconfig. */
  readonly secretNames: Informer<KubeObject>
  /** Metadata of the ClusterRoles that agents are bound to. */
  readonly dataRoles: Informer<KubeObject>
  /** Bundles that belong to a set: those of the agents. */
  readonly agentBundles: Informer<Bundle>
}

export const MANAGED_KINDS = ['ServiceAccount', 'Secret', 'Role', 'RoleBinding', 'ClusterRole', 'ClusterRoleBinding'] as const
type ManagedKind = (typeof MANAGED_KINDS)[number]

const TYPES: Readonly<Record<ManagedKind, ResourceType>> = {
  ServiceAccount: SERVICE_ACCOUNT,
  Secret: SECRET,
  Role: ROLE,
  RoleBinding: ROLE_BINDING,
  ClusterRole: CLUSTER_ROLE,
  ClusterRoleBinding: CLUSTER_ROLE_BINDING,
}

/** Names of the indexes: caches are shared, so they say whose they are. */
export const BY_CLIENT_ID = 'registration/client-id'
export const BY_KUBECONFIG_SECRET = 'registration/kubeconfig-secret'
const BY_CLUSTER_NAME = 'registration/cluster-name'
const BY_SET = 'registration/set'
const BY_OWNER = 'registration/owner'

const ACCOUNT_TOKEN = 'kubernetes.io/service-account-token'
/** There are many of these, and none is a kubeconfig. */
const NO_KUBECONFIG = [ACCOUNT_TOKEN, AGENT_CREDENTIAL_SECRET, BUNDLE_VALUES_SECRET, BUNDLE_DEPLOYMENT_SECRET, 'helm.sh/release.v1']

/** The caches of a factory; `systemNamespace` is where the configuration lies. */
export function createRegistrationInformers(factory: InformerFactory, systemNamespace: string): RegistrationInformers {
  const managed = MANAGED_KINDS.map((kind) => {
    const indexes = { [BY_SET]: setHashes, [BY_OWNER]: (object: KubeObject) => owners(object) }
    return [kind, factory.informer<KubeObject>({ type: TYPES[kind], labelSelector: `${MANAGED_LABEL}=true`, indexes })]
  })
  return {
    configMaps: factory.informer({
      type: CONFIG_MAP,
      namespace: systemNamespace,
      fieldSelector: `metadata.name=${CONTROLLER_CONFIG_NAME}`,
    }),
    clusters: factory.informer({
      type: CLUSTER,
      indexes: { [BY_CLIENT_ID]: byClientID, [BY_KUBECONFIG_SECRET]: (cluster: Cluster) => maybe(kubeconfigSecretKey(cluster)) },
    }),
    registrations: factory.informer({
      type: CLUSTER_REGISTRATION,
      indexes: {
        [BY_CLIENT_ID]: byClientID,
        [BY_CLUSTER_NAME]: ({ metadata, status }: ClusterRegistration) =>
          status?.clusterName ? [`${metadata.namespace}/${status.clusterName}`] : [],
      },
    }),
    tokens: factory.informer({ type: CLUSTER_REGISTRATION_TOKEN }),
    namespaces: factory.informer({ type: NAMESPACE, metadataOnly: true }),
    managed: Object.fromEntries(managed) as Record<ManagedKind, Informer<KubeObject>>,
    accountTokens: factory.informer({ type: SECRET, fieldSelector: `type=${ACCOUNT_TOKEN}`, project: tokenOnly }),
    secretNames: factory.informer({
      type: SECRET,
      metadataOnly: true,
      fieldSelector: NO_KUBECONFIG.map((type) => `type!=${type}`).join(','),
      project: nameOnly,
    }),
    dataRoles: factory.informer({
      type: CLUSTER_ROLE,
      metadataOnly: true,
      labelSelector: `${SET_HASH_LABEL}=${hashOfSet({ id: DATA_SET })}`,
    }),
    agentBundles: factory.informer({ type: BUNDLE, labelSelector: SET_HASH_LABEL }),
  }
}

/** Key of the kubeconfig secret of a cluster; undefined if it registers by itself. */
export function kubeconfigSecretKey({ metadata, spec }: Cluster): string | undefined {
  if (!spec.kubeConfigSecret) return undefined
  return `${spec.kubeConfigSecretNamespace || metadata.namespace}/${spec.kubeConfigSecret}`
}

/** The index value of a client id in a namespace. */
export function clientKey(namespace: string | undefined, clientID: string): string {
  return `${namespace}/${clientID}`
}

/** The registrations that became a cluster or may become it. */
export function registrationsOf(
  { registrations }: Pick<RegistrationInformers, 'registrations'>,
  { metadata, spec }: Cluster,
): ClusterRegistration[] {
  const asking = spec.clientID ? registrations.by(BY_CLIENT_ID, clientKey(metadata.namespace, spec.clientID)) : []
  return [...new Set([...registrations.by(BY_CLUSTER_NAME, keyOf({ metadata })), ...asking])]
}

/** Keys of the clusters that a registration became or may become. */
export function clustersOfRegistration(
  { clusters }: Pick<RegistrationInformers, 'clusters'>,
  { metadata, spec, status }: ClusterRegistration,
): string[] {
  const asked = spec.clientID ? clusters.by(BY_CLIENT_ID, clientKey(metadata.namespace, spec.clientID)).map(keyOf) : []
  return [...new Set([...asked, ...(status?.clusterName ? [`${metadata.namespace}/${status.clusterName}`] : [])])]
}

/** The live members of a set among the managed kinds. */
export function managedSet({ managed }: Pick<RegistrationInformers, 'managed'>, set: SetIdentity): LiveSet {
  const hash = hashOfSet(set)
  return {
    find: ({ kind, name, namespace }) => (isManagedKind(kind) ? managed[kind].get(name, namespace) : undefined),
    members: MANAGED_KINDS.flatMap((kind) => managed[kind].by(BY_SET, hash)),
  }
}

/** The index value of an owner that is recorded on members of its set. */
function ownerKey(owner: ObjectRef): string {
  return `${owner.kind}|${keyOf(owner)}`
}

/** Managed objects whose annotations name this owner. */
export function recordedMembers({ managed }: Pick<RegistrationInformers, 'managed'>, owner: ObjectRef): KubeObject[] {
  return MANAGED_KINDS.flatMap((kind) => managed[kind].by(BY_OWNER, ownerKey(owner)))
}

function isManagedKind(kind: string): kind is ManagedKind {
  return (MANAGED_KINDS as readonly string[]).includes(kind)
}

function byClientID({ metadata, spec }: Cluster | ClusterRegistration): readonly string[] {
  return spec.clientID ? [clientKey(metadata.namespace, spec.clientID)] : []
}

function setHashes({ metadata }: KubeObject): readonly string[] {
  return maybe(metadata.labels?.[SET_HASH_LABEL])
}

function owners(object: KubeObject): readonly string[] {
  const owner = recordedOwner(object)
  return owner ? [ownerKey(owner)] : []
}

function maybe(value: string | undefined): readonly string[] {
  return value ? [value] : []
}

/** Certificates and namespace, which the API server adds, are the same in all. */
function tokenOnly(secret: Secret): Secret {
  const token = secret.data?.token
  return { ...secret, data: token ? { token } : {} }
}

function nameOnly(secret: KubeObject): KubeObject {
  const { name, namespace, uid, resourceVersion } = secret.metadata
  return {
    ...secret,
    metadata: { name, ...(namespace ? { namespace } : {}), ...(uid ? { uid } : {}), ...(resourceVersion ? { resourceVersion } : {}) },
  }
}
