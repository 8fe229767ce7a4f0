// Where the files of a deployment come from: the Content on the hub that its id names (spec 5.5).
import type { BundleDeployment } from '../api/bundle-deployment.ts'
import type { Content } from '../api/content.ts'
import { CONTENT } from '../api/kinds.ts'
import { type ContentFile, readContent } from '../bundle/read-contents.ts'
import { TerminalError } from '../lib/controller/errors.ts'
import type { KubeClient } from '../lib/kube/client.ts'

/** Of one content, unpacked; a Content itself holds at most 1.5 MiB. */
const LIMITS = { maxBytes: 128 * 2 ** 20, maxFiles: 20_000 }

/** The id of the contents: what stands before the first colon of the deployment id. */
export function contentId(deploymentID: string): string {
  return deploymentID.split(':', 1)[0] ?? ''
}

/** The files of a deployment. Throws while the hub does not have them, or has others than their checksum says. */
export async function fetchContents(hub: KubeClient, { spec }: BundleDeployment): Promise<ContentFile[]> {
  const name = contentId(spec.deploymentID ?? '')
  if (spec.ociContents)
    throw new TerminalError(`contents ${name} lie in an OCI registry, which this agent cannot read yet`, { reason: 'NotSupported' })
  if (spec.helmChartOptions)
    throw new TerminalError(`the chart of this deployment is to be downloaded by the agent, which it cannot do yet`, {
      reason: 'NotSupported',
    })
  return readContent(await hub.get<Content>({ ...CONTENT, name }), LIMITS)
}
