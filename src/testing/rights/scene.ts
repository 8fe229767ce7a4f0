// The scene of the story about rights: a hub that writes down what it is asked, controllers each with an account of its own, and agents that join.
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { inject } from 'vitest'
import { type DevCluster, type DevClusters, startClusters } from '../../devcluster/clusters.ts'
import { agentObjects, expectedCluster, hubObjects, importedCluster, SYSTEM_NAMESPACE, WORKSPACE } from '../../devcluster/fleet-objects.ts'
import { createHostProcesses, type HostProcesses } from '../../devcluster/host-process.ts'
import { renderKubeconfig } from '../../devcluster/kubeconfig.ts'
import { freePorts } from '../../devcluster/ports.ts'
import { type ProcessNode, startProcessNode } from '../../devcluster/process-node.ts'
import { applyAll, installCrds, versionOf } from '../../devcluster/world.ts'
import { silentLogger } from '../../lib/controller/log.ts'
import type { KubeClient } from '../../lib/kube/client.ts'
import type { KubeObject } from '../../lib/kube/types.ts'
import { parseYaml } from '../../lib/yaml/parse.ts'
import { SECRET, type Secret, secretText } from '../../registration/kinds.ts'
import { eventually } from '../eventually.ts'
import { program, ROOT } from '../fleet.ts'
import { clientOf } from '../kube.ts'
import { type Asked, type AuditLogs, createAuditLogs } from './audit.ts'
import type { Rule } from './table.ts'

/** A process of fleet-controller. */
export interface HubProgram {
  /** also of its service account */
  readonly name: string
  readonly args: readonly string[]
}

const BOOTSTRAP_ACCOUNT = 'fleet-controller-bootstrap'
export const LOCAL_WORKSPACE = 'fleet-local'
const IMAGES = { hub: 'unused', agent: 'fleet-agent:dev' }
const CONFIG = { agentCheckinInterval: '2s', bootstrap: { namespace: LOCAL_WORKSPACE } }
const NAMES = ['hub', 'down', 'edge'] as const
export type ClusterName = (typeof NAMES)[number]
const RBAC = { apiVersion: 'rbac.authorization.k8s.io/v1' }
const EVERYTHING = [
  { apiGroups: ['*'], resources: ['*'], verbs: ['*'] },
  { nonResourceURLs: ['*'], verbs: ['*'] },
] as unknown as Rule[]
const FEATURES = { IMAGESCAN_ENABLED: 'true', EXPERIMENTAL_SCHEDULES: 'true' }

export class RightsScene {
  #audit: AuditLogs | undefined
  readonly #processes: HostProcesses = createHostProcesses()
  readonly #nodes: ProcessNode[] = []
  readonly #clients = new Map<ClusterName, KubeClient>()
  readonly #metrics: number[] = []
  #clusters: DevClusters | undefined
  /** where pushes are told of */
  webhooks = ''

