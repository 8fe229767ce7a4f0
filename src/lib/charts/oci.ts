// Charts in OCI registries, by the helm command: every call has a home of its own, which holds the credentials and is gone afterwards.
import { readdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { getCACertificates } from 'node:tls'
import { messageOf, TerminalError } from '../controller/errors.ts'
import { exec } from '../exec/exec.ts'
import { ExecError } from '../exec/exec-error.ts'
import { withTempDir } from '../exec/temp-dir.ts'
import type { GitProxy } from '../git/types.ts'
import { helmMessage } from '../helm/errors.ts'
import { ChartError } from './errors.ts'
import type { ChartLimits } from './limits.ts'
import type { ChartAccess } from './types.ts'
import type { WorkFolder } from './work-folder.ts'

export interface OciOptions {
  /** path of the helm command, version 4 */
  readonly helm: string
  readonly work: WorkFolder
  readonly proxy?: GitProxy | undefined
  readonly limits: ChartLimits
}

/** A chart as it was pulled; the file is gone when `use` has returned. */
export interface PulledChart {
  readonly path: string
  /** `<chart>-<version>.tgz` */
  readonly name: string
}

const REFERENCE = /^oci:\/\/([A-Za-z0-9.-]+(?::\d+)?|\[[0-9a-f:]+\](?::\d+)?)\/[A-Za-z0-9._/-]+(?::[\w.+-]+)?(?:@sha256:[0-9a-f]{64})?$/

const TAGGED = /^(oci:\/\/[^/]+\/[^:@]+):([^@]+)$/

/** How helm says that it does not know who signed a certificate. */
const UNKNOWN_AUTHORITY = /x509: certificate signed by unknown authority/
/** How helm says that a registry wants to know who asks. */
const WANTS_LOGIN = /\b40[13]\b|unauthorized|denied|credential not found/i

/** The origin of a reference as `ChartAccess.credentials` wants it: `oci://host:port`. Throws TerminalError for what is no reference. */
export function ociOrigin(reference: string): string {
  const host = REFERENCE.exec(reference)?.[1]
  if (!host) throw new TerminalError(`${shownOf(reference)} is no chart in a registry: write oci://host/path`)
  return `oci://${host.toLowerCase()}`
}

/**
 * Pulls `oci://host/path/chart` in a version or the highest of a range (empty: the highest) and hands it to `use`.
 * Throws TerminalError for what the user has to change, ChartError for everything else.
 */
export async function pullChart<T>(
  reference: string,
  version: string,
  access: ChartAccess,
  options: OciOptions,
  signal: AbortSignal,
  use: (pulled: PulledChart) => Promise<T>,
): Promise<T> {
  const origin = ociOrigin(reference)
  return withTempDir(await options.work.path(), 'oci-chart-', async (home) => {
    const args = await pullArgs(reference, version, origin, access, home)
    await run(args, reference, version, access, home, options, signal)
    const [name] = (await readdir(home)).filter((file) => file.endsWith('.tgz'))
    if (!name) throw new ChartError(`${reference}: the registry has something else than a chart there: correct the reference`)
    const path = join(home, name)
    if ((await stat(path)).size > options.limits.archiveBytes) throw new TerminalError(`${reference} is larger than a chart may be`)
    return use({ path, name })
  })
}

async function pullArgs(reference: string, version: string, origin: string, access: ChartAccess, home: string): Promise<string[]> {
  const asked = withoutTag(reference, version)
  const args = ['pull', asked.reference, '--destination', home, '--registry-config', join(home, 'registry.json')]
  const { credentials, caBundle, insecureSkipTLSVerify, plainHttp } = access
  const mine = credentials?.origin === origin ? credentials : undefined
  const auth = mine && Buffer.from(`${mine.username}:${mine.password}`).toString('base64')
  const auths = auth === undefined ? {} : { [origin.slice('oci://'.length)]: { auth } }
  await writeFile(join(home, 'registry.json'), JSON.stringify({ auths }), { mode: 0o600 })
  if (asked.version !== '') args.push('--version', asked.version)
  if (insecureSkipTLSVerify) args.push('--insecure-skip-tls-verify')
  else if (caBundle) args.push('--ca-file', await writeAuthorities(caBundle, home))
  if (plainHttp) args.push('--plain-http')
  return args
}

/** Helm takes the tag of a reference for a version as it stands, but where a version has a plus its tag has an underscore. */
function withoutTag(reference: string, version: string): { reference: string; version: string } {
  const [, repository, tag] = TAGGED.exec(reference) ?? []
  if (!repository || !tag?.includes('_')) return { reference, version }
  return { reference: repository, version: version || tag.replaceAll('_', '+') }
}

/** A file given to helm replaces the usual authorities, which are to hold as well. */
async function writeAuthorities(caBundle: string, home: string): Promise<string> {
  const path = join(home, 'ca.pem')
  await writeFile(path, [...getCACertificates('default'), caBundle].join('\n'))
  return path
}

async function run(
  args: readonly string[],
  reference: string,
  version: string,
  access: ChartAccess,
  home: string,
  { helm, proxy, limits }: OciOptions,
  signal: AbortSignal,
): Promise<void> {
  const env = {
    HOME: home,
    HELM_CACHE_HOME: join(home, 'cache'),
    HELM_CONFIG_HOME: join(home, 'config'),
    HELM_DATA_HOME: join(home, 'data'),
    TMPDIR: home,
    ...(proxy?.http ? { HTTP_PROXY: proxy.http } : {}),
    ...(proxy?.https ? { HTTPS_PROXY: proxy.https } : {}),
    ...(proxy?.none ? { NO_PROXY: proxy.none } : {}),
  }
  try {
    await exec(helm, args, { env, timeoutMs: limits.timeMs, signal })
  } catch (error) {
    signal.throwIfAborted()
    if (!(error instanceof ExecError)) throw error
    if (error.failure === 'missing') throw new TerminalError(`${reference}: charts of registries need helm: ${error.message}`)
    const what = error.failure === 'exit' ? helmMessage(error.stderr) : messageOf(error)
    throw new ChartError(`${reference}${version ? ` ${version}` : ''} cannot be pulled: ${readable(what, access)}${hintFor(what, access)}`)
  }
}

function hintFor(what: string, { withheld }: ChartAccess): string {
  if (WANTS_LOGIN.test(what) && withheld) return `: ${withheld}`
  return UNKNOWN_AUTHORITY.test(what) ? ': add the authority to cacerts of the secret' : ''
}

/** One line that shows no password, whatever helm had to say. */
function readable(text: string, { credentials }: ChartAccess): string {
  const secret = credentials?.password ? text.replaceAll(credentials.password, '***') : text
  return secret
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .replace(/\/\/[^/\s]*@/g, '//')
    .slice(0, 500)
}

function shownOf(reference: string): string {
  return reference.replace(/\/\/[^/]*@/g, '//').slice(0, 200)
}
