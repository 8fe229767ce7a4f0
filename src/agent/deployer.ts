// Deploys one version: dependencies, values, copies, contents, rendering, release, namespace (spec 7.1 steps 3 to 6, 7.2). Read `deploy` from the top.
import { createHash } from 'node:crypto'
import type { BundleDeployment } from '../api/bundle-deployment.ts'
import type { BundleDeploymentOptions } from '../api/bundle-deployment-options.ts'
import { COMMIT_LABEL, SET_HASH_LABEL } from '../api/labels.ts'
import { helmReleaseName, type ObjectSet, setId } from '../api/names.ts'
import { WaitingError } from '../lib/controller/errors.ts'
import { createSlots } from '../lib/exec/slots.ts'
import { withTempDir } from '../lib/exec/temp-dir.ts'
import type { KubeClient } from '../lib/kube/client.ts'
import type { Accounts } from './accounts.ts'
import type { ChartDownloads } from './chart-download.ts'
import { contentId, fetchContents } from './contents.ts'
import { copyResources } from './copies.ts'
import { checkDependencies } from './dependencies.ts'
import type { RegistryContents } from './oci-contents.ts'
import {
  isRemoved,
  type ReleaseAccess,
  type ReleaseEngine,
  type ReleaseOwner,
  type ReleaseRef,
  type ReleaseSettings,
  type ReleaseStatus,
  type Revision,
} from './release/engine.ts'
import { writeKubeconfig } from './release/work-dir.ts'
import { type Rendered, type RenderTools, renderBundle } from './render/render.ts'
import { checkTargetNamespace, labelNamespace, releaseNamespace } from './target-namespace.ts'
import { resolveValues, withHubValues } from './values.ts'

export interface DeployerOptions {
  hub: KubeClient
  /** The agent's own client to its cluster. */
  client: KubeClient
  accounts: Accounts
  /** For charts that are downloaded here; without it there are none. */
  charts?: ChartDownloads | undefined
  /** For contents in registries; without it there are none. */
  registry?: RegistryContents | undefined
  engine: ReleaseEngine
  tools: RenderTools
  agentNamespace: string
  agentScope: string
  workDir: string
  /** The deployments of this cluster, from the cache. */
  deployments(): readonly BundleDeployment[]
}

export interface DeployOptions {
  /** After a restart: take a release that was finished, but not reported, as it is. */
  resume: boolean
  signal: AbortSignal
}

export interface Deployer {
  /** Deploys the version that the spec asks for, and returns its revision. Labels the namespace of the release, too. */
  deploy(deployment: BundleDeployment, options: DeployOptions): Promise<Revision>
  /** Brings the copies up to date. True if one has changed. */
  copy(deployment: BundleDeployment): Promise<boolean>
  /** Labels the namespace of a release that is deployed. */
  label(deployment: BundleDeployment): Promise<void>
}

/** Revisions that are kept when the options do not say. */
const MAX_HISTORY = 2
const OCCUPIED_RETRY_MS = 30_000
const UNPACKED_AT_A_TIME = 2

