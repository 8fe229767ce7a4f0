// Charts that are not in the folder: which ones a bundle needs, and the seam to whoever downloads them (spec 6.4).
import { posix } from 'node:path'
import type { BundleSpec } from '../api/bundle.ts'
import { chartDirectory } from '../api/names.ts'
import { checkChart } from '../lib/charts/check.ts'
import { TerminalError } from '../lib/controller/errors.ts'
import { BadPatternError } from '../lib/glob/error.ts'
import { YamlError } from '../lib/yaml/error.ts'
import { parseYaml } from '../lib/yaml/parse.ts'
import { withoutIgnored } from './ignore.ts'
import type { LoadedFile } from './load.ts'
import { cleanPath, type RepoTree } from './repo-tree.ts'

/** Where a chart is to be had. Empty texts where nothing was said. */
export interface ChartRequest {
  readonly chart: string
  readonly repo: string
  readonly version: string
}

export interface ChartFile {
  /** path with `/`, without leading one */
  readonly name: string
  readonly content: Buffer
}

/** Whom a download is for: credentials may be bound to the folder. */
export interface ChartContext {
  /** folder of the bundle, relative to the repository */
  readonly folder: string
  /** whether charts get the dependencies they lack */
  readonly updateDependencies: boolean
  readonly signal: AbortSignal | undefined
}

/** What an update of the dependencies of a chart changes; names relative to its folder. */
export interface DependencyChange {
  /** `Chart.lock`, `charts/x-1.0.0.tgz` */
  readonly added: readonly ChartFile[]
  /** archives in `charts/` that others have replaced, or that are no dependencies */
  readonly removed: readonly string[]
}

/** Downloads charts. Errors that the user has to mend are TerminalErrors, everything else is tried again. */
export interface ChartSource {
  /** The files of a chart as they unpack: `<chart>/Chart.yaml`. */
  download(request: ChartRequest, context: ChartContext): Promise<readonly ChartFile[]>
  /** What updating the dependencies changes in the chart in a folder of the repository, which is not written to. Nothing when no dependency is missing. */
  dependencies(tree: RepoTree, folder: string, context: ChartContext): Promise<DependencyChange>
}

/** The charts that have to be downloaded, each once: those with a repository, and those whose path does not exist in the folder. */
export async function neededCharts(tree: RepoTree, folder: string, spec: BundleSpec): Promise<ChartRequest[]> {
  const requests = new Map<string, ChartRequest>()
  for (const helm of [spec.helm, ...(spec.targets ?? []).map((target) => target.helm)]) {
    const request = { chart: helm?.chart ?? '', repo: helm?.repo ?? '', version: helm?.version ?? '' }
    if (request.chart === '' && request.repo === '') continue
    if (request.repo === '' && (await isLocal(tree, folder, request.chart))) continue
    requests.set(chartDirectory(request.chart, request.repo, request.version), request)
  }
  return [...requests.values()]
}

async function isLocal(tree: RepoTree, folder: string, chart: string): Promise<boolean> {
  const path = cleanPath(posix.join(folder, chart))
  return path !== undefined && (await tree.kind(path)) !== undefined
}

/**
 * The files of downloaded charts, where agents look for them: `.chart/<hash>/…`. What is left out of the folder is left out of them too: hidden files, those that a
 * .fleetignore names, and paths in `excluded`, but for the default values of the chart.
 */
export async function downloadCharts(
  requests: readonly ChartRequest[],
  source: ChartSource | undefined,
  context: ChartContext,
  excluded: ReadonlySet<string>,
): Promise<LoadedFile[]> {
  const files: LoadedFile[] = []
  for (const request of requests) {
    if (!source)
      throw new TerminalError(`${context.folder}: the chart ${nameOf(request)} is not in the folder, and charts cannot be downloaded here`)
    const prefix = chartDirectory(request.chart, request.repo, request.version)
    for (const file of kept(await source.download(request, context), context.folder)) {
      if (!isWanted(file.name) || (excluded.has(file.name) && posix.basename(file.name) !== 'values.yaml')) continue
      files.push({ name: `${prefix}/${file.name}`, content: file.content })
    }
  }
  return files
}

function kept(files: readonly ChartFile[], folder: string): ChartFile[] {
  try {
    return withoutIgnored(files)
  } catch (error) {
    if (!(error instanceof BadPatternError)) throw error
    throw new TerminalError(`${folder}: .fleetignore of the chart that it takes: ${error.message}`)
  }
}

function isWanted(name: string): boolean {
  return cleanPath(name) === name && !name.split('/').some((part) => part.startsWith('.'))
}

function nameOf({ chart, repo, version }: ChartRequest): string {
  return [chart, version, repo ? `of ${repo}` : ''].filter((part) => part !== '').join(' ')
}

/**
 * The files with what the dependencies of the charts among them add, with names as in the bundle.
 * Charts that list dependencies but have none of them in `charts/` need a source; what helm cannot load is a TerminalError.
 * @param isLeftOut whether an added file does not belong to the bundle
 */
export async function withDependencies(
  tree: RepoTree,
  files: readonly LoadedFile[],
  source: ChartSource | undefined,
  context: ChartContext,
  isLeftOut: (name: string) => Promise<boolean>,
): Promise<LoadedFile[]> {
  const all = new Map(files.map((file) => [file.name, file]))
  if (!context.updateDependencies) return [...all.values()]
  for (const file of files) {
    if (posix.basename(file.name) !== 'Chart.yaml') continue
    const chart = posix.dirname(file.name)
    const values = all.get(posix.join(chart, 'values.yaml'))
    checkChart(file.content.toString('utf8'), values?.content.toString('utf8'), posix.join(context.folder, chart))
    const isOld = all.has(posix.join(chart, 'requirements.yaml'))
    if (!isOld && dependencyNames(file, context.folder).length === 0) continue
    if (!source) {
      checkVendored(files, file, context.folder)
      continue
    }
    const { added, removed } = await source.dependencies(tree, posix.join(context.folder, chart), context)
    for (const name of removed) all.delete(posix.join(chart, name))
    for (const { name, content } of added.filter((one) => isWanted(one.name))) {
      const path = posix.join(chart, name)
      if (!(await isLeftOut(path))) all.set(path, { name: path, content })
    }
  }
  return [...all.values()]
}

function checkVendored(files: readonly LoadedFile[], file: LoadedFile, folder: string): void {
  const missing = dependencyNames(file, folder).filter((name) => !isVendored(files, posix.dirname(file.name), name))
  if (missing.length === 0) return
  throw new TerminalError(
    `${posix.join(folder, file.name)}: the dependencies ${missing.join(', ')} are not in charts/, and charts cannot be downloaded here: ` +
      'run helm dependency update and commit the result, or set helm.disableDependencyUpdate',
  )
}

function isVendored(files: readonly LoadedFile[], chart: string, name: string): boolean {
  const at = posix.join(chart, 'charts', name)
  return files.some((file) => file.name === `${at}/Chart.yaml` || (file.name.startsWith(`${at}-`) && file.name.endsWith('.tgz')))
}

function dependencyNames(file: LoadedFile, folder: string): string[] {
  try {
    const chart = parseYaml(file.content.toString('utf8')) as { dependencies?: unknown } | null
    const dependencies = Array.isArray(chart?.dependencies) ? chart.dependencies : []
    return dependencies.map((entry: { name?: unknown } | null) => String(entry?.name ?? ''))
  } catch (error) {
    if (!(error instanceof YamlError)) throw error
    throw new TerminalError(`${posix.join(folder, file.name)}:${error.line}:${error.column}: ${error.reason}`)
  }
}
