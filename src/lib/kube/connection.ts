// Where an API server is and who we are to it: from a kubeconfig, or from inside the cluster.
import { open } from 'node:fs/promises'
import { homedir } from 'node:os'
import { delimiter, dirname, join, resolve } from 'node:path'
import { inspect } from 'node:util'
import { type Clock, systemClock } from '../controller/clock.ts'
import { type Credentials, type Headers, readCredentials, type TlsMaterial } from './credentials.ts'
import {
  type ClusterEntry,
  type KubeconfigContext,
  KubeconfigError,
  type KubeconfigSource,
  MAX_KUBECONFIG_BYTES,
  readKubeconfig,
  type UserEntry,
} from './kubeconfig.ts'
import { type ProxySettings, proxyFor } from './proxy.ts'
import { checkUntrusted } from './untrusted.ts'

export type { TlsMaterial } from './credentials.ts'
export { KubeconfigError } from './kubeconfig.ts'

/** An API server and our identity there. Printing, inspecting or JSON-encoding it shows no credential. */
export interface KubeConnection {
  /** URL without a slash at the end. */
  readonly server: string
  /** Namespace of the context; that of our own pod in a cluster; `default`. */
  readonly namespace: string
  /** Headers that say who we are, up to date. Throws KubeconfigError. */
  authorize(): Promise<Headers>
  /** After `authorize`: what to connect with. The same object until something changes. */
  tls(): TlsMaterial
  proxyUrl(): string | undefined
  /** The server refused the credentials: read them again next time. False if that is of no use. */
  expire(): boolean
  /** A kubeconfig for child processes such as helm; holds credentials, so write it with mode 0600. */
  toKubeconfig(): string
  /** The same connection in the name of somebody else, for example `system:serviceaccount:ns:name`. */
  impersonate(user: string, groups?: readonly string[]): KubeConnection
}

export interface ConnectionOptions {
  /** Path of a kubeconfig, or several separated as in KUBECONFIG; of those that are missing at least one must be there. */
  kubeconfig?: string | undefined
  /** Text of a kubeconfig; goes before the path. */
  kubeconfigText?: string | undefined
  /** Context to use instead of the current one. */
  context?: string | undefined
  /** False for text that others wrote (a Secret): refuses plug-ins and file paths. */
  trusted?: boolean | undefined
  /** KUBERNETES_SERVICE_HOST and _PORT: used when no kubeconfig is given. */
  serviceHost?: string | undefined
  servicePort?: string | undefined
  /** Folder with token, ca.crt and namespace of our ServiceAccount. */
  inClusterDir?: string | undefined
  /** Proxy of the environment; a `proxy-url` in the kubeconfig goes before it. */
  proxy?: ProxySettings | undefined
  clock?: Clock | undefined
}

const SERVICE_ACCOUNT_DIR = '/var/run/secrets/kubernetes.io/serviceaccount'
/** After credentials were read, a refusal within this time does not make us read them again. */
const REREAD_PAUSE_MS = 1_000

/**
 * The connection that the options describe: text, else file, else the cluster we run in, else `~/.kube/config`. Files that it names are read, plug-ins are not run yet.
 *
 *     const connection = await loadConnection({ kubeconfig: '/etc/fleet/kubeconfig' })
 *
 * @throws KubeconfigError
 */
export async function loadConnection(options: ConnectionOptions): Promise<KubeConnection> {
  const context = await loadContext(options)
  if (options.trusted === false) checkUntrusted(context)
  const proxy = context.cluster['proxy-url'] ?? (options.proxy && proxyFor(context.cluster.server, options.proxy))
  if (proxy && !/^https?:/.test(proxy)) throw new KubeconfigError('the proxy to the cluster must be an http or https proxy')
  const cluster = proxy ? { ...context.cluster, 'proxy-url': proxy } : context.cluster
  const connection = new Connection({ ...context, cluster }, options.clock ?? systemClock)
  const needsPlugin = context.user.exec ?? context.user['auth-provider']
  if (!needsPlugin) await connection.authorize()
  return connection
}

async function loadContext(options: ConnectionOptions): Promise<KubeconfigContext> {
  const { kubeconfigText, kubeconfig, serviceHost } = options
  if (kubeconfigText !== undefined) return readKubeconfig([{ text: kubeconfigText, name: 'kubeconfig' }], options.context)
  if (kubeconfig) return readKubeconfig(await readSources(kubeconfig.split(delimiter).filter(Boolean)), options.context)
  if (serviceHost) return inClusterContext(options)
  const home = join(homedir(), '.kube', 'config')
  const sources = await readSources([home]).catch(() => {
    throw new KubeconfigError(`no cluster is given: there is no kubeconfig, no ${home}, and this is not a pod`)
  })
  return readKubeconfig(sources, options.context)
}

async function readSources(paths: readonly string[]): Promise<KubeconfigSource[]> {
  const found = await Promise.all(paths.map(readSource))
  const sources = found.filter((source) => source !== undefined)
  if (sources.length === 0) throw new KubeconfigError(`there is no kubeconfig ${paths.join(', ')}`)
  return sources
}

