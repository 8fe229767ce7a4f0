// Downloads charts for bundles: which credentials a folder has, to which addresses they may go, and each chart once (spec 6.4).
import { posix } from 'node:path'
import type { ChartCredentials } from '../../api/chart-secret.ts'
import { type DependencyUpdate, updateDependencies } from '../../lib/charts/dependencies.ts'
import { type AccessFor, type ChartDownloader, originOf } from '../../lib/charts/downloads.ts'
import { ChartError } from '../../lib/charts/errors.ts'
import { fileTree } from '../../lib/charts/file-tree.ts'
import type { ChartAccess, ChartFile, ChartTree } from '../../lib/charts/types.ts'
import { messageOf, TerminalError } from '../../lib/controller/errors.ts'
import { redactUrl } from '../../lib/git/url.ts'
import type { ChartContext, ChartRequest, ChartSource } from '../charts.ts'
import type { CredentialsByFolder } from './credentials.ts'
import { compileUrlPattern, type UrlPattern } from './url-pattern.ts'

export interface ChartSourceOptions {
  readonly downloader: ChartDownloader
  /** who may see what; nobody sees anything when unset */
  readonly credentials?: CredentialsByFolder | undefined
  /** helmRepoURLRegex: user name and password go only to addresses that match; to none when it is empty */
  readonly urlPattern?: string | undefined
  /** PEM certificates for folders that bring none */
  readonly caBundle?: string | undefined
}

const NEVER = new AbortController().signal

/** A source for one reading of a repository: what it has downloaded once it has for good. */
export function createChartSource({ downloader, credentials, urlPattern, caBundle }: ChartSourceOptions): ChartSource {
  const permits = urlPattern ? lazily(() => compileUrlPattern(urlPattern)) : undefined
  const session = downloader.session()
  const charts = new Map<string, Promise<readonly ChartFile[]>>()

  function accessIn(folder: string): AccessFor {
    const own = credentials?.(folder) ?? {}
    return (address) => accessFor(address, { ...own, caBundle: own.caBundle || caBundle }, permits?.())
  }

  async function download(request: ChartRequest, context: ChartContext): Promise<readonly ChartFile[]> {
    const { folder, signal = NEVER, updateDependencies: wantsDependencies } = context
    return explain(request, folder, async () => {
      const access = accessIn(folder)
      const id = JSON.stringify([request.chart, request.repo, request.version, wantsDependencies, credentials?.(folder)])
      const known = charts.get(id)
      if (known) return known
      const files = complete(request, access, wantsDependencies, signal)
      charts.set(id, files)
      files.catch(() => charts.delete(id)) // whoever asks next tries anew
      return files
    })
  }

  async function complete(request: ChartRequest, access: AccessFor, wantsDependencies: boolean, signal: AbortSignal): Promise<ChartFile[]> {
    const files = await session.chart(request, access, signal)
    const folder = wantsDependencies ? chartFolder(files) : undefined
    if (folder === undefined) return files
    const { added, removed } = await update(fileTree(files), folder, access, signal)
    const gone = new Set(removed.map((name) => posix.join(folder, name)))
    const more = added.map(({ name, content }) => ({ name: posix.join(folder, name), content }))
    return [...new Map([...files.filter(({ name }) => !gone.has(name)), ...more].map((file) => [file.name, file])).values()]
  }

  function update(tree: ChartTree, folder: string, access: AccessFor, signal: AbortSignal): Promise<DependencyUpdate> {
    return updateDependencies(tree, folder, { fetch: session.dependencies(access), limits: downloader.limits, signal })
  }

  return {
    download,
    dependencies: (tree, folder, { folder: bundle, signal = NEVER }) =>
      withPlace(folder, async () => update(tree, folder, accessIn(bundle), signal)),
  }
}

/** The folder of the chart among what was downloaded: the top, or the only folder below it. */
function chartFolder(files: readonly ChartFile[]): string | undefined {
  const depths = files.filter(({ name }) => posix.basename(name) === 'Chart.yaml').map(({ name }) => posix.dirname(name))
  return depths.find((folder) => folder === '.') ?? depths.find((folder) => !folder.includes('/'))
}

/** Certificates are for everybody; the login and the key are for the origin of an address that the user has allowed. */
function accessFor(address: string, own: ChartCredentials, permits: UrlPattern | undefined): ChartAccess {
  const { username, password, caBundle, insecureSkipTLSVerify, basicHTTP, sshPrivateKey, sshKnownHosts } = own
  const common = { caBundle: caBundle || undefined, insecureSkipTLSVerify, plainHttp: basicHTTP }
  if (!(username && password) && !sshPrivateKey) return common
  if (!permits)
    return { ...common, withheld: 'those that are there are sent only to addresses that helmRepoURLRegex matches, which is not set' }
  if (!permits(address))
    return { ...common, withheld: 'those that are there are not sent to it, because helmRepoURLRegex does not match its address' }
  const origin = originOf(address)
  return {
    ...common,
    ...(origin !== undefined && username && password ? { credentials: { origin, username, password } } : {}),
    ...(sshPrivateKey ? { ssh: { privateKey: sshPrivateKey, knownHosts: sshKnownHosts } } : {}),
  }
}

async function explain<T>({ chart, repo, version }: ChartRequest, folder: string, work: () => Promise<T>): Promise<T> {
  const name = [shown(chart), version, repo ? `of ${shown(repo)}` : ''].filter((part) => part !== '').join(' ')
  return withPlace(`${folder}: chart ${name}`, work)
}

/** Names the place in errors about charts; they stay what they are. */
async function withPlace<T>(place: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const message = `${place}: ${messageOf(error)}`
    if (error instanceof TerminalError) throw new TerminalError(message, { reason: error.reason })
    if (error instanceof ChartError) throw new ChartError(message, { retryAfterMs: error.retryAfterMs })
    throw error
  }
}

/** A name is shown as it is, an address without what may be secret in it. */
function shown(text: string): string {
  return /[/:@?]/.test(text) ? redactUrl(text) : text
}

function lazily<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined
  return () => {
    made ??= { value: make() }
    return made.value
  }
}
