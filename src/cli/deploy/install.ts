// Deploys into the cluster of the kubeconfig, by the same steps as an agent.

import { createAccounts } from '../../agent/accounts.ts'
import { createDeployer } from '../../agent/deployer.ts'
import { createHelmEngine } from '../../agent/release/helm-engine.ts'
import { createReleaseStore } from '../../agent/release/store.ts'
import type { BundleDeployment } from '../../api/bundle-deployment.ts'
import type { Content } from '../../api/content.ts'
import { CONTENT } from '../../api/kinds.ts'
import type { CliConfig } from '../../config/cli.ts'
import { withTempDir } from '../../lib/exec/temp-dir.ts'
import { createClient, type KubeClient } from '../../lib/kube/client.ts'
import type { KubeObject, ObjectRef } from '../../lib/kube/types.ts'
import { type Cluster, fixedCache } from '../cluster.ts'
import { renderTools } from './tools.ts'

export interface InstallInput {
  readonly deployment: BundleDeployment
  readonly content: Content
  /** annotated on the release: the agent of this namespace takes it for its own; empty for none */
  readonly agentNamespace: string
  readonly cluster: Cluster
  readonly config: CliConfig
  readonly signal: AbortSignal
}

/** Where accounts that options name are looked up when no agent is named. */
const ACCOUNTS_NAMESPACE = 'cattle-fleet-system'

/** Installs or upgrades the release, and returns its objects. What only agents do is left out: dependencies and copies of resources of the hub. */
export async function install({
  deployment,
  content,
  agentNamespace,
  cluster,
  config,
  signal,
}: InstallInput): Promise<readonly KubeObject[]> {
  const { connection, client } = cluster
  return withTempDir(config.tempDir, 'fleet-deploy-', async (workDir) => {
    const tools = await renderTools(config, workDir)
    const store = createReleaseStore(client, fixedCache<KubeObject>([]))
    const engine = createHelmEngine({ helm: tools.helm, store, client, workDir })
    const accounts = createAccounts({ connection, client, namespace: agentNamespace || ACCOUNTS_NAMESPACE, createClient })
    const hub = withContent(client, content)
    const deployer = createDeployer({
      hub,
      client,
      accounts,
      engine,
      tools,
      agentNamespace,
      agentScope: '',
      workDir,
      deployments: () => [],
    })
    try {
      return (await deployer.deploy(standalone(deployment), { resume: false, signal })).objects
    } finally {
      await accounts.close()
    }
  })
}

/** The content comes from the file, not from a hub. */
function withContent(client: KubeClient, content: Content): KubeClient {
  const get = async (ref: ObjectRef) => (ref.kind === CONTENT.kind ? content : client.get(ref))
  return { ...client, get: get as KubeClient['get'] }
}

function standalone(deployment: BundleDeployment): BundleDeployment {
  const { dependsOn: _dependsOn, ...spec } = deployment.spec
  const { downstreamResources: _copies, ...options } = spec.options ?? {}
  return { ...deployment, spec: { ...spec, options } }
}
