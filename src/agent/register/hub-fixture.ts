// For tests: the hub's side of registration, played with an administrator's rights.
import { randomBytes } from 'node:crypto'
import type { ClusterRegistration } from '../../api/cluster-registration.ts'
import { CLUSTER_REGISTRATION, FLEET_GROUP } from '../../api/kinds.ts'
import { registrationSecretName } from '../../api/names.ts'
import type { Clock } from '../../lib/controller/clock.ts'
import type { Logger } from '../../lib/controller/log.ts'
import type { KubeClient } from '../../lib/kube/client.ts'
import type { KubeObject, ObjectRef } from '../../lib/kube/types.ts'

const RBAC = 'rbac.authorization.k8s.io/v1'
const GRANT_EVERY_MS = 50

export interface FakeHub {
  /** Namespace of the requests. */
  readonly workspace: string
  /** Namespace of the BundleDeployments. */
  readonly deploymentNamespace: string
  /** What the bootstrap secret is made of; `token` is that of the import account. */
  readonly bootstrap: Readonly<Record<string, string>>
  /** Tokens that were handed out, the bootstrap token included. */
  readonly tokens: readonly string[]
  requests(): Promise<ClusterRegistration[]>
  /** Ends all credentials that were granted so far. */
  revoke(): Promise<void>
  stop(): Promise<void>
}

/** Namespaces, an import account, and a loop that grants what is asked for. */
export async function startFakeHub(client: KubeClient, cluster: { readonly url: string; readonly ca: string }): Promise<FakeHub> {
  const [workspace = '', registrations = '', deploymentNamespace = ''] = await Promise.all(
    ['workspace', 'registrations', 'cluster'].map((prefix) => createNamespace(client, prefix)),
  )
  const importer = { name: 'importer', namespace: workspace }
  const bootstrapToken = await account(importer)
  const tokens = [bootstrapToken]
  const accounts = new Set<string>()
  const stopping = new AbortController()
  await allow(importer, workspace, { apiGroups: [FLEET_GROUP], resources: ['clusterregistrations'], verbs: ['create'] })

  async function account(ref: { name: string; namespace: string }): Promise<string> {
    await client.create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: ref })
    const path = `/api/v1/namespaces/${ref.namespace}/serviceaccounts/${ref.name}/token`
    const answer = await client.request<{ status: { token: string } }>('POST', path, { body: { spec: { expirationSeconds: 7200 } } })
    return answer.status.token
  }

  async function allow(subject: { name: string; namespace: string }, namespace: string, rule: object, name = subject.name): Promise<void> {
    await client.create({ apiVersion: RBAC, kind: 'Role', metadata: { name, namespace }, rules: [rule] } as KubeObject)
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name }
    const subjects = [{ kind: 'ServiceAccount', ...subject }]
    await client.create({ apiVersion: RBAC, kind: 'RoleBinding', metadata: { name, namespace }, roleRef, subjects } as KubeObject)
  }

  async function requests(): Promise<ClusterRegistration[]> {
    return (await client.list<ClusterRegistration>(CLUSTER_REGISTRATION, { namespace: workspace })).items
  }

  async function grant({ metadata: { name }, spec }: ClusterRegistration): Promise<void> {
    const { clientID = '', clientRandom = '' } = spec
    const secret = registrationSecretName(clientID, clientRandom)
    accounts.add(name)
    const token = await account({ name, namespace: deploymentNamespace })
    tokens.push(token)
    const texts = { token, deploymentNamespace, clusterNamespace: workspace, clusterName: 'granted', systemNamespace: 'system' }
    const data = Object.fromEntries(Object.entries(texts).map(([key, value]) => [key, encode(value)]))
    await client.create({ apiVersion: 'v1', kind: 'Secret', metadata: { name: secret, namespace: registrations }, data } as KubeObject)
    await allow(importer, registrations, { apiGroups: [''], resources: ['secrets'], resourceNames: [secret], verbs: ['get'] }, name)
    await allow({ name, namespace: deploymentNamespace }, deploymentNamespace, {
      apiGroups: [FLEET_GROUP],
      resources: ['bundledeployments'],
      verbs: ['list'],
    })
    const status = { granted: true, clusterName: 'granted' }
    await client.patch({ ...CLUSTER_REGISTRATION, namespace: workspace, name }, { status }, { type: 'merge', subresource: 'status' })
  }

  async function grantAll(): Promise<void> {
    while (!stopping.signal.aborted) {
      for (const request of await requests()) if (!request.status?.granted) await grant(request)
      await new Promise((resolve) => setTimeout(resolve, GRANT_EVERY_MS))
    }
  }

  const granting = grantAll()
  granting.catch(() => {}) // heard of by stop
  return {
    workspace,
    deploymentNamespace,
    bootstrap: {
      apiServerURL: cluster.url,
      apiServerCA: cluster.ca,
      token: bootstrapToken,
      tokenName: 'join',
      clusterNamespace: workspace,
      systemRegistrationNamespace: registrations,
    },
    tokens,
    requests,
    async revoke() {
      for (const name of accounts) await client.delete({ apiVersion: 'v1', kind: 'ServiceAccount', namespace: deploymentNamespace, name })
      accounts.clear()
    },
    async stop() {
      stopping.abort()
      await granting
      for (const name of [workspace, registrations, deploymentNamespace]) await client.delete({ apiVersion: 'v1', kind: 'Namespace', name })
    },
  }
}

