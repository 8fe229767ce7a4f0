// Folders in, bundles out: the same for the controller, `fleet apply` and `fleet target` (spec 6).
import { posix } from 'node:path'
import type { Bundle, BundleSpec } from '../api/bundle.ts'
import { BUNDLE } from '../api/kinds.ts'
import { helmReleaseName } from '../api/names.ts'
import { bundleValues } from '../api/values-secret.ts'
import { messageOf, TerminalError } from '../lib/controller/errors.ts'
import { inParallel } from '../lib/controller/parallel.ts'
import { downloadCharts, neededCharts, withDependencies } from './charts.ts'
import type { BundleDraft, ReadOptions, ReadResult } from './draft.ts'
import { encodeFiles, isTooBig } from './encode-files.ts'
import { type FleetYaml, parseFleetYaml } from './fleet-yaml.ts'
import { imageScansOf } from './image-scans.ts'
import { READ_LIMITS, type ReadLimits } from './limits.ts'
import { isLeftOut, type LoadedFile, loadFolder } from './load.ts'
import { applyOverrides } from './overrides.ts'
import { cleanPath, openRepoTree, type RepoTree } from './repo-tree.ts'
import { type BundleFolder, findBundleFolders, fleetFileIn, searchedPaths } from './scan.ts'
import { assembleTargets } from './targets.ts'
import { tracedCharts, tracedTree } from './traced-tree.ts'
import { mergeValuesFiles, optionFiles, sharedValueNames } from './values.ts'

const MAX_BROKEN = 10

/**
 * Reads all bundles of a repository. Nothing outside of `root` is read, and nothing is written.
 * @param root the checkout, on disk
 * @throws TerminalError that names each broken folder, or the paths when nothing is there to deploy; other errors (disk, network of chart downloads) can be tried again
 */
export async function readBundles(root: string, options: ReadOptions): Promise<ReadResult> {
  const limits = { ...READ_LIMITS, ...options.limits }
  const { trace, charts } = options
  const plain = await openRepoTree(root)
  const tree = trace ? tracedTree(plain, trace) : plain
  const traced = trace && charts ? { ...options, charts: tracedCharts(charts, trace) } : options
  const folders = await findBundleFolders(tree, options, limits)
  const results = await inParallel(folders, options.concurrency ?? 4, (folder) => tryFolder(tree, folder, traced, limits))
  const broken = results.flatMap((result) => ('problems' in result ? result.problems : []))
  if (broken.length > 0) throw new TerminalError(summary(broken))
  const read = results.filter((result) => 'draft' in result)
  const drafts = read.flatMap(({ draft }) => (draft ? [draft] : []))
  if (drafts.length === 0)
    throw new TerminalError(`no resource found at the following paths to deploy: [${searchedPaths(options).join(' ')}]`)
  return { drafts, warnings: read.flatMap(({ warnings }) => warnings) }
}

type FolderResult =
  | { readonly draft: BundleDraft | undefined; readonly warnings: readonly string[] }
  | { readonly problems: readonly string[] }

async function tryFolder(tree: RepoTree, folder: BundleFolder, options: ReadOptions, limits: ReadLimits): Promise<FolderResult> {
  options.signal?.throwIfAborted()
  try {
    return await readFolder(tree, folder, options, limits)
  } catch (error) {
    const errors = error instanceof AggregateError ? error.errors : [error]
    // what can be tried again must not look as if the user had to mend something
    const passing = errors.find((one) => !(one instanceof TerminalError))
    if (passing) throw passing
    return { problems: errors.map(messageOf) }
  }
}

function summary(problems: readonly string[]): string {
  const distinct = [...new Set(problems)].sort()
  const more = distinct.length - MAX_BROKEN
  return distinct.slice(0, MAX_BROKEN).join('\n') + (more > 0 ? `\nand ${more} more` : '')
}

