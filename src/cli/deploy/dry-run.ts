// Renders a deployment as an agent would, without any cluster (spec 6.6, 12).

import { releaseOf, setOf } from '../../agent/deployer.ts'
import { renderBundle } from '../../agent/render/render.ts'
import { detectStyle } from '../../agent/render/style.ts'
import type { BundleDeployment } from '../../api/bundle-deployment.ts'
import type { BundleDeploymentOptions } from '../../api/bundle-deployment-options.ts'
import type { ContentFile } from '../../bundle/read-contents.ts'
import type { CliConfig } from '../../config/cli.ts'
import { withTempDir } from '../../lib/exec/temp-dir.ts'
import type { KubeObject } from '../../lib/kube/types.ts'
import { withPlainVersion } from './kube-version.ts'
import { offlineClient, offlineTools, refusedByAgents } from './offline.ts'
import { renderTools } from './tools.ts'

/** What charts see when nothing else is asked for. */
export const ASSUMED_VERSION = 'v1.25.0'

export interface DryRunInput {
  readonly deployment: BundleDeployment
  readonly files: readonly ContentFile[]
  /** `1.31.2`, with or without `v` */
  readonly kubeVersion: string
  readonly config: CliConfig
  readonly signal: AbortSignal
}

export interface DryRun {
  /** objects with their marks, hooks last */
  readonly objects: readonly KubeObject[]
  readonly warnings: readonly string[]
}

/** Throws RenderError, HelmError or KustomizeError for what is wrong with the bundle. Values from objects of the cluster are left out. */
export async function dryRun({ deployment, files, kubeVersion, config, signal }: DryRunInput): Promise<DryRun> {
  const { metadata, spec } = deployment
  const options = spec.options ?? {}
  const rendered = await withTempDir(config.tempDir, 'fleet-render-', async (dir) => {
    const tools = offlineTools(await renderTools(config, dir), kubeVersion)
    const input = {
      files: withPlainVersion(files),
      options,
      values: options.helm?.values ?? {},
      release: { ...releaseOf(deployment), upgrade: false },
      ownChart: { name: metadata.name.slice(metadata.name.lastIndexOf('/') + 1), version: 'v0.0.0+dry-run' },
      stamp: setOf(deployment, ''),
    }
    return renderBundle(tools, input, { client: offlineClient(kubeVersion), kubeconfig: '' }, dir, signal)
  })
  const objects = [...rendered.manifests, ...rendered.hooks]
  return { objects, warnings: warningsOf(options, files, objects) }
}

function warningsOf(options: BundleDeploymentOptions, files: readonly ContentFile[], objects: readonly KubeObject[]): string[] {
  const refused = refusedByAgents(objects, options.namespace).map(
    ({ kind, metadata }) =>
      `${kind} ${metadata.name} lives in no namespace, so agents refuse it: use defaultNamespace in place of namespace`,
  )
  const sources = options.helm?.valuesFrom?.length ?? 0
  const valuesFrom = sources > 0 ? ['helm.valuesFrom is left out: a dry run asks no cluster'] : []
  return [...missingOverlays(options, files), ...refused, ...valuesFrom]
}

/** Overlays are found by name only: a wrong name changes nothing, silently. */
export function missingOverlays(options: BundleDeploymentOptions, files: readonly ContentFile[]): string[] {
  const style = detectStyle(
    files.map(({ name }) => name),
    options,
  )
  if (style.chart !== undefined || style.kustomize !== undefined) return []
  const missing = (options.yaml?.overlays ?? []).filter((overlay) => !files.some(({ name }) => name.startsWith(`overlays/${overlay}/`)))
  return missing.map((overlay) => `the overlay ${overlay} has no files: there is no folder overlays/${overlay}`)
}
