// Overlays of plain manifests (spec 7.2): files below overlays/NAME/ replace, add, or (`x_patch.yaml` for `x.yaml`) change files of the bundle.
import { posix } from 'node:path'
import type { ContentFile } from '../../bundle/read-contents.ts'
import { YamlError } from '../../lib/yaml/error.ts'
import { parseYamlDocuments } from '../../lib/yaml/parse.ts'
import { stringifyYaml } from '../../lib/yaml/stringify.ts'
import { patchObject } from './patch-object.ts'
import { RenderError } from './render-error.ts'

const OVERLAYS = 'overlays/'

/**
 * The files with the overlays applied in the order of their names in the options; the folder `overlays/` itself is gone.
 * Within an overlay whole files come before patches, each in the order of names.
 */
export function applyOverlays(files: readonly ContentFile[], overlays: readonly string[]): ContentFile[] {
  const result = new Map(files.filter(({ name }) => !name.startsWith(OVERLAYS)).map((file) => [file.name, file.content]))
  for (const overlay of overlays) {
    const own = filesBelow(files, `${OVERLAYS}${overlay}/`)
    for (const { name, content } of own.filter((file) => !patchTarget(file.name))) result.set(name, content)
    for (const { name, content } of own) {
      const target = patchTarget(name)
      if (target) result.set(target, patched(target, result.get(target), { name, content }))
    }
  }
  return [...result].map(([name, content]) => ({ name, content })).sort((a, b) => (a.name < b.name ? -1 : 1))
}

function filesBelow(files: readonly ContentFile[], folder: string): ContentFile[] {
  return files
    .filter(({ name }) => name.startsWith(folder))
    .map(({ name, content }) => ({ name: name.slice(folder.length), content }))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** `a/x_patch.yaml` patches `a/x.yaml`. */
function patchTarget(name: string): string | undefined {
  const base = posix.basename(name)
  return base.includes('_patch.') ? posix.join(posix.dirname(name), base.replace('_patch.', '.')) : undefined
}

function patched(target: string, base: Buffer | undefined, file: ContentFile): Buffer {
  if (!base) throw new RenderError(`failed to find base file ${target} to patch`, 'missing-base')
  const documents = read(target, base).filter((document) => document !== null)
  const change = read(file.name, file.content)[0] ?? {}
  const index = Math.max(
    documents.findIndex((document) => isMeant(document, change)),
    0,
  )
  try {
    documents[index] = patchObject(documents[index] ?? {}, change) ?? {}
  } catch (error) {
    throw new RenderError(`failed to patch ${target}: ${error instanceof Error ? error.message : String(error)}`, 'patch', { cause: error })
  }
  return Buffer.from(documents.map((document) => stringifyYaml(document, { lossless: true })).join('---\n'))
}

/** Of several documents in one file a patch means the one whose kind and name it repeats. */
function isMeant(document: unknown, change: unknown): boolean {
  const [a, b] = [identity(document), identity(change)]
  return b.name !== undefined && a.name === b.name && (b.kind === undefined || a.kind === b.kind)
}

function identity(value: unknown): { kind?: unknown; name?: unknown } {
  if (typeof value !== 'object' || value === null) return {}
  const { kind, metadata } = value as { kind?: unknown; metadata?: { name?: unknown } | null }
  return { kind, name: metadata?.name }
}

function read(name: string, content: Buffer): unknown[] {
  try {
    return parseYamlDocuments(content.toString('utf8'), { bigIntegers: true })
  } catch (error) {
    if (!(error instanceof YamlError)) throw error
    throw new RenderError(`${name} is no valid YAML: ${error.message}`, 'broken-yaml', { cause: error })
  }
}