async function readFolder(
  tree: RepoTree,
  { folder, optionsFile }: BundleFolder,
  options: ReadOptions,
  limits: ReadLimits,
): Promise<FolderResult> {
  const file = optionsFile ?? (await fleetFileIn(tree, folder))
  const path = posix.join(folder, file ?? 'fleet.yaml')
  const { fleet, warnings } = await readOptionsFile(tree, folder, file, limits)
  const spec = await specOf(tree, folder, fleet, options, limits)
  const id = helmReleaseName(posix.join(options.repoName, folder, stem(optionsFile ?? '')))
  const bundle: Bundle = {
    ...BUNDLE,
    metadata: {
      name: fleet.name || id,
      namespace: options.namespace,
      ...notEmpty('labels', { ...options.labels, ...fleet.labels }),
      ...notEmpty('annotations', fleet.annotations),
    },
    spec,
  }
  const files = await filesOf(tree, folder, spec, optionsFile, options, limits)
  if (files.length === 0) return { draft: undefined, warnings: [...warnings, `${folder}: no resources, so no bundle`] }
  const withResources = await addResources(bundle, files, options.compress ?? false)
  const draft: BundleDraft = {
    bundle: withResources,
    values: bundleValues(withResources.spec),
    scans: imageScansOf(fleet.imageScans, id, options.imageScans ?? false, path),
    origin: optionsFile ? `${folder}:${optionsFile}` : folder,
  }
  const shared = sharedValueNames(spec).map(
    (target) => `${path}: several targets with values are named ${target}: only the values of the last one count`,
  )
  return { draft, warnings: [...warnings, ...shared] }
}

async function readOptionsFile(
  tree: RepoTree,
  folder: string,
  file: string | undefined,
  limits: ReadLimits,
): Promise<{ fleet: FleetYaml; warnings: string[] }> {
  if (file === undefined) return parseFleetYaml('', folder)
  const path = cleanPath(posix.join(folder, file))
  if (path === undefined) throw new TerminalError(`${posix.join(folder, file)}: this options file is outside of the repository`)
  return parseFleetYaml(await tree.readText(path, limits.optionBytes), path)
}

async function specOf(tree: RepoTree, folder: string, fleet: FleetYaml, options: ReadOptions, limits: ReadLimits): Promise<BundleSpec> {
  const { resources: _given, ...own } = fleet.spec
  const spec = await mergeValuesFiles(tree, folder, { ...own, ...assembleTargets(fleet, options.targets) }, limits)
  return applyOverrides(spec, options.overrides)
}

async function filesOf(
  tree: RepoTree,
  folder: string,
  spec: BundleSpec,
  optionsFile: string | undefined,
  { charts, signal }: ReadOptions,
  limits: ReadLimits,
): Promise<LoadedFile[]> {
  const context = { folder, updateDependencies: !spec.helm?.disableDependencyUpdate, signal }
  const excluded = optionFiles(spec, optionsFile)
  const own = await loadFolder(tree, folder, excluded, limits)
  const downloaded = await downloadCharts(await neededCharts(tree, folder, spec), charts, context, excluded)
  const complete = await withDependencies(tree, own, charts, context, (name) => isLeftOut(tree, folder, name, limits))
  return [...new Map([...complete, ...downloaded].map((file) => [file.name, file])).values()]
}

async function addResources(bundle: Bundle, files: readonly LoadedFile[], compress: boolean): Promise<Bundle & { spec: BundleSpec }> {
  const plain = { ...bundle, spec: { ...bundle.spec, resources: await encodeFiles(files, compress) } }
  if (compress || !isTooBig(plain)) return plain
  return { ...bundle, spec: { ...bundle.spec, resources: await encodeFiles(files, true) } }
}

/** `opts/dev.yaml` is `opts/dev`. */
function stem(file: string): string {
  return file.replace(/\.[^./]*$/, '')
}

function notEmpty<K extends string>(key: K, map: Readonly<Record<string, string>>): { [key in K]?: Record<string, string> } {
  return Object.keys(map).length > 0 ? ({ [key]: { ...map } } as { [key in K]: Record<string, string> }) : {}
}