  /** Starts the clusters; on the hub are the definitions, the configuration, and `rights`. */
  async open(rights: readonly KubeObject[]): Promise<void> {
    const audit = createAuditLogs()
    this.#audit = audit
    this.#clusters = await startClusters({
      names: NAMES,
      bin: inject('clusters').hub.bin,
      // some distributions have this plugin: who makes an owner wait for what it owns needs a right for that
      apiServerArgs: (name) => [...audit.apiServerArgs(name), '--enable-admission-plugins', 'OwnerReferencesPermissionEnforcement'],
    })
    for (const name of NAMES) {
      const client = await clientOf(this.cluster(name).kubeconfig)
      this.#clients.set(name, client)
      this.#nodes.push(await this.#startNode(name, client))
    }
    await installCrds(this.hub, join(ROOT, 'crds'))
    const installed = hubObjects({
      images: IMAGES,
      hub: this.cluster('hub'),
      version: await versionOf(program('fleet-controller')),
      config: CONFIG,
    })
    await applyAll(this.hub, [
      ...installed.filter(({ kind }) => kind === 'Namespace' || kind === 'ConfigMap'),
      ...accountWith(BOOTSTRAP_ACCOUNT, { everywhere: EVERYTHING, own: [] }),
      ...rights,
    ])
  }

  async close(): Promise<void> {
    await this.#processes.close()
    await Promise.all(this.#nodes.map((node) => node.stop()))
    await Promise.all([...this.#clients.values()].map((client) => client.close()))
    await this.#clusters?.stop()
    this.#audit?.remove()
  }

  cluster(name: ClusterName): DevCluster {
    const cluster = this.#clusters?.clusters[name]
    if (!cluster) throw new Error('the scene is not open')
    return cluster
  }

  client(name: ClusterName): KubeClient {
    const client = this.#clients.get(name)
    if (!client) throw new Error('the scene is not open')
    return client
  }

  get hub(): KubeClient {
    return this.client('hub')
  }

  get dir(): string {
    return this.#clusters?.dir ?? ''
  }

  asked(cluster: ClusterName = 'hub'): Asked[] {
    return this.#audit?.asked(cluster) ?? []
  }

  /** Starts a program of the hub as its account. */
  async start({ name, args }: HubProgram): Promise<void> {
    const [metrics = 0, webhooks = 0] = await freePorts(2)
    this.#metrics.push(metrics)
    const { url: server, ca } = this.cluster('hub')
    const kubeconfig = join(this.dir, `${name}.kubeconfig`)
    const user = { token: await this.#token(name) }
    writeFileSync(kubeconfig, renderKubeconfig({ name: 'hub', server, ca, user }), { mode: 0o600 })
    const hasWebhooks = name === 'gitrepo' || name === 'gitjob'
    if (hasWebhooks) this.webhooks = `http://127.0.0.1:${webhooks}`
    const address = `127.0.0.1:${metrics}`
    this.#processes.start({
      name,
      command: [
        process.execPath,
        program('fleet-controller'),
        ...args.filter((arg) => !arg.startsWith('--listen')),
        ...(hasWebhooks ? [`--listen=127.0.0.1:${webhooks}`] : []),
      ],
      logFile: join(this.dir, `${name}.log`),
      cwd: this.dir,
      env: {
        PATH: `${inject('clusters').hub.bin}:${dirname(process.execPath)}:${process.env.PATH ?? ''}`,
        HOME: this.dir,
        KUBECONFIG: kubeconfig,
        NAMESPACE: SYSTEM_NAMESPACE,
        POD_NAME: name,
        FLEET_HEALTHPROBE_BIND_ADDRESS: '0',
        FLEET_METRICS_BIND_ADDRESS: address,
        GITOPS_METRICS_BIND_ADDRESS: address,
        HELMOPS_METRICS_BIND_ADDRESS: address,
        ...FEATURES,
      },
    })
  }

  /** Asks all programs for their metrics, as Prometheus does. */
  async scrape(): Promise<void> {
    for (const port of this.#metrics) {
      const answer = await fetch(`http://127.0.0.1:${port}/metrics`)
      if (!answer.ok) throw new Error(`metrics: ${answer.status} ${await answer.text()}`)
    }
  }

  log(name: string): string {
    return readFileSync(join(this.dir, `${name}.log`), 'utf8')
  }

  /** Does what a user does to import the cluster `down`. */
  async importCluster(): Promise<void> {
    const { kubeconfig } = this.cluster('down')
    await applyAll(this.hub, importedCluster('down', { env: 'test' }, readFileSync(kubeconfig, 'utf8'), this.cluster('hub'), {}))
  }

  /** Makes a token, and installs an agent with it in the cluster `edge`. */
  async registerCluster(): Promise<void> {
    await applyAll(this.hub, expectedCluster('edge', { env: 'edge' }))
    const values = await eventually(async () => {
      const secret = await this.hub.get<Secret>({ ...SECRET, name: 'edge', namespace: WORKSPACE })
      return parseYaml(secretText(secret, 'values')) as Record<string, string>
    })
    await applyAll(this.client('edge'), agentObjects(values, 'edge', IMAGES.agent, {}))
  }

  async #token(account: string): Promise<string> {
    const path = `/api/v1/namespaces/${SYSTEM_NAMESPACE}/serviceaccounts/${account}/token`
    const body = { spec: { expirationSeconds: 7_200 } }
    return (await this.hub.request<{ status: { token: string } }>('POST', path, { body })).status.token
  }

  /** Agents run as pods: the hub installs and removes them. */
  #startNode(name: ClusterName, client: KubeClient): Promise<ProcessNode> {
    const env = {
      PATH: `${inject('clusters').hub.bin}:${dirname(process.execPath)}:${process.env.PATH ?? ''}`,
      FLEET_AGENT_PROBE_BIND_ADDRESS: '0',
      FLEET_AGENT_METRICS_BIND_ADDRESS: '0',
    }
    return startProcessNode({
      client,
      name: `${name}-node`,
      dir: join(this.dir, `${name}-node`),
      log: silentLogger,
      restartDelays: { baseMs: 200, maxMs: 2_000 },
      images: (image, [, ...args]) =>
        image.startsWith('fleet-agent:') ? { command: [process.execPath, program('fleet-agent'), ...args], env } : undefined,
    })
  }
}

/** An account in the system namespace with rights there and everywhere. */
export function accountWith(name: string, rules: { readonly everywhere: readonly Rule[]; readonly own: readonly Rule[] }): KubeObject[] {
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace: SYSTEM_NAMESPACE } }
  return [account, ...role({ name }, rules.everywhere), ...role({ name, namespace: SYSTEM_NAMESPACE }, rules.own)]
}

/** A role of these rules, and its binding to the account of its name. */
function role(metadata: { readonly name: string; readonly namespace?: string }, rules: readonly Rule[]): KubeObject[] {
  const { name } = metadata
  const kind = metadata.namespace ? 'Role' : 'ClusterRole'
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind, name }
  const subjects = [{ kind: 'ServiceAccount', name, namespace: SYSTEM_NAMESPACE }]
  return [
    { ...RBAC, kind, metadata, rules },
    { ...RBAC, kind: `${kind}Binding`, metadata, roleRef, subjects },
  ] as unknown as KubeObject[]
}
