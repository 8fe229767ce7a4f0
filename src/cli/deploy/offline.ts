// A dry run asks no cluster: what rendering wants to know is assumed.
import type { RenderTools } from '../../agent/render/render.ts'
import type { Helm } from '../../lib/helm/helm.ts'
import type { KubeClient } from '../../lib/kube/client.ts'
import type { KubeObject, ResourceType } from '../../lib/kube/types.ts'

/** Kinds of Kubernetes that live in no namespace. */
const CLUSTER_SCOPED: ReadonlySet<string> = new Set(
  [
    'v1: Namespace Node PersistentVolume',
    'rbac.authorization.k8s.io/v1: ClusterRole ClusterRoleBinding',
    'apiextensions.k8s.io/v1: CustomResourceDefinition',
    'admissionregistration.k8s.io/v1: MutatingWebhookConfiguration ValidatingWebhookConfiguration ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding',
    'apiregistration.k8s.io/v1: APIService',
    'storage.k8s.io/v1: StorageClass CSIDriver CSINode VolumeAttachment',
    'scheduling.k8s.io/v1: PriorityClass',
    'networking.k8s.io/v1: IngressClass',
    'node.k8s.io/v1: RuntimeClass',
    'certificates.k8s.io/v1: CertificateSigningRequest',
  ].flatMap((line) => {
    const [apiVersion = '', kinds = ''] = line.split(': ')
    return kinds.split(' ').map((kind) => `${apiVersion} ${kind}`)
  }),
)

/** Whether a kind is known to live in no namespace. */
export function isClusterScoped({ apiVersion, kind }: ResourceType): boolean {
  return CLUSTER_SCOPED.has(`${apiVersion} ${kind}`)
}

/** A client that knows a version, takes every kind to live in a namespace, and refuses everything else. */
export function offlineClient(gitVersion: string): KubeClient {
  const refuse = () => Promise.reject(new Error('a dry run asks no cluster'))
  const [major = '', minor = ''] = gitVersion.replace(/^v/, '').split('.')
  const client: KubeClient = {
    server: 'none',
    serverVersion: async () => ({ major, minor, gitVersion }),
    mapping: async ({ apiVersion, kind }) => {
      const [version = '', group = ''] = apiVersion.split('/').toReversed()
      return { group, version, plural: `${kind.toLowerCase()}s`, namespaced: true, verbs: [] }
    },
    get: refuse,
    find: refuse,
    list: refuse,
    create: refuse,
    update: refuse,
    patch: refuse,
    apply: refuse,
    delete: refuse,
    deleteCollection: refuse,
    watch: () => {
      throw new Error('a dry run asks no cluster')
    },
    request: refuse,
    impersonate: () => client,
    close: async () => {},
  }
  return client
}

/** Tools whose helm never asks a cluster: `lookup` finds nothing, and the kinds are those that helm knows. */
export function offlineTools({ helm, kustomize }: RenderTools, kubeVersion: string): RenderTools {
  const offline: Helm = {
    ...helm,
    template: ({ lookup: _, ...options }, signal) => helm.template({ ...options, kubeVersion }, signal),
    showDefinitions: async () => '',
  }
  return { helm: offline, kustomize }
}

/** Objects that an agent would refuse, because their kind lives in no namespace while the options force one. */
export function refusedByAgents(objects: readonly KubeObject[], namespace: string | undefined): KubeObject[] {
  return namespace ? objects.filter(isClusterScoped) : []
}
