// A cluster of one real node: control plane, scheduler, containerd and kubelet in namespaces of their own.
import { randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { etcdArgs } from '../../../src/devcluster/flags.ts'
import type { HostProcess, HostProcesses } from '../../../src/devcluster/host-process.ts'
import { writeIdentity } from '../../../src/devcluster/identity.ts'
import { renderKubeconfig } from '../../../src/devcluster/kubeconfig.ts'
import { probe } from '../../../src/devcluster/probe.ts'
import { waitUntil } from '../../../src/devcluster/wait.ts'
import { must } from '../image/command.ts'
import {
  API_PORT,
  apiServerArgs,
  CONTAINERD_SOCKET,
  cniConfig,
  containerdConfig,
  controllerManagerArgs,
  kubeletArgs,
  kubeletConfig,
  type NodeLayout,
  nodeScript,
  SERVICE_ADDRESS,
  SERVICE_PORT,
  schedulerArgs,
} from './flags.ts'

/** Where programs lie. */
export interface Programs {
  readonly controlPlane: string
  readonly node: string
}

/** A running cluster. */
export interface RealNode {
  readonly layout: NodeLayout
  /** https://address:port */
  readonly url: string
  /** PEM */
  readonly ca: string
  /** path of an administrator's kubeconfig */
  readonly kubeconfig: string
  /** Makes an archive's images known to containerd, under further names too. */
  importImages(archive: string, names?: Readonly<Record<string, string>>): Promise<void>
  /** Ends kubelet and containerd; containers go on. */
  stopNode(): Promise<void>
  startNode(): Promise<void>
}

const READY_LIMIT_MS = 180_000
const STOP_GRACE_MS = 20_000
const IMPORT_LIMIT_MS = 300_000

/**
 * Starts a cluster and waits until its API server, containerd and kubelet answer.
 * @param connect joins the network namespace of this process to the world
 */
export async function startRealNode(
  layout: NodeLayout,
  programs: Programs,
  children: HostProcesses,
  connect: (holder: number) => Promise<void>,
): Promise<RealNode> {
  const { name, dir, address, files } = layout
  mkdirSync(join(dir, 'cni'), { recursive: true })
  writeFileSync(join(dir, 'cni', 'pods.conflist'), cniConfig(layout))
  writeFileSync(join(dir, 'containerd.toml'), containerdConfig(layout))
  writeFileSync(join(dir, 'kubelet.json'), kubeletConfig(layout))
  const token = randomBytes(24).toString('base64url')
  writeIdentity(layout.files, token)

  const log = (program: string) => join(dir, `${program}.log`)
  const holder = await startHolder(layout, programs, children)
  await connect(holder)
  const enter = ['nsenter', '--target', String(holder), '--net', '--mount', '--pid', '--uts', '--ipc', '--']
  const inside = (...command: string[]) => must('nsenter', [...enter.slice(1), ...command], { timeoutMs: IMPORT_LIMIT_MS })
  const dnat = [
    '-d',
    SERVICE_ADDRESS,
    '-p',
    'tcp',
    '--dport',
    String(SERVICE_PORT),
    '-j',
    'DNAT',
    '--to-destination',
    `${address}:${API_PORT}`,
  ]
  for (const chain of ['PREROUTING', 'OUTPUT']) await inside('iptables', '-t', 'nat', '-A', chain, ...dnat)

  function start(program: string, command: readonly string[]): HostProcess {
    const env = { PATH: process.env.PATH ?? '', HOME: dir }
    return children.start({ name: `${name} ${program}`, command: [...enter, ...command], logFile: log(program), env, cwd: dir })
  }
  const kube = (program: string, args: readonly string[]) => start(program, [join(programs.controlPlane, program), ...args])

  kube('etcd', etcdArgs(join(dir, 'etcd'), 2379, 2380))
  const url = `https://${address}:${API_PORT}`
  const api = kube('kube-apiserver', apiServerArgs(layout))
  await waitUntil(() => isReady(layout, `${url}/readyz`, token), api, READY_LIMIT_MS, 'it was ready')
  const ca = certificates(layout)[1] ?? ''
  writeFileSync(files.ca, ca)
  writeFileSync(files.kubeconfig, renderKubeconfig({ name, server: url, ca, user: { token } }), { mode: 0o600 })
  const manager = kube('kube-controller-manager', controllerManagerArgs(layout))
  start('kube-scheduler', [join(programs.node, 'kube-scheduler'), ...schedulerArgs(layout)])

  let [containerd, kubelet]: (HostProcess | undefined)[] = []
  async function startNode(): Promise<void> {
    const runtime = start('containerd', ['containerd', '--config', join(dir, 'containerd.toml')])
    containerd = runtime
    const answers = async () => (await isAnswering(enter)) && runtime.exit === undefined
    await waitUntil(answers, runtime, READY_LIMIT_MS, 'it answered')
    kubelet = start('kubelet', [join(programs.node, 'kubelet'), ...kubeletArgs(layout)])
  }
  await startNode()
  const account = `${url}/api/v1/namespaces/default/serviceaccounts/default`
  await waitUntil(() => isReady(layout, account, token), manager, READY_LIMIT_MS, 'it made the service account of the namespace default')

  return {
    layout,
    url,
    ca,
    kubeconfig: files.kubeconfig,
    startNode,
    async importImages(archive, names = {}) {
      const images = ['ctr', '--address', CONTAINERD_SOCKET, '--namespace', 'k8s.io', 'images']
      await inside(...images, 'import', archive)
      for (const [from, to] of Object.entries(names)) await inside(...images, 'tag', '--force', from, to)
    },
    async stopNode() {
      for (const program of [kubelet, containerd]) await endGroup(program)
    },
  }
}

// The first process of the namespaces: whatever happens to us, with it everything in them ends.
async function startHolder({ name, dir }: NodeLayout, programs: Programs, children: HostProcesses): Promise<number> {
  const own = ['--net', '--mount', '--pid', '--uts', '--ipc', '--propagation', 'private', '--fork', '--kill-child=KILL', '--mount-proc']
  const script = nodeScript(join(programs.node, 'pause'))
  const command = ['unshare', ...own, '/bin/sh', '-c', script]
  const unshare = children.start({ name: `${name} namespaces`, command, logFile: join(dir, 'namespaces.log') })
  let holder: number | undefined
  const entered = async () => {
    holder = unshare.pid === undefined ? undefined : childOf(unshare.pid)
    return holder !== undefined && readFileSync(`/proc/${holder}/comm`, 'utf8').trim() === 'pause'
  }
  await waitUntil(entered, unshare, 10_000, 'its namespaces were made')
  return holder as number
}

/** A child of a process, by /proc. */
function childOf(parent: number): number | undefined {
  const pids = readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))
  const child = pids.find((pid) => {
    try {
      return Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ')[1]) === parent
    } catch {
      // it ended in between
      return false
    }
  })
  return child === undefined ? undefined : Number(child)
}

