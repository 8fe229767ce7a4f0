// The management cluster as a member of its own fleet: Cluster `local` with its kubeconfig, group and repository (spec 2.4).
import { CLUSTER, CLUSTER_GROUP, GIT_REPO } from '../api/kinds.ts'
import { MANAGED_LABEL } from '../api/labels.ts'
import type { Toleration } from '../api/pod-types.ts'
import type { BootstrapConfig } from '../config/hub-config.ts'
import type { KubeObject } from '../lib/kube/types.ts'
import { stringifyYaml } from '../lib/yaml/stringify.ts'
import { NAMESPACE, secretObject } from './kinds.ts'
import { LOCAL_CLUSTER_NAME } from './local-agent.ts'

/** Set id of the local cluster's objects. */
export const LOCAL_SET = 'fleet-bootstrap'
const SECRET_NAME = 'local-cluster'

/** The way to the management cluster from within. */
export interface LocalAccess {
  readonly server: string
  /** PEM; empty when the system's certificates vouch for the server. */
  readonly ca: string
  readonly kubeconfig: string
}

/** Whether the configuration wants the management cluster as a member. */
export function wantsLocal({ namespace }: BootstrapConfig): boolean {
  return namespace !== '' && namespace !== '-'
}

/** A kubeconfig with a token, in YAML as client libraries write it. */
export function tokenKubeconfig(server: string, ca: string, token: string): string {
  const authority = ca ? { 'certificate-authority-data': Buffer.from(ca).toString('base64') } : {}
  return stringifyYaml({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'default',
    clusters: [{ name: 'cluster', cluster: { server, ...authority } }],
    users: [{ name: 'user', user: { token } }],
    contexts: [{ name: 'default', context: { cluster: 'cluster', user: 'user' } }],
  })
}

/** The objects of the set; `tolerations` are those of the controllers, which run where the agent is to run. */
export function localObjects(config: BootstrapConfig, access: LocalAccess, tolerations: readonly Toleration[]): KubeObject[] {
  const { namespace } = config
  const secret = { value: access.kubeconfig, apiServerURL: access.server, apiServerCA: access.ca }
  const cluster = {
    ...CLUSTER,
    metadata: { name: LOCAL_CLUSTER_NAME, namespace, labels: { name: LOCAL_CLUSTER_NAME, ...config.clusterLabels } },
    spec: {
      kubeConfigSecret: SECRET_NAME,
      ...(config.agentNamespace ? { agentNamespace: config.agentNamespace } : {}),
      ...(tolerations.length > 0 ? { agentTolerations: tolerations } : {}),
    },
  }
  const group = {
    ...CLUSTER_GROUP,
    metadata: { name: 'default', namespace },
    spec: { selector: { matchLabels: { name: LOCAL_CLUSTER_NAME } } },
  }
  return [
    { ...NAMESPACE, metadata: { name: namespace } },
    secretObject({ name: SECRET_NAME, namespace, labels: { [MANAGED_LABEL]: 'true' } }, secret),
    group,
    ...repository(config),
    cluster, // last: with it the import begins, and then everything else is there
  ]
}

function repository({ namespace, repo, branch, secret, paths }: BootstrapConfig): KubeObject[] {
  if (!repo) return []
  const spec = {
    repo,
    ...(branch ? { branch } : {}),
    ...(secret ? { clientSecretName: secret } : {}),
    ...(paths.length > 0 ? { paths } : {}),
  }
  const object = { ...GIT_REPO, metadata: { name: 'bootstrap', namespace }, spec }
  return [object]
}
