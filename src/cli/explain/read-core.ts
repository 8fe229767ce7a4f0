// The bundles and deployments that belong to a subject.
import type { Bundle } from '../../api/bundle.ts'
import type { BundleDeployment } from '../../api/bundle-deployment.ts'
import type { Cluster } from '../../api/cluster.ts'
import { BUNDLE, BUNDLE_DEPLOYMENT, CLUSTER } from '../../api/kinds.ts'
import { BUNDLE_NAME_LABEL, BUNDLE_NAMESPACE_LABEL, CLUSTER_DISPLAY_NAME_LABEL, HELM_OP_LABEL, REPO_NAME_LABEL } from '../../api/labels.ts'
import type { Subject } from '../../explain/types.ts'
import { keyOf } from '../../lib/controller/keys.ts'
import type { KubeClient, ListOptions } from '../../lib/kube/client.ts'
import type { KubeObject } from '../../lib/kube/types.ts'

/** Which GitRepos and HelmOps to read: one by name, or all of the workspace. */
export interface Makers {
  readonly gitRepo?: string | undefined
  readonly helmOp?: string | undefined
  readonly all?: boolean | undefined
}

export interface Core {
  /** Namespace of the bundles. */
  readonly workspace: string
  readonly bundles: readonly Bundle[]
  readonly bundleDeployments: readonly BundleDeployment[]
  readonly makers: Makers
}

/** Bundles may have a megabyte each. */
const PAGE_OF_BUNDLES = 50

/** The reader of one call. */
interface Reader {
  readonly client: KubeClient
  readonly signal: AbortSignal
}

export async function readCore(client: KubeClient, subject: Subject, signal: AbortSignal): Promise<Core> {
  const reader = { client, signal }
  const core = await coreOf(reader, subject)
  if (
    subject.kind === 'Cluster' ||
    !core.bundleDeployments.some((deployment) => isPending(deployment) && deployment.spec?.dependsOn?.length)
  )
    return core
  // What they depend on are other bundles of the workspace.
  const all = await deployments(reader, { labelSelector: `${BUNDLE_NAMESPACE_LABEL}=${core.workspace}` })
  const known = new Set(core.bundleDeployments.map(keyOf))
  return { ...core, bundleDeployments: [...core.bundleDeployments, ...all.filter((deployment) => !known.has(keyOf(deployment)))] }
}

/** The agent has not reported the version that is asked for. */
export function isPending({ spec, status }: BundleDeployment): boolean {
  return (spec?.deploymentID ?? '') !== (status?.appliedDeploymentID ?? '')
}

async function coreOf(reader: Reader, { kind, namespace, name }: Subject): Promise<Core> {
  switch (kind) {
    case 'GitRepo':
    case 'HelmOp': {
      const selector = `${kind === 'GitRepo' ? REPO_NAME_LABEL : HELM_OP_LABEL}=${name}`
      const [own, deployed] = await Promise.all([
        bundles(reader, { namespace, labelSelector: selector }),
        deployments(reader, { labelSelector: `${selector},${BUNDLE_NAMESPACE_LABEL}=${namespace}` }),
      ])
      return {
        workspace: namespace,
        bundles: own,
        bundleDeployments: deployed,
        makers: kind === 'GitRepo' ? { gitRepo: name } : { helmOp: name },
      }
    }
    case 'Bundle':
      return ofBundle(reader, namespace, name)
    case 'BundleDeployment':
      return ofDeployment(reader, namespace, name)
    case 'Cluster':
      return ofCluster(reader, namespace, name)
  }
}

async function ofBundle(reader: Reader, namespace: string, name: string): Promise<Core> {
  const [bundle, deployed] = await Promise.all([
    reader.client.find<Bundle>({ ...BUNDLE, name, namespace }, { signal: reader.signal }),
    deployments(reader, { labelSelector: `${BUNDLE_NAME_LABEL}=${name},${BUNDLE_NAMESPACE_LABEL}=${namespace}` }),
  ])
  const { [REPO_NAME_LABEL]: gitRepo, [HELM_OP_LABEL]: helmOp } = bundle?.metadata.labels ?? {}
  return { workspace: namespace, bundles: bundle ? [bundle] : [], bundleDeployments: deployed, makers: { gitRepo, helmOp } }
}

/** By its own namespace, or by that of its bundle. */
async function ofDeployment(reader: Reader, namespace: string, name: string): Promise<Core> {
  const own = await reader.client.find<BundleDeployment>({ ...BUNDLE_DEPLOYMENT, name, namespace }, { signal: reader.signal })
  const { [BUNDLE_NAME_LABEL]: bundle = name, [BUNDLE_NAMESPACE_LABEL]: workspace = namespace } = own?.metadata.labels ?? {}
  const core = await ofBundle(reader, workspace, bundle)
  const isThere = !own || core.bundleDeployments.some((deployment) => keyOf(deployment) === keyOf(own))
  return isThere ? core : { ...core, bundleDeployments: [...core.bundleDeployments, own] }
}

/** All that is or may be deployed to a cluster. Bundles of other workspaces only get there by mappings; they are read with one more list each. */
async function ofCluster(reader: Reader, namespace: string, name: string): Promise<Core> {
  const { client, signal } = reader
  const cluster =
    (await client.find<Cluster>({ ...CLUSTER, name, namespace }, { signal })) ?? (await byDisplayName(reader, namespace, name))
  const deployed = cluster?.status?.namespace ? await deployments(reader, { namespace: cluster.status.namespace }) : []
  const workspaces = new Set([namespace, ...deployed.flatMap(({ metadata }) => metadata.labels?.[BUNDLE_NAMESPACE_LABEL] ?? [])])
  const all = cluster ? await Promise.all([...workspaces].map((workspace) => bundles(reader, { namespace: workspace }))) : []
  return { workspace: namespace, bundles: all.flat(), bundleDeployments: deployed, makers: { all: cluster !== undefined } }
}

async function byDisplayName({ client, signal }: Reader, namespace: string, name: string): Promise<Cluster | undefined> {
  if (!/^[\w.-]{1,63}$/.test(name)) return undefined
  const { items } = await client.list<Cluster>(CLUSTER, { namespace, labelSelector: `${CLUSTER_DISPLAY_NAME_LABEL}=${name}`, signal })
  return items[0]
}

async function bundles({ client, signal }: Reader, options: ListOptions): Promise<Bundle[]> {
  const project = withoutFiles as unknown as (object: KubeObject) => KubeObject
  return (await client.list<Bundle>(BUNDLE, { ...options, pageSize: PAGE_OF_BUNDLES, project, signal })).items
}

function withoutFiles(bundle: Bundle): Bundle {
  const { resources: _, ...spec } = bundle.spec ?? {}
  return { ...bundle, spec }
}

async function deployments({ client, signal }: Reader, options: ListOptions): Promise<BundleDeployment[]> {
  return (await client.list<BundleDeployment>(BUNDLE_DEPLOYMENT, { ...options, signal })).items
}
