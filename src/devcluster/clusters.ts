// Real control planes on loopback: one etcd for all, an API server and a controller manager for each cluster.
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Logger } from '../lib/controller/log.ts'
import type { ClusterFiles } from './flags.ts'
import { apiServerArgs, clusterFiles, controllerManagerArgs, etcdArgs } from './flags.ts'
import type { HostProcess, HostProcesses } from './host-process.ts'
import { createHostProcesses } from './host-process.ts'
import { writeIdentity } from './identity.ts'
import { renderKubeconfig } from './kubeconfig.ts'
import { DIR_PREFIX, reclaimFolder, removeLeftovers, writeOwner } from './leftovers.ts'
import { freePorts } from './ports.ts'
import { probe } from './probe.ts'
import { lostPortRace, StartError, waitUntil } from './wait.ts'

/** What to start. */
export interface ClustersOptions {
  /** One cluster each; lower-case letters, digits and `-`. */
  readonly names: readonly string[]
  /** Folder with `etcd`, `kube-apiserver` and `kube-controller-manager`. */
  readonly bin: string
  /** Folder for data, keys and logs: made here or empty, removed by `stop()`. Without it, one in the system's folder for temporary files. */
  readonly dir?: string
  readonly log?: Logger
  /** More arguments for the API server of a cluster. */
  readonly apiServerArgs?: (name: string) => readonly string[]
}

/** One running cluster. */
export interface DevCluster {
  readonly name: string
  /** URL of its API server, `https://127.0.0.1:port`; the port stays over a restart. */
  readonly url: string
  /** CA certificate of its API server, PEM. */
  readonly ca: string
  /** Bearer token of an administrator (group system:masters). */
  readonly token: string
  /** Path of a kubeconfig with that token. */
  readonly kubeconfig: string
  /** Ends the API server: SIGKILL (the default) is a crash; after SIGTERM it takes no new connections but serves its watches for up to 8 s more. */
  stopApiServer(signal?: 'SIGTERM' | 'SIGKILL'): Promise<void>
  /** Starts it again on the same port and waits until it is ready; no effect while it runs. */
  startApiServer(): Promise<void>
}

/** All clusters of one call. */
export interface DevClusters {
  readonly dir: string
  readonly clusters: Readonly<Record<string, DevCluster>>
  /** Kills everything and removes the folder. */
  stop(): Promise<void>
}

interface Context {
  readonly bin: string
  readonly dir: string
  readonly children: HostProcesses
  readonly log: Logger | undefined
  readonly apiServerArgs: (name: string) => readonly string[]
}

const READY_LIMIT_MS = 120_000
const API_SERVER_GRACE_MS = 8000
const PORT_ATTEMPTS = 5

/**
 * Starts the clusters and waits until objects, service accounts and their tokens work in each.
 * @throws StartError with the last lines of the log of the program that failed; nothing is left running and no folder stays
 */
