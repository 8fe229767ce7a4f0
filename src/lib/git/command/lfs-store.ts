// Where the large files of a repository are kept: beside it on its web server, or wherever its ssh server says.
import { GitError } from '../errors.ts'
import { redactUrl } from '../url.ts'
import { authorizationFor, type HttpAccess } from './http-access.ts'
import type { LfsStore } from './lfs.ts'
import type { Job, Origin } from './origin.ts'
import { runInGroup } from './process-group.ts'
import type { SshAccess } from './ssh-access.ts'
import { toCommandError } from './stderr-table.ts'

const MAX_ANSWER_BYTES = 64 * 1_024
const MEMORY_KB = 2 ** 20

/** The way to the store of a repository. A setting of the repository itself (.lfsconfig) has no say in it. */
export async function openLfsStore(job: Job, origin: Origin, dir: string): Promise<LfsStore> {
  const common = { url: origin.remote.url, idleMs: job.idleMs, signal: job.signal }
  const { http, ssh } = origin
  if (http) return { ...common, ...overHttp(http) }
  if (!ssh) throw new Error('an origin is reached in some way')
  const { endpoint, headers } = await askBySsh(origin.signal, ssh, origin.remote.url, dir)
  const own = new URL(endpoint).origin
  return {
    ...common,
    endpoint,
    headersFor: (target) => (target.origin === own ? headers : {}),
    dispatcherFor: (target) => job.dispatchers.for(origin.remote, target),
  }
}

function overHttp(http: HttpAccess): Pick<LfsStore, 'endpoint' | 'headersFor' | 'dispatcherFor'> {
  return {
    endpoint: `${http.url}${http.url.endsWith('.git') ? '' : '.git'}/info/lfs`,
    headersFor: (target) => authorizationFor(target, http),
    dispatcherFor: http.dispatcherFor,
  }
}

/** `git-lfs-authenticate` on the server names the address of the store, and what to show there. */
async function askBySsh(
  signal: AbortSignal,
  { command, address }: SshAccess,
  url: string,
  cwd: string,
): Promise<{ endpoint: string; headers: Record<string, string> }> {
  const { user, host, port, path } = address
  const question = `git-lfs-authenticate '${path.replace(/['!]/g, (letter) => `'\\${letter}'`)}' download`
  const [program = '', ...options] = command
  const args = [...options, '-p', String(port), '-l', user, '--', host, question]
  const { stdout } = await runInGroup(program, args, {
    cwd,
    env: { LC_ALL: 'C' },
    signal,
    memoryKb: MEMORY_KB,
    maxOutputBytes: MAX_ANSWER_BYTES,
  }).catch((error: unknown) => {
    signal.throwIfAborted()
    throw toCommandError(error, url)
  })
  const answer = parse(stdout.toString('utf8'))
  const href = String(answer?.href)
  if (!answer || !URL.canParse(href) || new URL(href).protocol !== 'https:')
    throw new GitError(
      'protocol',
      `the server of ${redactUrl(url)} does not say where its store of large files (git LFS) is; read the repository by its https address`,
    )
  const header = Object.entries(typeof answer.header === 'object' && answer.header !== null ? answer.header : {})
  return {
    endpoint: href.replace(/\/+$/, ''),
    headers: Object.fromEntries(header.flatMap(([name, value]) => (typeof value === 'string' ? [[name.toLowerCase(), value]] : []))),
  }
}

function parse(text: string): { href?: unknown; header?: unknown } | undefined {
  try {
    return JSON.parse(text) as { href?: unknown; header?: unknown }
  } catch {
    return undefined // no JSON
  }
}
