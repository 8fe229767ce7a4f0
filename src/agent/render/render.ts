// From the files of a bundle to the objects of a release: style, overlays, chart, kustomization, marks (spec 7.2, 7.5). Read it from the top.
import { writeFile } from 'node:fs/promises'
import { join, posix } from 'node:path'
import type { BundleDeploymentOptions } from '../../api/bundle-deployment-options.ts'
import type { ContentFile } from '../../bundle/read-contents.ts'
import type { Helm } from '../../lib/helm/helm.ts'
import type { ChartMetadata } from '../../lib/helm/release.ts'
import { encodeExactJson } from '../../lib/json/exact-json.ts'
import { UnknownKindError } from '../../lib/kube/errors.ts'
import type { KubeObject, ResourceType } from '../../lib/kube/types.ts'
import type { KustomizeConfig } from '../../lib/kustomize/build.ts'
import { parseYaml } from '../../lib/yaml/parse.ts'
import { stringifyYaml } from '../../lib/yaml/stringify.ts'
import { type ChartAccess, renderChart } from './chart.ts'
import { dropMissingDependencies } from './chart-dependencies.ts'
import { writeFiles } from './files.ts'
import { renderKustomization } from './kustomize.ts'
import { chooseManifests } from './manifest-files.ts'
import { parseManifest, parseObjects } from './objects.ts'
import { applyOverlays } from './overlays.ts'
import { RenderError } from './render-error.ts'
import { type Stamp, stampObjects } from './stamp.ts'
import { detectStyle, type Style } from './style.ts'

export interface RenderInput {
  files: readonly ContentFile[]
  options: BundleDeploymentOptions
  values: Readonly<Record<string, unknown>>
  release: { name: string; namespace: string; upgrade: boolean }
  /** Name and version of the chart that is made for a bundle without one. */
  ownChart: { name: string; version: string }
  stamp: Pick<Stamp, 'labels' | 'annotations'>
}

/** What is installed as a release. */
export interface Rendered {
  style: Style
  chart: ChartMetadata
  /** Default values of the chart, YAML. */
  defaults?: string
  /** Objects with their marks, without hooks. */
  manifests: KubeObject[]
  /** Objects that Helm runs at certain moments, with their marks. */
  hooks: KubeObject[]
  /** YAML of the definitions in the `crds` folders of the chart, as they are. */
  definitions: string
}

export interface RenderTools {
  helm: Helm
  kustomize: KustomizeConfig
}

/**
 * Renders a bundle in `dir`, an empty folder that the caller removes. Everything that asks the cluster does so through `access`.
 * Throws {@link RenderError}, `HelmError` or `KustomizeError` for what is wrong with the bundle.
 */
export async function renderBundle(
  tools: RenderTools,
  input: RenderInput,
  access: ChartAccess,
  dir: string,
  signal?: AbortSignal,
): Promise<Rendered> {
  const { options } = input
  const style = detectStyle(
    input.files.map(({ name }) => name),
    options,
  )
  const isRaw = style.chart === undefined && style.kustomize === undefined
  const files = isRaw ? applyOverlays(input.files, options.yaml?.overlays ?? []) : input.files
  const chosen = isRaw ? chooseManifests(files.map(({ name }) => name)) : { templates: [], manifests: [] }
  const byName = new Map(files.map((file) => [file.name, file]))

  const root = join(dir, 'bundle')
  const templates = chosen.templates.map((name) => byName.get(name)!)
  const chart = style.chart !== undefined ? chartOf(style.chart, files) : ownChart(input, templates)
  const written = isRaw ? chart.files : dropMissingDependencies(files, style.chart ?? '.')
  await writeFiles(
    root,
    written.filter(({ name }) => posix.basename(name) !== HELM_IGNORE),
  )

  const isLibrary = chart.metadata.type === LIBRARY // only there for others: a release of it is empty
  const output =
    (style.chart !== undefined && !isLibrary) || templates.length > 0
      ? await runChart(tools, input, chart, access, dir, signal)
      : { text: '', definitions: '' }
  const text =
    style.kustomize === undefined
      ? output.text
      : await renderKustomization(tools.kustomize, { root, folder: style.kustomize, files, chartOutput: output.text }, signal)
  const plain = chosen.manifests.flatMap((name) => parseManifest(byName.get(name)!.content.toString('utf8'), name))
  const objects = [...parseObjects(text, chart.metadata.name ?? 'chart'), ...plain]
  checkSize(objects)

  const stamp: Stamp = { ...input.stamp, deleteCRDs: options.deleteCRDResources ?? false, namespace: options.namespace }
  const stamped = await stampObjects(objects, stamp, scopeOf(access, [...objects, ...parseObjects(output.definitions, 'crds')]))
  return {
    style,
    chart: isLibrary ? { ...chart.metadata, type: 'application' } : chart.metadata,
    ...(chart.defaults === undefined ? {} : { defaults: chart.defaults }),
    manifests: stamped.filter((object) => !isHook(object)),
    hooks: stamped.filter(isHook),
    definitions: output.definitions,
  }
}

