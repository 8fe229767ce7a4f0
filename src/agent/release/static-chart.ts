// Packs rendered objects as a chart that Helm installs as they are: its only template emits a file, so nothing is rendered a second time.
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  COMMIT_LABEL,
  RELEASE_AGENT_NAMESPACE_ANNOTATION,
  RELEASE_BUNDLE_ID_ANNOTATION,
  RELEASE_KEEP_RESOURCES_ANNOTATION,
  RELEASE_SERVICE_ACCOUNT_ANNOTATION,
} from '../../api/labels.ts'
import type { ChartMetadata } from '../../lib/helm/release.ts'
import { stringifyYaml } from '../../lib/yaml/stringify.ts'
import { formatObjects } from '../render/objects.ts'
import type { Rendered } from '../render/render.ts'
import type { ReleaseOwner } from './engine.ts'
import { distinct } from './identity.ts'

/** `Chart.yaml` of a release: the chart's own, and who deployed it (spec 0.1). Its dependencies are rendered already. */
export function releaseMetadata(chart: ChartMetadata, owner: ReleaseOwner, commit: string | undefined): ChartMetadata {
  const { dependencies: _, ...metadata } = chart
  const annotations = {
    ...chart.annotations,
    [RELEASE_SERVICE_ACCOUNT_ANNOTATION]: owner.serviceAccount,
    [RELEASE_BUNDLE_ID_ANNOTATION]: owner.bundleId,
    [RELEASE_AGENT_NAMESPACE_ANNOTATION]: owner.agentNamespace,
    [RELEASE_KEEP_RESOURCES_ANNOTATION]: String(owner.keepResources),
    ...(commit ? { [COMMIT_LABEL]: commit } : {}),
  }
  return { ...metadata, annotations }
}

/** The owner that the metadata of a chart names. */
export function ownerOf(metadata: ChartMetadata | null | undefined): ReleaseOwner | undefined {
  const annotations = metadata?.annotations ?? {}
  const bundleId = annotations[RELEASE_BUNDLE_ID_ANNOTATION]
  if (!bundleId) return undefined
  return {
    bundleId,
    agentNamespace: annotations[RELEASE_AGENT_NAMESPACE_ANNOTATION] ?? '',
    serviceAccount: annotations[RELEASE_SERVICE_ACCOUNT_ANNOTATION] ?? '',
    keepResources: annotations[RELEASE_KEEP_RESOURCES_ANNOTATION] === 'true',
  }
}

/** Writes the chart into `dir`, a folder that does not exist yet. An object that stands twice is written once: Helm would take either. */
export async function writeStaticChart(dir: string, rendered: Rendered, metadata: ChartMetadata, namespace: string): Promise<void> {
  const files: Record<string, string> = {
    'Chart.yaml': stringifyYaml(metadata, { lossless: true }),
    'objects.yaml': formatObjects([...distinct(rendered.manifests, namespace), ...rendered.hooks]),
    'templates/objects.yaml': '{{ .Files.Get "objects.yaml" }}\n',
    ...(rendered.defaults === undefined ? {} : { 'values.yaml': rendered.defaults }),
    ...(rendered.definitions ? { 'crds/definitions.yaml': rendered.definitions } : {}),
  }
  for (const folder of ['templates', 'crds']) await mkdir(join(dir, folder), { recursive: true, mode: 0o700 })
  for (const [name, text] of Object.entries(files)) await writeFile(join(dir, name), text, { mode: 0o600 })
}
