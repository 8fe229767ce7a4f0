// The Kubernetes version that charts see in a dry run is written without a leading v, as Go Fleet's dry run writes it; helm always adds one.
import { posix } from 'node:path'
import type { ContentFile } from '../../bundle/read-contents.ts'

const ACTION = /\{\{.*?\}\}/gs
const VERSION = /((?:\$\w*)?(?:\.\w+)*)\.Capabilities\.KubeVersion\.(Version|GitVersion)\b/g

/** Templates of charts with the version as it should be seen there. Packed sub-charts stay as they are. */
export function withPlainVersion(files: readonly ContentFile[]): ContentFile[] {
  return files.map((file) => (isTemplate(file) ? { name: file.name, content: rewritten(file.content) } : file))
}

function isTemplate({ name, content }: ContentFile): boolean {
  const isBelow = posix.dirname(name).split('/').includes('templates')
  return isBelow && content.includes('KubeVersion')
}

function rewritten(content: Buffer): Buffer {
  const plain = (action: string) =>
    action.replace(VERSION, (_, before: string, field: string) => `(trimPrefix "v" ${before}.Capabilities.KubeVersion.${field})`)
  return Buffer.from(content.toString('utf8').replace(ACTION, plain))
}
