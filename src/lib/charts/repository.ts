// Chart repositories: an index, kept for a while, and the archives it lists.
import { TerminalError } from '../controller/errors.ts'
import { redactUrl } from '../git/url.ts'
import { ChartError } from './errors.ts'
import { type ChartHttp, digestOf, parseAddress } from './http.ts'
import type { ChartLimits } from './limits.ts'
import { archiveUrl, entriesOf, type IndexEntry, selectVersion } from './repository-index.ts'
import type { ChartAccess } from './types.ts'

export interface RepositoryRequest {
  /** http(s) address of the repository */
  readonly repository: string
  readonly chart: string
  /** a version or a range; empty for the highest version */
  readonly version: string
  readonly access: ChartAccess
}

/** A version that was found, and the address of its archive. */
export interface FoundVersion {
  readonly entry: IndexEntry
  readonly url: string
}

export interface Repositories {
  /** Which version is meant, by the index. Throws TerminalError for what can never be found, ChartError for what is not there now. */
  find(request: RepositoryRequest, signal: AbortSignal): Promise<FoundVersion>
  /** Writes the archive to a new file and checks it against the index. */
  fetch(found: FoundVersion, into: string, access: ChartAccess, signal: AbortSignal): Promise<void>
}

const KEPT_INDEXES = 8

/** Indexes are read once for as long as the returned object lives, the least recently used ones forgotten. */
export function createRepositories(http: ChartHttp, limits: ChartLimits): Repositories {
  const indexes = new Map<string, Promise<string>>()

  function index(repository: string, access: ChartAccess, signal: AbortSignal): Promise<string> {
    const id = JSON.stringify([repository, access])
    const known = indexes.get(id)
    const text = known ?? http.text(indexUrl(repository), { access, maxBytes: limits.indexBytes, signal })
    indexes.delete(id)
    indexes.set(id, text)
    const [oldest] = indexes.keys()
    if (indexes.size > KEPT_INDEXES && oldest !== undefined) indexes.delete(oldest)
    if (!known) text.catch(() => indexes.delete(id)) // whoever asks next tries anew
    return text
  }

  return {
    async find({ repository, chart, version, access }, signal) {
      if (chart === '') throw new TerminalError(`${redactUrl(repository)}: name the chart of this repository in helm.chart`)
      const shown = redactUrl(repository)
      const entries = entriesOf(await index(repository, access, signal), chart, shown)
      if (!entries?.length) throw new ChartError(`the repository ${shown} has no chart ${chart}: correct helm.chart or helm.repo`)
      const entry = selectVersion(entries, version)
      if (!entry) throw new ChartError(`the chart ${chart} of ${shown} has no version ${version || 'that is no pre-release'}: name another`)
      return { entry, url: archiveUrl(repository, entry) }
    },

    async fetch({ entry, url }, into, access, signal) {
      await http.file(url, into, { access, maxBytes: limits.archiveBytes, signal })
      const expected = entry.digest.replace(/^sha256:/i, '').toLowerCase()
      if (expected !== '' && (await digestOf(into, 'sha256')) !== expected)
        throw new ChartError(`${redactUrl(url)} is not the archive that index.yaml lists (its SHA-256 differs): have the index made anew`)
    },
  }
}

/** Where the index of a repository lies. Throws TerminalError for what is no address. */
export function indexUrl(repository: string): string {
  const url = parseAddress(repository)
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/index.yaml`
  return url.href
}
