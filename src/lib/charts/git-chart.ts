// Charts in git repositories.
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { TerminalError } from '../controller/errors.ts'
import { withTempDir } from '../exec/temp-dir.ts'
import { GitError } from '../git/errors.ts'
import { PROVIDER_KEYS } from '../git/known-hosts-providers.ts'
import { isCommitId } from '../git/refs.ts'
import type { GitBackend, GitLimits, GitProxy, GitRef, GitRemote } from '../git/types.ts'
import { isSshUrl, redactUrl } from '../git/url.ts'
import { ChartError } from './errors.ts'
import type { ChartLimits } from './limits.ts'
import type { GitSource } from './source-url.ts'
import type { ChartAccess, ChartFile } from './types.ts'
import type { WorkFolder } from './work-folder.ts'

export interface GitChartOptions {
  readonly backend: GitBackend
  readonly proxy?: GitProxy | undefined
  readonly work: WorkFolder
  readonly gitLimits: GitLimits
  readonly limits: ChartLimits
}

/** The files of a folder in a repository. Throws TerminalError for what the user has to change, ChartError for everything else. */
export async function fetchGitChart(
  source: GitSource,
  access: ChartAccess,
  options: GitChartOptions,
  signal: AbortSignal,
): Promise<ChartFile[]> {
  const { backend, gitLimits, work } = options
  const remote = remoteOf(source, access, options.proxy)
  try {
    const commit = await resolveFirst(backend, remote, refsOf(source.ref), signal)
    return await withTempDir(await work.path(), 'git-chart-', async (dir) => {
      const root = join(dir, 'files')
      const limits = { ...gitLimits, bytes: Math.min(gitLimits.bytes, options.limits.unpackedBytes) }
      await backend.fetch(remote, commit, root, { limits, ...(source.folder ? { paths: [source.folder] } : {}) }, signal)
      return await readFolder(join(root, source.folder), redactUrl(source.url), options.limits)
    })
  } catch (error) {
    if (!(error instanceof GitError)) throw error
    if (error.kind === 'invalid-url') throw new TerminalError(error.message)
    throw new ChartError(error.message, { retryAfterMs: error.retryAfterMs })
  }
}

function remoteOf(
  { url }: GitSource,
  { credentials, caBundle, insecureSkipTLSVerify, ssh }: ChartAccess,
  proxy: GitProxy | undefined,
): GitRemote {
  if (isSshUrl(url)) {
    const own = ssh?.knownHosts?.trim() ? [{ name: 'the known_hosts of the credentials', text: ssh.knownHosts }] : []
    return {
      url,
      credentials: ssh && { kind: 'ssh', privateKey: ssh.privateKey },
      hostKeys: { known: [...own, PROVIDER_KEYS] },
      proxy,
    }
  }
  const { origin } = new URL(url)
  const { username, password } = credentials ?? {}
  const own = credentials?.origin === origin ? ({ kind: 'basic', username: username ?? '', password: password ?? '' } as const) : undefined
  return { url, credentials: own, caBundle, insecureSkipTLSVerify, proxy }
}

/** A branch before a tag of the same name. Without a name the branches that are usually the default are tried. */
function refsOf(ref: string): GitRef[] {
  if (isCommitId(ref)) return [{ commit: ref }]
  return ref === '' ? [{ branch: 'main' }, { branch: 'master' }] : [{ branch: ref }, { tag: ref }]
}

async function resolveFirst(backend: GitBackend, remote: GitRemote, refs: readonly GitRef[], signal: AbortSignal): Promise<string> {
  let last: unknown
  for (const ref of refs) {
    try {
      return await backend.resolve(remote, ref, signal)
    } catch (error) {
      if (!(error instanceof GitError) || error.kind !== 'unknown-ref') throw error
      last = error
    }
  }
  throw last
}

async function readFolder(root: string, shown: string, limits: ChartLimits): Promise<ChartFile[]> {
  const files: ChartFile[] = []
  let bytes = 0
  const entries = await readdir(root, { withFileTypes: true, recursive: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') throw error
    throw new ChartError(`${shown} has no folder of that name: correct what stands behind // in helm.chart`)
  })
  for (const entry of entries) {
    if (entry.isDirectory()) continue
    const path = join(entry.parentPath, entry.name)
    const name = path.slice(root.length + 1)
    if (!entry.isFile()) throw new TerminalError(`${shown}: ${name} is a symlink: a chart may hold files and folders only`)
    const content = await readFile(path)
    bytes += content.byteLength
    files.push({ name, content })
    if (bytes > limits.chartBytes || files.length > limits.files)
      throw new TerminalError(`${shown} has more files than a chart may have: name the folder of the chart behind //`)
  }
  return files
}