const LIBRARY = 'library'
/** Chooses what goes into the archive of a chart, and in a bundle a chart is as in its archive: all of it is there. */
const HELM_IGNORE = '.helmignore'

/** The record of a release has to be read again by whoever restores or removes it. */
const MAX_OBJECT_BYTES = 12 * 2 ** 20

function checkSize(objects: readonly KubeObject[]): void {
  let left = MAX_OBJECT_BYTES
  for (const object of objects) {
    left -= Buffer.byteLength(encodeExactJson(object))
    if (left < 0)
      throw new RenderError(
        `the objects take more than ${MAX_OBJECT_BYTES / 2 ** 20} MiB, which no release can hold: split the bundle`,
        'too-large',
      )
  }
}

interface Chart {
  metadata: ChartMetadata
  /** Folder below the bundle. */
  folder: string
  files: ContentFile[]
  defaults?: string
}

function chartOf(folder: string, files: readonly ContentFile[]): Chart {
  const prefix = folder === '.' ? '' : `${folder}/`
  const own = files.flatMap(({ name, content }) => {
    const normal = posix.normalize(name)
    return normal.startsWith(prefix) ? [{ name: normal.slice(prefix.length), content }] : []
  })
  const read = (name: string): string | undefined => own.find((file) => file.name === name)?.content.toString('utf8')
  const metadata = parseMetadata(read('Chart.yaml') ?? '')
  const defaults = read('values.yaml')
  return { metadata, folder, files: own, ...(defaults === undefined ? {} : { defaults }) }
}

/** A chart for a bundle that has none: it gives the release its name and version, and renders the folder `templates`. */
function ownChart({ ownChart: { name, version } }: RenderInput, templates: readonly ContentFile[]): Chart {
  const metadata = { apiVersion: 'v2', name, version }
  const file = { name: 'Chart.yaml', content: Buffer.from(stringifyYaml(metadata)) }
  return { metadata, folder: '.', files: [file, ...templates] }
}

function parseMetadata(text: string): ChartMetadata {
  try {
    const value = parseYaml(text)
    return typeof value === 'object' && value !== null ? (value as ChartMetadata) : {}
  } catch (error) {
    throw new RenderError(`Chart.yaml is no valid YAML: ${(error as Error).message}`, 'broken-chart', { cause: error })
  }
}

async function runChart(tools: RenderTools, input: RenderInput, chart: Chart, access: ChartAccess, dir: string, signal?: AbortSignal) {
  const valuesFile = join(dir, 'values.json')
  await writeFile(valuesFile, JSON.stringify(input.values), { mode: 0o600 })
  const { name, namespace, upgrade } = input.release
  const { values, options } = input
  const path = join(dir, 'bundle', chart.folder)
  return renderChart(
    tools.helm,
    { chart: path, files: chart.files, release: name, namespace, upgrade, helm: options.helm ?? {}, values, valuesFile },
    access,
    signal,
  )
}

/** Where a kind lives: the bundle's own definitions know kinds that the cluster does not know yet. */
function scopeOf(access: ChartAccess, objects: readonly KubeObject[]): (type: ResourceType) => Promise<boolean> {
  const own = new Map(
    objects
      .filter(({ kind }) => kind === 'CustomResourceDefinition')
      .map((object) => [definedKind(object), isNamespacedDefinition(object)]),
  )
  return async (type) => {
    const defined = own.get(`${type.apiVersion.split('/')[0]}/${type.kind}`)
    if (defined !== undefined) return defined
    try {
      return (await access.client.mapping(type)).namespaced
    } catch (error) {
      if (!(error instanceof UnknownKindError)) throw error
      throw new RenderError(`no matches for kind "${type.kind}" in version "${type.apiVersion}"`, 'unknown-kind', { cause: error })
    }
  }
}

interface Definition extends KubeObject {
  spec?: { group?: string; scope?: string; names?: { kind?: string } }
}

function definedKind({ spec }: Definition): string {
  return `${spec?.group}/${spec?.names?.kind}`
}

function isNamespacedDefinition({ spec }: Definition): boolean {
  return spec?.scope !== 'Cluster'
}

function isHook({ metadata }: KubeObject): boolean {
  return metadata.annotations?.['helm.sh/hook'] !== undefined
}
