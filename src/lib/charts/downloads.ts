// Charts from wherever they are: chart repositories, registries, archives, git.

import { readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { TerminalError } from '../controller/errors.ts'
import { createSlots } from '../exec/slots.ts'
import { withTempDir } from '../exec/temp-dir.ts'
import { createDispatchers } from '../git/dispatchers.ts'
import { DEFAULT_GIT_LIMITS, type GitBackend, type GitProxy } from '../git/types.ts'
import { isSshUrl, redactUrl } from '../git/url.ts'
import { unpackBytes, unpackFile } from './archive.ts'
import type { DependencyFetcher, FetchedDependency } from './dependencies.ts'
import { ChartError } from './errors.ts'
import { fetchGitChart } from './git-chart.ts'
import { createChartHttp, digestOf } from './http.ts'
import { CHART_LIMITS, type ChartLimits } from './limits.ts'
import { type Dependency, readMetadata } from './metadata.ts'
import { ociOrigin, pullChart } from './oci.ts'
import { createRepositories, type Repositories } from './repository.ts'
import { type ArchiveSource, parseChartAddress } from './source-url.ts'
import type { ChartAccess, ChartFile } from './types.ts'
import { createWorkFolder } from './work-folder.ts'

export interface ChartDownloaderOptions {
  /** path of the helm command, version 4; only registries need it */
  readonly helm: string
  /** for charts in git repositories; without it there are none */
  readonly backend?: GitBackend | undefined
  readonly proxy?: GitProxy | undefined
  /** parent of the folder that is made and removed again; one downloader of a process uses it */
  readonly tempDir: string
  /** id of this process, where it is not to be looked up */
  readonly pid?: number | undefined
  /** downloads at a time, 4 when unset */
  readonly concurrency?: number | undefined
  readonly limits?: Partial<ChartLimits> | undefined
}

/** Where a chart is to be had; empty texts where nothing was said. */
export interface ChartLocation {
  /** name in the repository, or an address */
  readonly chart: string
  readonly repo: string
  readonly version: string
}

/** Gives the access for an address: credentials belong to those they are meant for only. */
export type AccessFor = (address: string) => ChartAccess

/** Downloads on behalf of one reading: the index of a repository is read once. */
export interface ChartDownloads {
  /** The files of a chart as they unpack. Throws TerminalError for what the user has to change, ChartError for everything else. */
  chart(location: ChartLocation, accessFor: AccessFor, signal: AbortSignal): Promise<ChartFile[]>
  /** Fetches dependencies of charts. */
  dependencies(accessFor: AccessFor): DependencyFetcher
}

/** What all readings of a process share: connections, and how much is downloaded at a time. */
export interface ChartDownloader {
  readonly limits: ChartLimits
  session(): ChartDownloads
  /** Ends all connections and removes what is left of downloads. */
  close(): Promise<void>
}

const DEFAULT_CONCURRENCY = 4

export function createChartDownloader(options: ChartDownloaderOptions): ChartDownloader {
  const limits = { ...CHART_LIMITS, ...options.limits }
  const dispatchers = createDispatchers()
  const slots = createSlots(options.concurrency ?? DEFAULT_CONCURRENCY)
  const http = createChartHttp({ dispatchers, proxy: options.proxy, timeMs: limits.timeMs })
  const { helm, backend, proxy } = options
  const work = createWorkFolder(options.tempDir, options.pid ?? process.pid)
  const oci = { helm, proxy, work, limits }
  const git = backend && { backend, proxy, work, limits, gitLimits: { ...DEFAULT_GIT_LIMITS, timeMs: limits.timeMs } }

  async function inFolder<T>(use: (dir: string) => Promise<T>): Promise<T> {
    return withTempDir(await work.path(), 'chart-', use)
  }

  async function locate(
    repositories: Repositories,
    location: ChartLocation,
    accessFor: AccessFor,
    signal: AbortSignal,
  ): Promise<ChartFile[]> {
    const { chart, repo, version } = location
    const registry = [chart, repo].find(isRegistry)
    if (registry)
      return pullChart(registry, version, accessFor(registry), oci, signal, ({ path }) =>
        unpackFile(path, { shown: registry, limits, signal }),
      )
    if (repo !== '') return fromRepository(repositories, location, accessFor(repo), signal)
    const source = parseChartAddress(chart)
    if (!source)
      throw new TerminalError(
        `the chart ${chart} is neither in the folder nor an address: correct helm.chart, or name its repository in helm.repo`,
      )
    const access = accessFor(chart)
    if (source.kind === 'archive') return fromArchive(source, access, signal)
    if (!git) throw new TerminalError(`${redactUrl(chart)} is a git repository: only GitRepos can have charts from there`)
    return fetchGitChart(source, access, git, signal)
  }

  function fromRepository(
    repositories: Repositories,
    { chart, repo, version }: ChartLocation,
    access: ChartAccess,
    signal: AbortSignal,
  ): Promise<ChartFile[]> {
    return inFolder(async (dir) => {
      const found = await repositories.find({ repository: repo, chart, version, access }, signal)
      const path = join(dir, 'archive')
      await repositories.fetch(found, path, access, signal)
      return unpackFile(path, { shown: redactUrl(found.url), limits, signal })
    })
  }

  function fromArchive({ url, folder, checksum }: ArchiveSource, access: ChartAccess, signal: AbortSignal): Promise<ChartFile[]> {
    const shown = redactUrl(url)
    return inFolder(async (dir) => {
      const path = join(dir, 'archive')
      await http.file(url, path, { access, maxBytes: limits.archiveBytes, signal })
      if (checksum && (await digestOf(path, checksum.algorithm)) !== checksum.digest)
        throw new ChartError(`${shown} does not have the ${checksum.algorithm} checksum that helm.chart names: correct either`)
      const files = await unpackFile(path, { shown, folder, limits, signal })
      if (files.length === 0) throw new ChartError(`${shown} has no files${folder ? ` in ${folder}` : ''}: correct helm.chart`)
      return files
    })
  }

  function fromRepositoryPacked(
    repositories: Repositories,
    { name, version, repository }: Dependency,
    access: ChartAccess,
    signal: AbortSignal,
  ): Promise<FetchedDependency> {
    return inFolder(async (dir) => {
      const found = await repositories.find({ repository, chart: name, version, access }, signal)
      const path = join(dir, 'archive')
      await repositories.fetch(found, path, access, signal)
      const file = basename(new URL(found.url).pathname)
      const isPlain = /^[A-Za-z0-9][A-Za-z0-9._+-]*\.tgz$/.test(file)
      return {
        version: found.entry.version,
        archive: { name: isPlain ? file : `${name}-${found.entry.version}.tgz`, content: await readFile(path) },
      }
    })
  }

  function fromRegistryPacked(
    { name, version, repository }: Dependency,
    access: ChartAccess,
    signal: AbortSignal,
  ): Promise<FetchedDependency> {
    const reference = `${repository.replace(/\/+$/, '')}/${name}`
    return pullChart(reference, version, access, oci, signal, async (pulled) => {
      const content = await readFile(pulled.path)
      const files = await unpackBytes(content, { shown: reference, limits, signal })
      const chart = files.find((file) => /^[^/]+\/Chart\.yaml$/.test(file.name))
      if (!chart) throw new ChartError(`${reference} has no Chart.yaml`)
      return {
        version: readMetadata(chart.content.toString('utf8'), undefined, reference).version,
        archive: { name: pulled.name, content },
      }
    })
  }

  return {
    limits,
    session() {
      const repositories = createRepositories(http, limits)
      return {
        chart: (location, accessFor, signal) => slots.run(() => locate(repositories, location, accessFor, signal), signal),
        dependencies: (accessFor) => (dependency, signal) =>
          slots.run(() => {
            const access = accessFor(dependency.repository)
            return isRegistry(dependency.repository)
              ? fromRegistryPacked(dependency, access, signal)
              : fromRepositoryPacked(repositories, dependency, access, signal)
          }, signal),
      }
    },
    async close() {
      await Promise.all([dispatchers.close(), work.remove()])
    },
  }
}

function isRegistry(address: string): boolean {
  return address.startsWith('oci://')
}

/** The origin to which credentials for an address belong; undefined for what is no address. Throws TerminalError for addresses that cannot be asked. */
export function originOf(address: string): string | undefined {
  if (isRegistry(address)) return ociOrigin(address)
  const source = parseChartAddress(address)
  return source && !isSshUrl(source.url) ? new URL(source.url).origin : undefined
}