async function readSource(path: string): Promise<KubeconfigSource | undefined> {
  try {
    return { text: await readCapped(path), name: path, folder: dirname(resolve(path)) }
  } catch (error) {
    if (error instanceof KubeconfigError) throw error
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return undefined
    throw new KubeconfigError(`cannot read the kubeconfig ${path}: ${code ?? 'unknown error'}`)
  }
}

async function readCapped(path: string): Promise<string> {
  const file = await open(path)
  try {
    const buffer = Buffer.alloc(MAX_KUBECONFIG_BYTES + 1)
    let size = 0
    for (let read = 1; read > 0 && size < buffer.length; size += read) {
      read = (await file.read(buffer, size, buffer.length - size, null)).bytesRead
    }
    if (size > MAX_KUBECONFIG_BYTES) throw new KubeconfigError(`${path}: a kubeconfig has at most ${MAX_KUBECONFIG_BYTES} bytes`)
    return buffer.toString('utf8', 0, size)
  } finally {
    await file.close()
  }
}

async function inClusterContext({
  serviceHost = '',
  servicePort,
  inClusterDir = SERVICE_ACCOUNT_DIR,
}: ConnectionOptions): Promise<KubeconfigContext> {
  const host = serviceHost.includes(':') ? `[${serviceHost}]` : serviceHost
  const namespace = await readCapped(join(inClusterDir, 'namespace')).catch(() => undefined) // not mounted: nobody depends on it
  return {
    cluster: { server: new URL(`https://${host}:${servicePort || '443'}`).origin, 'certificate-authority': join(inClusterDir, 'ca.crt') },
    user: { tokenFile: join(inClusterDir, 'token') },
    namespace: namespace?.trim() || undefined,
  }
}

class Connection implements KubeConnection {
  readonly server: string
  readonly namespace: string
  readonly #cluster: ClusterEntry
  readonly #user: UserEntry
  readonly #clock: Clock
  #credentials: Credentials | undefined
  #reading: Promise<Credentials> | undefined
  #readAt = 0

  constructor({ cluster, user, namespace }: KubeconfigContext, clock: Clock) {
    this.server = cluster.server
    this.namespace = namespace ?? 'default'
    this.#cluster = cluster
    this.#user = user
    this.#clock = clock
  }

  async authorize(): Promise<Headers> {
    const known = this.#credentials
    if (known && this.#clock.now() < known.expiresAt) return known.headers
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined
    })
    return (await this.#reading).headers
  }

  async #read(): Promise<Credentials> {
    const now = this.#clock.now()
    this.#readAt = now
    const read = await readCredentials(this.#cluster, this.#user, now).catch((error: unknown) => this.#keepOld(error, now))
    const old = this.#credentials
    // the same object tells the transport that its connections are still good
    this.#credentials = old && JSON.stringify(old.tls) === JSON.stringify(read.tls) ? { ...read, tls: old.tls } : read
    return this.#credentials
  }

  /** Files that are being replaced may be missing for a moment: what was read before is better than nothing. */
  #keepOld(error: unknown, now: number): Credentials {
    if (!this.#credentials || this.#hasPlugin()) throw error
    return { ...this.#credentials, expiresAt: now + 10_000 }
  }

  #hasPlugin(): boolean {
    return this.#user.exec !== undefined || this.#user['auth-provider'] !== undefined
  }

  tls(): TlsMaterial {
    if (!this.#credentials) throw new Error('authorize() comes before tls()')
    return this.#credentials.tls
  }

  proxyUrl(): string | undefined {
    return this.#cluster['proxy-url']
  }

  expire(): boolean {
    const known = this.#credentials
    const fixed = known?.expiresAt === Infinity && !this.#hasPlugin()
    if (!known || fixed || this.#clock.now() - this.#readAt < REREAD_PAUSE_MS) return false
    this.#credentials = { ...known, expiresAt: 0 }
    return true
  }

  toKubeconfig(): string {
    const name = 'fleet'
    const context = { cluster: name, user: name, namespace: this.namespace }
    return `${JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': name,
      clusters: [{ name, cluster: this.#cluster }],
      users: [{ name, user: this.#user }],
      contexts: [{ name, context }],
    })}\n`
  }

  impersonate(user: string, groups: readonly string[] = []): KubeConnection {
    if (!user) throw new KubeconfigError('a user to act as must be named')
    if (this.#user.as) throw new KubeconfigError(`cannot act as ${user}: the kubeconfig already acts as ${this.#user.as}`)
    const acting = { ...this.#user, as: user, ...(groups.length > 0 ? { 'as-groups': [...groups] } : {}) }
    const context = { cluster: this.#cluster, user: acting, namespace: this.namespace }
    return new Connection(context, this.#clock)
  }

  toJSON(): object {
    return { server: this.server, namespace: this.namespace, credentials: '***' }
  }

  [inspect.custom](): string {
    return `KubeConnection { server: ${this.server}, namespace: ${this.namespace}, credentials: *** }`
  }
}
