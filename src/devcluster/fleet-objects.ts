// The objects that make a hub and its clusters out of empty control planes: what somebody installs and writes; registration does the rest.
import type { KubeObject } from '../lib/kube/types.ts'

/** The system namespace of both programs. */
export const SYSTEM_NAMESPACE = 'cattle-fleet-system'
/** Where the hub keeps the credentials of clusters until their agents have fetched them. */
const REGISTRATION_NAMESPACE = 'cattle-fleet-clusters-system'
/** Where GitRepos and Clusters of users live. */
export const WORKSPACE = 'fleet-default'

const FLEET = 'fleet.cattle.io'
const RBAC = 'rbac.authorization.k8s.io/v1'
const ALL_VERBS = ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete']

type Plain = KubeObject & Record<string, unknown>

interface Rule {
  readonly apiGroups?: readonly string[]
  readonly resources?: readonly string[]
  readonly resourceNames?: readonly string[]
  readonly verbs: readonly string[]
  readonly nonResourceURLs?: readonly string[]
}

function namespace(name: string, labels: Record<string, string> = {}, annotations: Record<string, string> = {}): Plain {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels, annotations } }
}

function serviceAccount(name: string, inNamespace: string): Plain {
  return { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace: inNamespace } }
}

function clusterRole(name: string, rules: readonly Rule[]): Plain {
  return { apiVersion: RBAC, kind: 'ClusterRole', metadata: { name }, rules }
}

interface Binding {
  readonly name: string
  /** undefined: a ClusterRoleBinding */
  readonly namespace?: string
  readonly role: string
  readonly roleKind?: 'Role' | 'ClusterRole'
  readonly account: { readonly name: string; readonly namespace: string }
}

function binding({ name, namespace: inNamespace, role, roleKind = 'ClusterRole', account }: Binding): Plain {
  return {
    apiVersion: RBAC,
    kind: inNamespace ? 'RoleBinding' : 'ClusterRoleBinding',
    metadata: { name, ...(inNamespace ? { namespace: inNamespace } : {}) },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: roleKind, name: role },
    subjects: [{ kind: 'ServiceAccount', ...account }],
  }
}

interface Program {
  readonly name: string
  readonly image: string
  readonly command: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

function deployment({ name, image, command, env }: Program): Plain {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace: SYSTEM_NAMESPACE },
    spec: {
      replicas: 1,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: {
          serviceAccountName: name,
          terminationGracePeriodSeconds: 10,
          containers: [
            {
              name,
              image,
              command,
              env: [
                { name: 'NAMESPACE', valueFrom: { fieldRef: { fieldPath: 'metadata.namespace' } } },
                { name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
                ...Object.entries(env).map(([key, value]) => ({ name: key, value })),
              ],
            },
          ],
        },
      },
    },
  }
}

/** The hub as its clusters reach it. */
export interface HubAddress {
  readonly url: string
  /** PEM */
  readonly ca: string
}

export interface HubInstallation {
  readonly images: { readonly hub: string; readonly agent: string }
  readonly hub: HubAddress
  /** that fleet-controller says of itself */
  readonly version: string
  readonly env?: Readonly<Record<string, string>>
  /** settings beside those that make it work */
  readonly config?: Readonly<Record<string, unknown>> | undefined
}

