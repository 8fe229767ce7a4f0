// What registration may never leave behind on a hub: objects of something that is gone, a second account or credential of one cluster.
import type { Cluster } from '../api/cluster.ts'
import type { ClusterRegistration } from '../api/cluster-registration.ts'
import { CLUSTER, CLUSTER_REGISTRATION, CLUSTER_REGISTRATION_TOKEN } from '../api/kinds.ts'
import { AGENT_CREDENTIAL_SECRET, CLUSTER_LABEL, CLUSTER_NAMESPACE_LABEL } from '../api/labels.ts'
import { clusterNamespace, registrationSecretName } from '../api/names.ts'
import type { KubeClient } from '../lib/kube/client.ts'
import type { KubeObject } from '../lib/kube/types.ts'
import { CLUSTER_ROLE_BINDING, NAMESPACE, ROLE, ROLE_BINDING, SECRET, SERVICE_ACCOUNT, type Secret } from '../registration/kinds.ts'
import { recordedOwner } from '../registration/set-identity.ts'

const MADE = [SERVICE_ACCOUNT, SECRET, ROLE, ROLE_BINDING, CLUSTER_ROLE_BINDING]
const OWNERS = [CLUSTER, CLUSTER_REGISTRATION, CLUSTER_REGISTRATION_TOKEN, NAMESPACE]
const ACCOUNT = 'kubernetes.io/service-account.name'

/** One sentence for each object that should not be there; none when all is well. Agents may have fetched their credentials or not. */
export async function leftovers(hub: KubeClient): Promise<string[]> {
  const lists = await Promise.all([...MADE, ...OWNERS].map(async (type) => (await hub.list<KubeObject>(type)).items))
  const objects = lists.flat()
  const known = new Set(objects.map(keyOf))
  const registrations = objects.filter(({ kind }) => kind === CLUSTER_REGISTRATION.kind) as ClusterRegistration[]
  const clusters = objects.filter(({ kind }) => kind === CLUSTER.kind) as Cluster[]
  return [
    ...objects.filter((object) => isOrphan(object, known)).map((object) => `${keyOf(object)} belongs to nobody`),
    ...credentials(objects, registrations),
    ...clusters.flatMap((cluster) => duplicates(cluster, objects, registrations)),
  ]
}

function isOrphan(object: KubeObject, known: ReadonlySet<string>): boolean {
  const { annotations, namespace } = object.metadata
  if (object.kind === NAMESPACE.kind) {
    const [name, inNamespace] = [annotations?.[CLUSTER_LABEL], annotations?.[CLUSTER_NAMESPACE_LABEL]]
    return name !== undefined && !known.has(`Cluster ${inNamespace}/${name}`)
  }
  const account = object.kind === SECRET.kind ? annotations?.[ACCOUNT] : undefined
  if (account && !known.has(`ServiceAccount ${namespace}/${account}`)) return true
  const owner = recordedOwner(object)
  if (!owner || !OWNERS.some(({ kind }) => kind === owner.kind)) return false
  return !known.has(keyOf({ ...owner, metadata: { name: owner.name, ...(owner.namespace ? { namespace: owner.namespace } : {}) } }))
}

function credentials(objects: readonly KubeObject[], registrations: readonly ClusterRegistration[]): string[] {
  const expected = new Set(registrations.map(({ spec }) => registrationSecretName(spec.clientID ?? '', spec.clientRandom ?? '')))
  return objects
    .filter((object) => (object as Secret).type === AGENT_CREDENTIAL_SECRET && !expected.has(object.metadata.name))
    .map((secret) => `${keyOf(secret)} is the credential of no registration`)
}

/** A cluster that has registered has one registration, one account and one token of it. */
function duplicates({ metadata, spec }: Cluster, objects: readonly KubeObject[], registrations: readonly ClusterRegistration[]): string[] {
  const { name, namespace = '' } = metadata
  const own = clusterNamespace(namespace, name)
  const mine = registrations.filter((request) => request.metadata.namespace === namespace && request.spec.clientID === spec.clientID)
  const inOwn = (kind: string) => objects.filter((object) => object.kind === kind && object.metadata.namespace === own)
  const accounts = inOwn(SERVICE_ACCOUNT.kind).filter((account) => account.metadata.name !== 'default')
  const tokens = inOwn(SECRET.kind).filter((secret) => secret.metadata.annotations?.[ACCOUNT])
  const bindings = inOwn(ROLE_BINDING.kind)
  return Object.entries({ registrations: mine, accounts, tokens, bindings })
    .filter(([, found]) => found.length > 1)
    .map(([what, found]) => `cluster ${name} has ${found.length} ${what}: ${found.map((object) => object.metadata.name).join(', ')}`)
}

function keyOf({ kind, metadata }: KubeObject): string {
  return `${kind} ${metadata.namespace ? `${metadata.namespace}/` : ''}${metadata.name}`
}
