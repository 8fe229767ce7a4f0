// Charts of HelmOps, which agents download themselves (spec 7.2, 8.7): with the credentials that the hub put into the cluster's namespace, and each chart once.
import { createHash } from 'node:crypto'
import type { BundleDeployment } from '../api/bundle-deployment.ts'
import type { HelmOptions } from '../api/bundle-deployment-options.ts'
import { chartAccess } from '../api/chart-access.ts'
import { type ChartCredentials, credentialsOfSecret } from '../api/chart-secret.ts'
import { chartDirectory } from '../api/names.ts'
import type { ContentFile } from '../bundle/read-contents.ts'
import type { ChartDownloader, ChartLocation } from '../lib/charts/downloads.ts'
import { ChartError } from '../lib/charts/errors.ts'
import type { ChartAccess, ChartFile } from '../lib/charts/types.ts'
import type { Clock } from '../lib/controller/clock.ts'
import { messageOf, TerminalError, WaitingError } from '../lib/controller/errors.ts'
import { redactUrl } from '../lib/git/url.ts'
import type { KubeClient } from '../lib/kube/client.ts'
import type { KubeObject } from '../lib/kube/types.ts'
import { parseStrictVersion } from '../lib/semver/version.ts'

export interface ChartDownloadOptions {
  hub: Pick<KubeClient, 'find'>
  /** Not closed here. */
  downloader: Pick<ChartDownloader, 'session'>
  clock: Clock
}

export interface ChartDownloads {
  /**
   * The files of the chart that a deployment asks for, in the folder where rendering looks for a downloaded chart.
   * Throws `WaitingError` while the secret is missing, TerminalError for what the user has to change, ChartError for what may pass.
   */
  files(deployment: BundleDeployment, signal: AbortSignal): Promise<ContentFile[]>
  /** Ends the downloads that are under way. */
  close(): void
}

/** Reason of the error for a secret that is not there (yet). */
export const WAITING_FOR_CHART_SECRET = 'WaitingForChartSecret'
/** Bytes of charts that are kept, unpacked. */
const MAX_KEPT_BYTES = 24 * 2 ** 20
/** A version, once published, stays what it is; whoever publishes it anew has to ask for it by forceSyncGeneration. */
const KEEP_VERSION_MS = 24 * 3_600_000
/** What stands behind an address may be another chart soon. */
const KEEP_ADDRESS_MS = 60_000
/** The hub writes the secret just after the deployment: the first looks may come too early. */
const SECRET_RETRY_MS = 1_000

interface Kept {
  readonly files: Promise<readonly ChartFile[]>
  bytes: number
  readonly until: number
}

type Secret = KubeObject & { data?: Record<string, string> }

export function createChartDownloads({ hub, downloader, clock }: ChartDownloadOptions): ChartDownloads {
  const kept = new Map<string, Kept>()
  const closing = new AbortController()

  async function credentials({ metadata, spec }: BundleDeployment): Promise<ChartCredentials> {
    const name = spec.helmChartOptions?.helmOpSecretName ?? ''
    const namespace = metadata.namespace ?? ''
    if (name === '') return {}
    const secret = await hub.find<Secret>({ apiVersion: 'v1', kind: 'Secret', name, namespace })
    if (secret) return credentialsOfSecret(secret.data, name)
    throw new WaitingError(
      `the secret ${name} with the credentials of the chart repository is missing in namespace ${namespace} of the hub`,
      {
        reason: WAITING_FOR_CHART_SECRET,
        retryAfterMs: SECRET_RETRY_MS,
      },
    )
  }

  function keep(id: string, version: string, load: () => Promise<readonly ChartFile[]>): Promise<readonly ChartFile[]> {
    const known = kept.get(id)
    kept.delete(id)
    if (known && known.until > clock.now()) {
      kept.set(id, known) // the most recently used ones come last
      return known.files
    }
    const files = load()
    const entry: Kept = { files, bytes: 0, until: clock.now() + (parseStrictVersion(version) ? KEEP_VERSION_MS : KEEP_ADDRESS_MS) }
    kept.set(id, entry)
    files.then(
      (loaded) => {
        entry.bytes = loaded.reduce((sum, { content }) => sum + content.byteLength, 0)
        forgetOldest()
      },
      () => kept.get(id) === entry && kept.delete(id), // whoever asks next tries anew
    )
    return files
  }

  function forgetOldest(): void {
    let total = [...kept.values()].reduce((sum, { bytes }) => sum + bytes, 0)
    for (const [id, { bytes }] of kept) {
      if (total <= MAX_KEPT_BYTES) return
      kept.delete(id)
      total -= bytes
    }
  }

  return {
    async files(deployment, signal) {
      const helm = deployment.spec.options?.helm ?? {}
      const location = locationOf(helm)
      return explain(location, async () => {
        const access = accessOf(deployment, location, await credentials(deployment))
        const id = idOf(location, access, deployment.spec.options?.forceSyncGeneration ?? 0)
        // A download belongs to all who want the chart: that one of them gives up does not end it.
        const download = keep(id, location.version, () => downloader.session().chart(location, () => access, closing.signal))
        const files = await orAborted(download, signal)
        const folder = chartDirectory(location.chart, location.repo, location.version)
        return files.map(({ name, content }) => ({ name: `${folder}/${name}`, content }))
      })
    },
    close: () => closing.abort(new Error('the agent stops')),
  }
}

function locationOf({ repo = '', chart = '', version = '' }: HelmOptions): ChartLocation {
  return { repo, chart, version }
}

function accessOf({ spec }: BundleDeployment, { repo, chart }: ChartLocation, own: ChartCredentials): ChartAccess {
  const { helmOpInsecureSkipTLSVerify, helmOpCABundle } = spec.helmChartOptions ?? {}
  return chartAccess(repo || chart, own, {
    insecureSkipTLSVerify: helmOpInsecureSkipTLSVerify,
    caBundle: helmOpCABundle ? Buffer.from(helmOpCABundle, 'base64').toString('utf8') : undefined,
  })
}

/** Who is not let in by the server is not served from what others were given. */
function idOf({ repo, chart, version }: ChartLocation, access: ChartAccess, forced: number): string {
  return createHash('sha256')
    .update(JSON.stringify([repo, chart, version, access, forced]))
    .digest('base64')
}

async function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted()
  const { promise, reject } = Promise.withResolvers<never>()
  const giveUp = (): void => reject(signal.reason)
  signal.addEventListener('abort', giveUp, { once: true })
  try {
    return await Promise.race([work, promise])
  } finally {
    signal.removeEventListener('abort', giveUp)
  }
}

/** Names the chart in errors about it; they stay what they are. */
async function explain<T>({ repo, chart, version }: ChartLocation, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const name = [chart && shown(chart), version, repo && `of ${shown(repo)}`].filter((part) => part !== '').join(' ')
    const message = `chart ${name}: ${messageOf(error)}`
    if (error instanceof TerminalError) throw new TerminalError(message, { reason: error.reason })
    if (error instanceof ChartError) throw new ChartError(message, { retryAfterMs: error.retryAfterMs })
    throw error
  }
}

function shown(text: string): string {
  return /[/:@?]/.test(text) ? redactUrl(text) : text
}
