// What `helm dependency update` would change in a chart. Nothing is written: the folder may be shared.
import { posix } from 'node:path'
import { TerminalError } from '../controller/errors.ts'
import { redactUrl } from '../git/url.ts'
import { type Constraint, ConstraintError, parseConstraint } from '../semver/constraint.ts'
import { parseVersion } from '../semver/version.ts'
import { unpackBytes } from './archive.ts'
import type { ChartLimits } from './limits.ts'
import { digestIn, type LockedDependency, lockDigest, lockName, lockText } from './lock.ts'
import { type ChartMetadata, type Dependency, MAX_METADATA_BYTES, readMetadata } from './metadata.ts'
import { packChart } from './pack.ts'
import type { ChartFile, ChartTree } from './types.ts'

/** A chart that was found elsewhere. */
export interface FetchedDependency {
  readonly version: string
  /** file name and bytes */
  readonly archive: ChartFile
}

/** Finds and downloads a dependency that has a repository. */
export type DependencyFetcher = (dependency: Dependency, signal: AbortSignal) => Promise<FetchedDependency>

/** Files relative to the folder of the chart. */
export interface DependencyUpdate {
  readonly added: readonly ChartFile[]
  /** names of archives that the update replaces by others, or that are no dependencies */
  readonly removed: readonly string[]
}

const NOTHING: DependencyUpdate = { added: [], removed: [] }

export interface DependencyOptions {
  readonly fetch: DependencyFetcher
  readonly limits: ChartLimits
  readonly signal: AbortSignal
}

/**
 * The files that an update of the dependencies adds to the chart in `folder`, and those that it removes. When every dependency is in `charts/`, nothing is looked for;
 * when one is missing all are taken in the highest version that fits.
 * Throws TerminalError for what the chart has to say differently; errors of downloads are those of `fetch`.
 */
export async function updateDependencies(tree: ChartTree, folder: string, options: DependencyOptions): Promise<DependencyUpdate> {
  const { limits, signal } = options
  const metadata = await metadataIn(tree, folder)
  const { dependencies } = metadata
  const where = posix.join(folder, 'Chart.yaml')
  if (dependencies.length === 0) return NOTHING
  if (dependencies.length > limits.dependencies) throw new TerminalError(`${where}: more than ${limits.dependencies} dependencies`)
  const vendored = await vendoredCharts(tree, folder, options)
  if (dependencies.every(({ name }) => vendored.some((chart) => chart.name === name))) return NOTHING

  const locked: LockedDependency[] = []
  const archives = new Map<string, ChartFile>()
  for (const dependency of dependencies) {
    signal.throwIfAborted()
    const found = await resolve(tree, folder, dependency, vendored, options)
    locked.push({ name: dependency.name, version: found.version, repository: dependency.repository })
    if (found.archive) archives.set(found.archive.name, { name: `charts/${found.archive.name}`, content: found.archive.content })
  }
  const lock = await changedLock(tree, folder, metadata, locked)
  const kept = new Set(dependencies.filter(({ repository }) => repository === '').map(({ name }) => name))
  const removed = vendored.flatMap(({ file, name }) => (file && !kept.has(name) ? [`charts/${file}`] : []))
  return { added: [...(lock ? [lock] : []), ...archives.values()], removed: removed.filter((name) => !archives.has(posix.basename(name))) }
}

async function metadataIn(tree: ChartTree, folder: string): Promise<ChartMetadata> {
  const has = new Set((await tree.list(folder))?.map(({ name }) => name))
  const read = async (name: string): Promise<string> => (await tree.read(posix.join(folder, name), MAX_METADATA_BYTES)).toString('utf8')
  return readMetadata(await read('Chart.yaml'), has.has('requirements.yaml') ? await read('requirements.yaml') : undefined, folder)
}

/** A chart in `charts/`: a folder, or an archive (`file`). */
interface VendoredChart {
  readonly name: string
  readonly version: string
  readonly file: string | undefined
}

async function vendoredCharts(tree: ChartTree, folder: string, { limits, signal }: DependencyOptions): Promise<VendoredChart[]> {
  const charts: VendoredChart[] = []
  for (const { name } of (await tree.list(posix.join(folder, 'charts'))) ?? []) {
    if (name.startsWith('.') || name.startsWith('_')) continue
    const path = posix.join(folder, 'charts', name)
    const entries = await tree.list(path)
    if (entries?.some((entry) => entry.name === 'Chart.yaml')) charts.push({ ...(await metadataIn(tree, path)), file: undefined })
    if (entries || !name.endsWith('.tgz')) continue
    const files = await unpackBytes(await tree.read(path, limits.chartBytes), { shown: path, limits, signal })
    const chart = files.find((file) => /^[^/]+\/Chart\.yaml$/.test(file.name))
    if (chart) charts.push({ ...readMetadata(chart.content.toString('utf8'), undefined, path), file: name })
  }
  return charts
}

interface Resolved {
  readonly version: string
  readonly archive?: ChartFile
}

async function resolve(
  tree: ChartTree,
  folder: string,
  dependency: Dependency,
  vendored: readonly VendoredChart[],
  { fetch, limits, signal }: DependencyOptions,
): Promise<Resolved> {
  const { name, version, repository } = dependency
  const where = posix.join(folder, 'Chart.yaml')
  const constraint = constraintOf(dependency, where)
  if (repository === '') {
    const chart = vendored.find((one) => one.name === name)
    if (!chart) throw new TerminalError(`${where}: the dependency ${name} has no repository and is not in charts/: add either`)
    checkVersion(chart.version, constraint, dependency, where)
    return { version }
  }
  if (repository.startsWith('file://')) {
    const path = localFolder(folder, repository, where)
    const { metadata, archive } = await packChart(tree, path, limits, signal)
    checkVersion(metadata.version, constraint, dependency, where)
    return { version: metadata.version, archive }
  }
  if (!/^(?:https?|oci):\/\//i.test(repository))
    throw new TerminalError(
      `${where}: the repository ${redactUrl(repository)} of the dependency ${name} is no address: write https://, oci:// or file://`,
    )
  return fetch(dependency, signal)
}

function constraintOf({ name, version }: Dependency, where: string): Constraint {
  try {
    return parseConstraint(version)
  } catch (error) {
    if (!(error instanceof ConstraintError)) throw error
    throw new TerminalError(`${where}: the version of the dependency ${name}: ${error.message}`)
  }
}

function checkVersion(found: string, constraint: Constraint, { name, version }: Dependency, where: string): void {
  const parsed = parseVersion(found)
  if (parsed && constraint(parsed)) return
  throw new TerminalError(`${where}: the dependency ${name} is there in version ${found}, which is not ${version}: correct either`)
}

/** Relative addresses start at the chart. */
function localFolder(folder: string, repository: string, where: string): string {
  const path = repository.slice('file://'.length)
  if (path.startsWith('/'))
    throw new TerminalError(`${where}: ${repository} lies outside of the repository: write the path relative to the chart`)
  return posix.join(folder, path)
}

async function changedLock(
  tree: ChartTree,
  folder: string,
  metadata: ChartMetadata,
  locked: readonly LockedDependency[],
): Promise<ChartFile | undefined> {
  const name = lockName(metadata)
  const digest = lockDigest(metadata.dependencies, locked)
  const has = (await tree.list(folder))?.some((entry) => entry.name === name)
  const path = posix.join(folder, name)
  if (has && digestIn((await tree.read(path, MAX_METADATA_BYTES)).toString('utf8'), path) === digest) return undefined
  return { name, content: Buffer.from(lockText(locked, digest)) }
}