export function createDeployer(options: DeployerOptions): Deployer {
  const { hub, client, accounts, engine, tools, agentNamespace, agentScope } = options
  const sources = { ...options, unpacking: createSlots(UNPACKED_AT_A_TIME) }

  async function deploy(deployment: BundleDeployment, { resume, signal }: DeployOptions): Promise<Revision> {
    checkDependencies(deployment, options.deployments())
    const merged = await withHubValues(hub, deployment)
    await checkTargetNamespace(client, merged)
    const access = await accounts.access(merged.serviceAccount)
    await copyResources(hub, access.client, deployment, merged)
    const release = releaseOf(deployment)
    const current = await engine.status(release)
    refuseOccupied(current, deployment)
    const version = versionLabel(deployment)
    const finished = resume && current?.state === 'deployed' && current.deployment === version ? await engine.read(current) : undefined
    const revision = finished ?? (await install(deployment, merged, { release, current, version, access }, signal))
    await labelNamespace(access.client, release.namespace, merged)
    return revision
  }

  async function install(
    deployment: BundleDeployment,
    merged: BundleDeploymentOptions,
    target: Target,
    signal: AbortSignal,
  ): Promise<Revision> {
    const { release, current, access, version } = target
    const files = await fetchContents(sources, deployment, signal)
    const values = await resolveValues(merged, access.client, release.namespace)
    const rendered = await withTempDir(options.workDir, 'render-', async (dir): Promise<Rendered> => {
      const input = {
        files,
        options: merged,
        values,
        release: { ...release, upgrade: current !== undefined && !isRemoved(current) },
        ownChart: { name: chartName(deployment), version: chartVersion(deployment) },
        stamp: setOf(deployment, agentScope),
      }
      return renderBundle(tools, input, { client: access.client, kubeconfig: await writeKubeconfig(dir, access) }, dir, signal)
    })
    const settings = { ...settingsOf(merged), createNamespace: await mustCreateNamespace(merged, release) }
    const request = {
      release,
      rendered,
      owner: ownerFor(deployment),
      commit: commitOf(deployment),
      values,
      deployment: version,
      current,
      settings,
    }
    return engine.deploy(request, access, signal)
  }

  /** A tenant need not be allowed to create a namespace that exists. */
  async function mustCreateNamespace(merged: BundleDeploymentOptions, { namespace }: ReleaseRef): Promise<boolean> {
    if (merged.createNamespace === false) return false
    return (await client.find({ apiVersion: 'v1', kind: 'Namespace', name: namespace })) === undefined
  }

  /** Two deployments with one release name would take it from each other for ever. */
  function refuseOccupied(current: ReleaseStatus | undefined, { metadata }: BundleDeployment): void {
    const owner = current?.owner
    if (!owner || owner.agentNamespace !== agentNamespace || owner.bundleId === metadata.name) return
    const other = options.deployments().find((deployment) => deployment.metadata.name === owner.bundleId)
    if (!other || !isSameRelease(releaseOf(other), current)) return
    throw new WaitingError(
      `release ${current.namespace}/${current.name} belongs to bundle deployment ${owner.bundleId}: choose another helm.releaseName or namespace`,
      {
        reason: 'ReleaseOccupied',
        retryAfterMs: OCCUPIED_RETRY_MS,
      },
    )
  }

  function ownerFor({ metadata, spec }: BundleDeployment): ReleaseOwner {
    const { serviceAccount = '', keepResources = false } = spec.options ?? {}
    return { bundleId: metadata.name, agentNamespace, serviceAccount, keepResources }
  }

  return {
    deploy,
    async copy(deployment) {
      const merged = deployment.spec.options ?? {}
      return copyResources(hub, (await accounts.access(merged.serviceAccount)).client, deployment, merged)
    },
    async label(deployment) {
      const merged = deployment.spec.options ?? {}
      await labelNamespace((await accounts.access(merged.serviceAccount)).client, releaseOf(deployment).namespace, merged)
    },
  }
}

interface Target {
  release: ReleaseRef
  current: ReleaseStatus | undefined
  version: string
  access: ReleaseAccess
}

/** The release of a deployment (spec 7.3). */
export function releaseOf({ metadata, spec }: BundleDeployment): ReleaseRef {
  const options = spec.options ?? {}
  return { namespace: releaseNamespace(options), name: options.helm?.releaseName || helmReleaseName(metadata.name) }
}

export function isSameRelease(a: ReleaseRef, b: ReleaseRef): boolean {
  return a.namespace === b.namespace && a.name === b.name
}

/** The object set of a deployment. */
export function setOf({ metadata }: BundleDeployment, agentScope: string): ObjectSet {
  return setId('default', metadata.name, agentScope)
}

/** The value of its set label. */
export function setHashOf(deployment: BundleDeployment, agentScope: string): string {
  return setOf(deployment, agentScope).labels[SET_HASH_LABEL] ?? ''
}

function settingsOf(options: BundleDeploymentOptions): ReleaseSettings {
  const { helm, correctDrift } = options
  return {
    createNamespace: options.createNamespace !== false,
    takeOwnership: helm?.takeOwnership ?? false,
    force: (helm?.force ?? false) || (correctDrift?.force ?? false),
    atomic: helm?.atomic ?? false,
    timeoutSeconds: helm?.timeoutSeconds ?? 0,
    waitForJobs: helm?.waitForJobs ?? false,
    maxHistory: helm?.maxHistory || MAX_HISTORY,
    skipSchemaValidation: helm?.skipSchemaValidation ?? false,
  }
}

function commitOf({ metadata }: BundleDeployment): string | undefined {
  return metadata.labels?.[COMMIT_LABEL] || undefined
}

/** What follows the last slash. */
function chartName({ metadata }: BundleDeployment): string {
  return metadata.name.slice(metadata.name.lastIndexOf('/') + 1)
}

function chartVersion(deployment: BundleDeployment): string {
  const commit = commitOf(deployment) ?? ''
  return `v0.0.0+${commit.length > 12 ? `git-${commit.slice(0, 12)}` : contentId(deployment.spec.deploymentID ?? '')}`
}

/** Names the version that a release was made for, as a label can hold it. */
function versionLabel({ metadata, spec }: BundleDeployment): string {
  const text = [metadata.uid, spec.deploymentID, spec.downstreamResourcesGeneration ?? 0].join('\n')
  return createHash('sha256').update(text).digest('hex').slice(0, 40)
}