// A program that was entered into namespaces has a parent that passes no signals on: the group is told.
async function endGroup(program: HostProcess | undefined): Promise<void> {
  if (program?.pid === undefined || program.exit !== undefined) return
  try {
    process.kill(-program.pid, 'SIGTERM')
  } catch {
    // it has just ended
  }
  const timer = setTimeout(() => program.kill('SIGKILL'), STOP_GRACE_MS)
  await program.exited
  clearTimeout(timer)
}

async function isAnswering(enter: readonly string[]): Promise<boolean> {
  try {
    await must(enter[0] ?? '', [...enter.slice(1), 'ctr', '--address', CONTAINERD_SOCKET, 'version'], { timeoutMs: 5000 })
    return true
  } catch {
    // not yet
    return false
  }
}

async function isReady(layout: NodeLayout, url: string, token: string): Promise<boolean> {
  const ca = certificates(layout)[1]
  if (ca === undefined) return false
  return (await probe(url, { ca, headers: { authorization: `Bearer ${token}` } })) === 200
}

// The API server writes its own certificate and then that of the CA it made for it.
function certificates({ files }: NodeLayout): string[] {
  try {
    return readFileSync(files.servingCert, 'utf8').match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n/g) ?? []
  } catch {
    // not written yet
    return []
  }
}
