// Where the files of a deployment come from: the Content on the hub that its id names (spec 5.5).
import { createHash } from 'node:crypto'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import type { BundleDeployment } from '../api/bundle-deployment.ts'
import type { Content } from '../api/content.ts'
import { CONTENT } from '../api/kinds.ts'
import type { ContentFile } from '../bundle/read-contents.ts'
import { TerminalError } from '../lib/controller/errors.ts'
import type { KubeClient } from '../lib/kube/client.ts'

/** Unpacked size of a content, and of all its files together, in bytes; a Content itself holds at most 1.5 MiB. */
const MAX_BYTES = 128 * 2 ** 20
const MAX_FILES = 20_000

interface Resource {
  name?: string
  content?: string
  encoding?: string
}

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
  const { content = '', sha256sum } = await hub.get<Content>({ ...CONTENT, name })
  const json = await promisify(gunzip)(Buffer.from(content, 'base64'), { maxOutputLength: MAX_BYTES })
  const sum = createHash('sha256').update(json).digest('hex')
  if (sha256sum && sha256sum !== sum) throw new Error(`content ${name} on the hub does not fit its checksum`)
  return unpack(name, JSON.parse(json.toString('utf8')) as { resources?: Resource[] | null })
}

async function unpack(name: string, { resources }: { resources?: Resource[] | null }): Promise<ContentFile[]> {
  const list = resources ?? []
  if (list.length > MAX_FILES) throw new TerminalError(`content ${name} has more than ${MAX_FILES} files`)
  const files: ContentFile[] = []
  let size = 0
  for (const [index, resource] of list.entries()) {
    const content = await decode(name, resource, MAX_BYTES - size)
    size += content.length
    files.push({ name: resource.name || `manifests/file${String(index).padStart(3, '0')}.yaml`, content })
  }
  return files
}

async function decode(name: string, { name: file, content = '', encoding = '' }: Resource, maxBytes: number): Promise<Buffer> {
  if (encoding === '') return Buffer.from(content, 'utf8')
  if (encoding === 'base64') return Buffer.from(content, 'base64')
  if (encoding !== 'base64+gz') throw new TerminalError(`file ${file} of content ${name} has the unknown encoding ${encoding}`)
  return promisify(gunzip)(Buffer.from(content, 'base64'), { maxOutputLength: Math.max(maxBytes, 1) })
}