/** What chart `fleet` leaves on the hub: namespaces, configuration, rights, the controller. CRDs come first. */
export function hubObjects({ images, hub, version, env = {}, config = {} }: HubInstallation): Plain[] {
  const account = { name: 'fleet-controller', namespace: SYSTEM_NAMESPACE }
  const settings = { apiServerURL: hub.url, apiServerCA: base64(hub.ca), agentImage: images.agent, agentTLSMode: 'strict', ...config }
  return [
    ...[SYSTEM_NAMESPACE, REGISTRATION_NAMESPACE, WORKSPACE, 'fleet-local'].map((name) => namespace(name)),
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'fleet-controller', namespace: SYSTEM_NAMESPACE, annotations: { 'fleet.cattle.io/version': version } },
      data: { config: JSON.stringify(settings) },
    },
    serviceAccount(account.name, account.namespace),
    clusterRole('fleet-controller', [
      { apiGroups: [FLEET], resources: ['*'], verbs: ['*'] },
      { apiGroups: [''], resources: ['secrets', 'configmaps', 'namespaces', 'serviceaccounts'], verbs: ALL_VERBS },
      {
        apiGroups: ['rbac.authorization.k8s.io'],
        resources: ['roles', 'rolebindings', 'clusterroles', 'clusterrolebindings'],
        verbs: [...ALL_VERBS, 'escalate', 'bind'],
      },
      { apiGroups: ['events.k8s.io', ''], resources: ['events'], verbs: ['create', 'patch'] },
      { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['get', 'create', 'update', 'patch'] },
    ]),
    binding({ name: 'fleet-controller', role: 'fleet-controller', account }),
    deployment({ name: 'fleet-controller', image: images.hub, command: ['fleetcontroller'], env }),
  ]
}

/** What somebody writes to import a cluster (spec 3.2): its kubeconfig, and how it reaches the hub when not as the configuration says. */
export function importedCluster(
  name: string,
  labels: Readonly<Record<string, string>>,
  kubeconfig: string,
  hub: HubAddress,
  env: Readonly<Record<string, string>>,
): Plain[] {
  const secret = `${name}-kubeconfig`
  const data = { value: kubeconfig, apiServerURL: hub.url, apiServerCA: hub.ca }
  const agentEnvVars = Object.entries(env).map(([key, value]) => ({ name: key, value }))
  return [
    { apiVersion: 'v1', kind: 'Secret', metadata: { name: secret, namespace: WORKSPACE }, data: encoded(data) },
    {
      apiVersion: `${FLEET}/v1alpha1`,
      kind: 'Cluster',
      metadata: { name, namespace: WORKSPACE, labels: { ...labels } },
      spec: { kubeConfigSecret: secret, agentEnvVars },
    },
  ]
}

/** What somebody writes for a cluster that registers itself (spec 3.6): a Cluster with the identity that its agent will claim, and a token to ask with. */
export function expectedCluster(name: string, labels: Readonly<Record<string, string>>): Plain[] {
  const cluster = {
    apiVersion: `${FLEET}/v1alpha1`,
    kind: 'Cluster',
    metadata: { name, namespace: WORKSPACE, labels: { ...labels } },
    spec: { clientID: name },
  }
  const token = {
    apiVersion: `${FLEET}/v1alpha1`,
    kind: 'ClusterRegistrationToken',
    metadata: { name, namespace: WORKSPACE },
    spec: { ttl: '24h' },
  }
  return [cluster, token]
}

/** What chart `fleet-agent` leaves in a cluster, installed with the values of a token: the agent registers itself. */
export function agentObjects(
  values: Readonly<Record<string, string>>,
  clientID: string,
  image: string,
  env: Readonly<Record<string, string>>,
): Plain[] {
  const account = { name: 'fleet-agent', namespace: SYSTEM_NAMESPACE }
  const keys = ['clusterNamespace', 'apiServerURL', 'apiServerCA', 'token', 'tokenName', 'systemRegistrationNamespace']
  const bootstrap = Object.fromEntries(keys.map((key) => [key, values[key] ?? '']))
  return [
    namespace(SYSTEM_NAMESPACE),
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'fleet-agent-bootstrap', namespace: SYSTEM_NAMESPACE },
      data: encoded(bootstrap),
    },
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'fleet-agent', namespace: SYSTEM_NAMESPACE },
      data: { config: JSON.stringify({ clientID, agentTLSMode: 'strict' }) },
    },
    serviceAccount(account.name, account.namespace),
    clusterRole('cattle-fleet-system-fleet-agent-role', [
      { apiGroups: ['*'], resources: ['*'], verbs: ['*'] },
      { nonResourceURLs: ['*'], verbs: ['*'] },
    ]),
    binding({ name: 'cattle-fleet-system-fleet-agent-role-binding', role: 'cattle-fleet-system-fleet-agent-role', account }),
    deployment({ name: 'fleet-agent', image, command: ['fleetagent'], env }),
  ]
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}

function encoded(data: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, base64(value)]))
}
