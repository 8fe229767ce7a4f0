// Where the files of a deployment come from: the Content on the hub that its id names (spec 5.5), an OCI registry (spec 5.6), or a chart repository (spec 8.7).
import type { BundleDeployment } from '../api/bundle-deployment.ts'
import type { Content } from '../api/content.ts'
import { CONTENT } from '../api/kinds.ts'
import { type ContentFile, readContent } from '../bundle/read-contents.ts'
import { TerminalError } from '../lib/controller/errors.ts'
import type { Slots } from '../lib/exec/slots.ts'
import type { KubeClient } from '../lib/kube/client.ts'
import type { ChartDownloads } from './chart-download.ts'
import type { RegistryContents } from './oci-contents.ts'

/** Of one content, unpacked; a Content itself holds at most 1.5 MiB. */
const LIMITS = { maxBytes: 128 * 2 ** 20, maxFiles: 20_000 }

/** The id of the contents: what stands before the first colon of the deployment id. */
export function contentId(deploymentID: string): string {
  return deploymentID.split(':', 1)[0] ?? ''
}

/** Where contents may come from. */
export interface ContentSources {
  hub: KubeClient
  /** Whoever unpacks a Content: a few of those that unpack to the limit fill the memory of a small machine. */
  unpacking: Slots
  charts?: ChartDownloads | undefined
  registry?: RegistryContents | undefined
}

/** The files of a deployment. Throws while they cannot be had, or are others than their checksum says. */
export async function fetchContents(
  { hub, unpacking, charts, registry }: ContentSources,
  deployment: BundleDeployment,
  signal: AbortSignal,
): Promise<ContentFile[]> {
  const { spec } = deployment
  const name = contentId(spec.deploymentID ?? '')
  if (spec.ociContents) {
    if (registry) return registry.files(deployment, name, LIMITS, signal)
    throw new TerminalError(`contents ${name} lie in an OCI registry, which only agents read`, { reason: 'NotSupported' })
  }
  if (spec.helmChartOptions) {
    if (charts) return charts.files(deployment, signal)
    throw new TerminalError('the chart of this deployment is downloaded by agents only', { reason: 'NotSupported' })
  }
  return unpacking.run(async () => readContent(await hub.get<Content>({ ...CONTENT, name }), LIMITS), signal)
}
