// Which versions of charts there are: in the index of a repository, or among the tags of a registry. Nothing is downloaded but the list.
import { createHash } from 'node:crypto'
import { messageOf, TerminalError } from '../controller/errors.ts'
import { createDispatchers } from '../git/dispatchers.ts'
import type { GitProxy } from '../git/types.ts'
import { redactUrl } from '../git/url.ts'
import { OciError } from '../oci/errors.ts'
import { parseRepository } from '../oci/reference.ts'
import { createRegistries } from '../oci/registry.ts'
import { ChartError } from './errors.ts'
import { createChartHttp } from './http.ts'
import { CHART_LIMITS } from './limits.ts'
import { indexUrl } from './repository.ts'
import { entriesOf } from './repository-index.ts'
import type { ChartAccess } from './types.ts'

/** Versions by chart, those that can be downloaded; a chart that is not there is missing. */
export type VersionsByChart = ReadonlyMap<string, readonly string[]>

export interface ChartVersions {
  /**
   * The versions of charts of one repository, for as many charts as are asked for by one request, which costs next to nothing if the index is the one
   * that was read before. Of a registry (`oci://host/path`) the only chart is the empty text.
   * Throws TerminalError for addresses nobody can ask, ChartError for everything else.
   */
  list(repo: string, charts: readonly string[], access: ChartAccess, signal: AbortSignal): Promise<VersionsByChart>
  close(): Promise<void>
}

interface KnownIndex {
  readonly mark: string
  readonly asked: ReadonlySet<string>
  readonly versions: VersionsByChart
}

/** A list is small: a server that takes longer than this has a problem. */
const TIME_MS = 60_000
/** Repositories of which the versions are remembered. */
const MAX_KNOWN = 200

export function createChartVersions({ proxy }: { readonly proxy?: GitProxy | undefined } = {}): ChartVersions {
  const dispatchers = createDispatchers()
  const http = createChartHttp({ dispatchers, proxy, timeMs: TIME_MS })
  const registries = createRegistries({ proxy, limits: { timeMs: TIME_MS } })
  const known = new Map<string, KnownIndex>()

  async function fromIndex(repo: string, charts: readonly string[], access: ChartAccess, signal: AbortSignal): Promise<VersionsByChart> {
    const id = createHash('sha256')
      .update(JSON.stringify([repo, access]))
      .digest('base64')
    const before = known.get(id)
    const usable = before && charts.every((chart) => before.asked.has(chart)) ? before : undefined
    const index = await http.changedText(indexUrl(repo), usable?.mark, { access, maxBytes: CHART_LIMITS.indexBytes, signal })
    if (!index && usable) return usable.versions
    const versions = versionsIn(index?.text ?? '', charts, redactUrl(repo))
    known.delete(id)
    if (index?.mark) known.set(id, { mark: index.mark, asked: new Set(charts), versions })
    const [oldest] = known.keys()
    if (known.size > MAX_KNOWN && oldest !== undefined) known.delete(oldest)
    return versions
  }

  async function fromRegistry(repo: string, access: ChartAccess, signal: AbortSignal): Promise<VersionsByChart> {
    const { credentials, caBundle, insecureSkipTLSVerify, plainHttp } = access
    try {
      const repository = registries.repository(parseRepository(repo), {
        credentials,
        caBundle,
        insecureSkipTLSVerify,
        basicHttp: plainHttp,
      })
      const tags = await repository.tags(signal)
      return new Map(tags.length > 0 ? [['', tags.map(versionOfTag)]] : [])
    } catch (error) {
      if (!(error instanceof OciError)) throw error
      if (error.kind === 'invalid-reference') throw new TerminalError(messageOf(error))
      const where = error.kind === 'certificate' ? ' (as cacerts in the secret)' : ''
      throw new ChartError(`${error.message}${where}`, { retryAfterMs: error.retryAfterMs })
    }
  }

  return {
    list: (repo, charts, access, signal) =>
      repo.startsWith('oci://') ? fromRegistry(repo, access, signal) : fromIndex(repo, charts, access, signal),
    async close() {
      await Promise.all([dispatchers.close(), registries.close()])
    },
  }
}

function versionsIn(index: string, charts: readonly string[], shown: string): VersionsByChart {
  const found = charts.map((chart) => [chart, entriesOf(index, chart, shown) ?? []] as const)
  const known = found.filter(([, entries]) => entries.length > 0)
  return new Map(known.map(([chart, entries]) => [chart, entries.filter(({ urls }) => urls.length > 0).map(({ version }) => version)]))
}

/** Tags cannot hold a plus. */
function versionOfTag(tag: string): string {
  return tag.replaceAll('_', '+')
}