export async function startClusters(options: ClustersOptions): Promise<DevClusters> {
  checkNames(options.names)
  // The real path: programs are recognised by it in the list of processes.
  const parent = realpathSync(tmpdir())
  removeLeftovers(parent, Date.now())
  if (options.dir !== undefined) reclaimFolder(options.dir)
  const dir = options.dir ?? mkdtempSync(join(parent, DIR_PREFIX))
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  const children = createHostProcesses()
  const context: Context = { bin: options.bin, dir, children, log: options.log, apiServerArgs: options.apiServerArgs ?? (() => []) }
  async function stop(): Promise<void> {
    await children.close()
    rmSync(dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
  }
  try {
    writeOwner(dir, process.pid, [])
    const etcdPort = await startEtcd(context)
    const clusters = await Promise.all(options.names.map((name) => startCluster(context, name, etcdPort)))
    return { dir, clusters: Object.fromEntries(clusters.map((cluster) => [cluster.name, cluster])), stop }
  } catch (error) {
    await stop()
    throw error
  }
}

function checkNames(names: readonly string[]): void {
  const wrong = names.find((name) => !/^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$/.test(name) || name === 'etcd')
  if (wrong !== undefined) throw new Error(`cluster name "${wrong}": use up to 32 lower-case letters, digits and "-" (and not "etcd")`)
  if (new Set(names).size !== names.length) throw new Error('cluster names must differ')
}

async function startEtcd(context: Context): Promise<number> {
  return withFreePorts(2, async ([client = 0, peer = 0]) => {
    const child = startProgram(context, 'etcd', 'etcd', etcdArgs(join(context.dir, 'etcd'), client, peer))
    const url = `http://127.0.0.1:${client}/health`
    return { child, value: client, ready: waitUntil(async () => (await probe(url)) === 200, child, READY_LIMIT_MS, 'it was healthy') }
  })
}

async function startCluster(context: Context, name: string, etcdPort: number): Promise<DevCluster> {
  const files = clusterFiles(context.dir, name)
  const token = randomBytes(24).toString('base64url')
  writeIdentity(files, token)
  let apiServer!: HostProcess
  const startApi = (port: number) => {
    const args = [...apiServerArgs(name, files, port, etcdPort), ...context.apiServerArgs(name)]
    apiServer = startProgram(context, name, 'kube-apiserver', args)
    return waitUntil(() => isReady(files, port, token, '/readyz'), apiServer, READY_LIMIT_MS, 'it was ready')
  }
  const port = await withFreePorts(1, async ([candidate = 0]) => {
    const ready = startApi(candidate)
    return { child: apiServer, value: candidate, ready }
  })
  const url = `https://127.0.0.1:${port}`
  const ca = certificates(files)[1] ?? ''
  writeFileSync(files.ca, ca)
  writeFileSync(files.kubeconfig, renderKubeconfig({ name, server: url, ca, user: { token } }), { mode: 0o600 })
  const manager = startProgram(context, name, 'kube-controller-manager', controllerManagerArgs(files))
  for (const path of ['serviceaccounts/default', 'configmaps/kube-root-ca.crt']) {
    const ready = () => isReady(files, port, token, `/api/v1/namespaces/default/${path}`)
    await waitUntil(ready, manager, READY_LIMIT_MS, `it made ${path} in the namespace default`)
  }
  context.log?.info({ cluster: name, url }, 'control plane ready')
  return {
    name,
    url,
    ca,
    token,
    kubeconfig: files.kubeconfig,
    async stopApiServer(signal = 'SIGKILL') {
      apiServer.kill(signal)
      await apiServer.stop(API_SERVER_GRACE_MS)
    },
    async startApiServer() {
      if (apiServer.exit !== undefined) await startApi(port)
    },
  }
}

// A free port may be taken by somebody else before the program binds it; then the next ports are tried.
async function withFreePorts<T>(
  count: number,
  start: (ports: number[]) => Promise<{ child: HostProcess; value: T; ready: Promise<void> }>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    const { child, value, ready } = await start(await freePorts(count))
    try {
      await ready
      return value
    } catch (error) {
      if (attempt >= PORT_ATTEMPTS || !lostPortRace(child)) throw error
    }
  }
}

function startProgram(context: Context, owner: string, program: string, args: readonly string[]): HostProcess {
  const command = [join(context.bin, program), ...args]
  if (!existsSync(command[0] ?? ''))
    throw new StartError(`${program} is missing in ${context.bin}: give the folder of a complete control plane`)
  const name = owner === program ? program : `${owner} ${program}`
  const child = context.children.start({ name, command, logFile: join(context.dir, `${name.replace(' ', '-')}.log`) })
  writeOwner(context.dir, process.pid, context.children.pids())
  context.log?.debug({ program: name, pid: child.pid }, 'control plane program started')
  return child
}

async function isReady(files: ClusterFiles, port: number, token: string, path: string): Promise<boolean> {
  const ca = certificates(files)[1]
  if (ca === undefined) return false
  return (await probe(`https://127.0.0.1:${port}${path}`, { ca, headers: { authorization: `Bearer ${token}` } })) === 200
}

// What the API server wrote at its first start: its own certificate, then that of the CA it made for it.
function certificates(files: ClusterFiles): string[] {
  if (!existsSync(files.servingCert)) return []
  return readFileSync(files.servingCert, 'utf8').match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n/g) ?? []
}
