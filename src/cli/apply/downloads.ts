// The parts that download charts; loaded only when a bundle needs one.
import { createChartSource } from '../../bundle/chart-source/chart-source.ts'
import type { CredentialsByFolder } from '../../bundle/chart-source/credentials.ts'
import { createChartDownloader } from '../../lib/charts/downloads.ts'
import { locate } from '../../lib/exec/locate.ts'
import { createDispatchers } from '../../lib/git/dispatchers.ts'
import { createIsomorphicBackend } from '../../lib/git/isomorphic.ts'
import type { ChartCall, OpenCharts } from './chart-source.ts'

/** A source for one call of the command. */
export async function createDownloads({ config, flags }: ChartCall, credentials: CredentialsByFolder): Promise<OpenCharts> {
  const { proxy, tempDir, pid, helmBinary, searchPath } = config
  const dispatchers = createDispatchers()
  const backend = createIsomorphicBackend(dispatchers)
  const downloader = createChartDownloader({ helm: await locate(helmBinary, searchPath), backend, proxy, tempDir, pid })
  return {
    source: createChartSource({ downloader, credentials, urlPattern: flags['helm-repo-url-regex'] }),
    close: async () => void (await Promise.all([downloader.close(), dispatchers.close()])),
  }
}
