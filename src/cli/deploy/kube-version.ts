// The Kubernetes version that charts see in a dry run is written without a leading v, as Go Fleet's dry run writes it; helm always adds one.
import { posix } from 'node:path'
import type { ContentFile } from '../../bundle/read-contents.ts'

const ACTION = /\{\{.*?\}\}/gs
const VERSION = /((?:\$\w*)?(?:\.\w+)*)\.Capabilities\.KubeVersion\.(Version|GitVersion)\b/g
/** Printed as a whole; anything else may want its fields. */
const PRINTED = /^(\{\{-?\s*)((?:\$\w*)?(?:\.\w+)*)\.Capabilities\.KubeVersion(?=\s*(?:-?\}\}|\|\s*(?:s?quote|toString)\b))/

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
    action
      .replace(VERSION, (_, before: string, field: string) => trimmed(before, field))
      .replace(PRINTED, (_, start: string, before: string) => start + trimmed(before, 'Version'))
  return Buffer.from(content.toString('utf8').replace(ACTION, plain))
}

function trimmed(before: string, field: string): string {
  return `(trimPrefix "v" ${before}.Capabilities.KubeVersion.${field})`
}