interface DataObject extends KubeObject {
  data?: Record<string, string>
}

/** The agent's namespace in its own cluster, and what is in it. */
export interface AgentPlace {
  readonly namespace: string
  putSecret(name: string, texts: Readonly<Record<string, string>>): Promise<void>
  /** The texts of a secret; undefined when there is none. */
  secret(name: string): Promise<Record<string, string> | undefined>
  drop(name: string): Promise<void>
}

/** A new namespace with the agent's ConfigMap. */
export async function createAgentPlace(client: KubeClient, config: object): Promise<AgentPlace> {
  const namespace = await createNamespace(client, 'agent')
  const data = { config: JSON.stringify(config) }
  await client.create<DataObject>({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'fleet-agent', namespace }, data })
  const refOf = (name: string): ObjectRef => ({ apiVersion: 'v1', kind: 'Secret', namespace, name })
  return {
    namespace,
    async putSecret(name, texts) {
      const encoded = Object.fromEntries(Object.entries(texts).map(([key, value]) => [key, encode(value)]))
      await client.apply({ apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace }, data: encoded } as KubeObject, {
        fieldManager: 'test',
        force: true,
      })
    },
    async secret(name) {
      const found = await client.find<DataObject>(refOf(name))
      return (
        found &&
        Object.fromEntries(Object.entries(found.data ?? {}).map(([key, value]) => [key, Buffer.from(value, 'base64').toString('utf8')]))
      )
    },
    drop: async (name) => void (await client.delete(refOf(name))),
  }
}

/** Time that passes faster. */
export function createFastClock(speed: number): Clock {
  const start = Date.now()
  return {
    now: () => start + (Date.now() - start) * speed,
    setTimeout: (fn, ms) => setTimeout(fn, Math.min(Math.max(ms, 0) / speed, 2 ** 31 - 1)),
    clearTimeout: (handle) => clearTimeout(handle as NodeJS.Timeout | undefined),
  }
}

export interface CapturedLog extends Logger {
  /** Each line as JSON: level, message, fields. Errors with message, stack and causes. */
  readonly lines: readonly string[]
}

/** A log that can be searched. */
export function captureLog(): CapturedLog {
  const lines: string[] = []
  const at = (level: string) => (fields: object, message: string) =>
    void lines.push(JSON.stringify({ level, message, ...fields }, errorsToo))
  const log: CapturedLog = { lines, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error'), child: () => log }
  return log
}

function errorsToo(_: string, value: unknown): unknown {
  return value instanceof Error ? { ...value, message: value.message, stack: value.stack, cause: value.cause } : value
}

async function createNamespace(client: KubeClient, prefix: string): Promise<string> {
  const name = `${prefix}-${randomBytes(5).toString('hex')}`
  await client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })
  return name
}

function encode(text: string): string {
  return Buffer.from(text).toString('base64')
}
