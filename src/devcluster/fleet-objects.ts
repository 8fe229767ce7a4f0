// The objects that make a hub and its clusters out of empty control planes: what the charts and the registration flow leave behind.
import { clusterNamespace } from '../api/names.ts'
import type { KubeObject } from '../lib/kube/types.ts'

/** The system namespace of both programs. */
export const SYSTEM_NAMESPACE = 'cattle-fleet-system'
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

/** What chart `fleet` leaves on the hub: namespaces, configuration, rights, the controller. CRDs come first. */
export function hubObjects(image: string, env: Readonly<Record<string, string>>): Plain[] {
  const account = { name: 'fleet-controller', namespace: SYSTEM_NAMESPACE }
  return [
    ...[SYSTEM_NAMESPACE, 'cattle-fleet-clusters-system', WORKSPACE, 'fleet-local'].map((name) => namespace(name)),
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'fleet-controller', namespace: SYSTEM_NAMESPACE },
      data: { config: JSON.stringify({ manageAgent: false }) },
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
    clusterRole('fleet-bundle-deployment', [
      { apiGroups: [FLEET], resources: ['bundledeployments'], verbs: ['get', 'list', 'watch'] },
      { apiGroups: [FLEET], resources: ['bundledeployments/status'], verbs: ['update', 'patch'] },
      { apiGroups: [''], resources: ['secrets', 'configmaps'], verbs: ['get'] },
    ]),
    clusterRole('fleet-content', [{ apiGroups: [FLEET], resources: ['contents'], verbs: ['get'] }]),
    deployment({ name: 'fleet-controller', image, command: ['fleetcontroller'], env }),
  ]
}

/** A cluster of the workspace, its namespace on the hub, and the account of its agent. */
export interface MemberCluster {
  readonly cluster: Plain
  /** the namespace of its BundleDeployments; also Cluster.status.namespace */
  readonly namespace: string
  readonly account: string
  readonly objects: readonly Plain[]
}

/** What a granted ClusterRegistration leaves on the hub (spec 3.4), the Cluster itself included. */
export function memberCluster(name: string, labels: Readonly<Record<string, string>>): MemberCluster {
  const inNamespace = clusterNamespace(WORKSPACE, name)
  const request = `request-${name}`
  const account = { name: request, namespace: inNamespace }
  return {
    cluster: {
      apiVersion: `${FLEET}/v1alpha1`,
      kind: 'Cluster',
      metadata: { name, namespace: WORKSPACE, labels: { ...labels } },
      spec: { clientID: `client-${name}` },
    },
    namespace: inNamespace,
    account: request,
    objects: [
      namespace(inNamespace, { [`${FLEET}/managed`]: 'true' }, { [`${FLEET}/cluster`]: name, [`${FLEET}/cluster-namespace`]: WORKSPACE }),
      serviceAccount(request, inNamespace),
      {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: `${request}-token`, namespace: inNamespace, annotations: { 'kubernetes.io/service-account.name': request } },
        type: 'kubernetes.io/service-account-token',
      },
      binding({ name: request, namespace: inNamespace, role: 'fleet-bundle-deployment', account }),
      binding({ name: `${request}-content`, role: 'fleet-content', account }),
      {
        apiVersion: RBAC,
        kind: 'Role',
        metadata: { name: request, namespace: WORKSPACE },
        rules: [{ apiGroups: [FLEET], resources: ['clusters/status'], resourceNames: [name], verbs: ['patch'] }],
      },
      binding({ name: request, namespace: WORKSPACE, role: request, roleKind: 'Role', account }),
    ],
  }
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}

/** What chart `fleet-agent` and a finished registration leave in a cluster: credential, configuration, rights, the agent. */
export function agentObjects(member: MemberCluster, hubKubeconfig: string, image: string, env: Readonly<Record<string, string>>): Plain[] {
  const account = { name: 'fleet-agent', namespace: SYSTEM_NAMESPACE }
  const credential = {
    kubeconfig: hubKubeconfig,
    deploymentNamespace: member.namespace,
    clusterNamespace: WORKSPACE,
    clusterName: member.cluster.metadata.name,
  }
  return [
    namespace(SYSTEM_NAMESPACE),
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'fleet-agent', namespace: SYSTEM_NAMESPACE },
      data: Object.fromEntries(Object.entries(credential).map(([key, value]) => [key, base64(value)])),
    },
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'fleet-agent', namespace: SYSTEM_NAMESPACE }, data: { config: '{}' } },
    serviceAccount(account.name, account.namespace),
    clusterRole('cattle-fleet-system-fleet-agent-role', [
      { apiGroups: ['*'], resources: ['*'], verbs: ['*'] },
      { nonResourceURLs: ['*'], verbs: ['*'] },
    ]),
    binding({ name: 'cattle-fleet-system-fleet-agent-role-binding', role: 'cattle-fleet-system-fleet-agent-role', account }),
    deployment({ name: 'fleet-agent', image, command: ['fleetagent'], env }),
  ]
}
