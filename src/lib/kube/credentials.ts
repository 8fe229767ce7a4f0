// From the user and cluster of a kubeconfig to headers and TLS material, with files read again as they change.
import { readFile } from 'node:fs/promises'
import { getCACertificates } from 'node:tls'
import type { ExecCredential } from './exec-credential.ts'
import { type ClusterEntry, KubeconfigError, type UserEntry } from './kubeconfig.ts'

/** Header values by lower case name. */
export type Headers = Record<string, string | string[]>

/** What a TLS connection is made with. The same object as long as nothing changed. */
export interface TlsMaterial {
  readonly ca?: string | string[]
  readonly cert?: string
  readonly key?: string
  readonly servername?: string
  readonly rejectUnauthorized: boolean
}

/** Credentials at one moment. */
export interface Credentials {
  readonly headers: Headers
  readonly tls: TlsMaterial
  /** Milliseconds of the clock after which they are to be read again; Infinity: they never change. */
  readonly expiresAt: number
}

/** Files are read again after this time; a bound ServiceAccount token is replaced long before it ends. */
const REREAD_MS = 60_000
/** Time before its end at which a printed credential is replaced. */
const EXPIRY_MARGIN_MS = 10_000
const MAX_FILE_BYTES = 2 ** 20

/** Reads everything the entries name. `now` in milliseconds. Throws KubeconfigError that names the file or program. */
export async function readCredentials(cluster: ClusterEntry, user: UserEntry, now: number): Promise<Credentials> {
  const [ca, cert, key, token] = await Promise.all([
    material(cluster['certificate-authority-data'], cluster['certificate-authority']),
    material(user['client-certificate-data'], user['client-certificate']),
    material(user['client-key-data'], user['client-key']),
    user.tokenFile ? readText(user.tokenFile) : user.token,
  ])
  const plugin = token || user.username ? undefined : await pluginCredential(cluster, user)
  const authorization = authorizationOf(token?.trim(), user, plugin)
  const tls = tlsMaterial(cluster, ca, plugin?.clientCertificate ?? cert, plugin?.clientKey ?? key)
  return {
    headers: { ...(authorization ? { authorization } : {}), ...impersonationHeaders(user) },
    tls,
    expiresAt: expiry(cluster, user, plugin, now),
  }
}

async function pluginCredential(cluster: ClusterEntry, user: UserEntry): Promise<ExecCredential | undefined> {
  // loaded only by those who need them
  if (user.exec) return (await import('./exec-credential.ts')).runExecPlugin(user.exec, cluster)
  if (user['auth-provider']) return (await import('./auth-provider.ts')).authProviderCredential(user['auth-provider'], cluster)
  return undefined
}

function authorizationOf(token: string | undefined, user: UserEntry, plugin: ExecCredential | undefined): string | undefined {
  const bearer = token || plugin?.token
  if (bearer) return `Bearer ${bearer}`
  if (!user.username) return undefined
  return `Basic ${Buffer.from(`${user.username}:${user.password ?? ''}`).toString('base64')}`
}

function impersonationHeaders(user: UserEntry): Headers {
  const headers: Headers = {}
  if (user.as) headers['impersonate-user'] = user.as
  if (user['as-uid']) headers['impersonate-uid'] = user['as-uid']
  if (user['as-groups']?.length) headers['impersonate-group'] = user['as-groups']
  for (const [key, values] of Object.entries(user['as-user-extra'] ?? {})) {
    headers[`impersonate-extra-${encodeURIComponent(key.toLowerCase())}`] = values
  }
  return headers
}

function tlsMaterial(cluster: ClusterEntry, ca: string | undefined, cert: string | undefined, key: string | undefined): TlsMaterial {
  const insecure = cluster['insecure-skip-tls-verify'] === true
  return {
    ...(ca || !insecure ? { ca: ca || machineCertificates() } : {}),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(cluster['tls-server-name'] ? { servername: cluster['tls-server-name'] } : {}),
    rejectUnauthorized: !insecure,
  }
}

/** For clusters without a CA of their own. */
function machineCertificates(): string[] {
  return [...getCACertificates('default'), ...getCACertificates('system')]
}

function expiry(cluster: ClusterEntry, user: UserEntry, plugin: ExecCredential | undefined, now: number): number {
  const files = user.tokenFile || user['client-certificate'] || user['client-key'] || cluster['certificate-authority']
  const fileExpiry = files ? now + REREAD_MS : Infinity
  return Math.min(fileExpiry, plugin ? plugin.expiresAt - EXPIRY_MARGIN_MS : Infinity)
}

async function material(data: string | undefined, path: string | undefined): Promise<string | undefined> {
  if (data) return Buffer.from(data, 'base64').toString('utf8')
  return path ? readText(path) : undefined
}

async function readText(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new KubeconfigError(`cannot read ${path}, which the kubeconfig names: ${error.code ?? 'unknown error'}`)
  })
  if (text.length > MAX_FILE_BYTES) throw new KubeconfigError(`${path}, which the kubeconfig names, is larger than ${MAX_FILE_BYTES} bytes`)
  return text
}
