// The command lines and configurations of a cluster whose node is real. Every cluster has a network of its own, so all use the same ports. Pure.
import { join } from 'node:path'
import type { ClusterFiles } from '../../../src/devcluster/flags.ts'

/** One node that is a cluster. */
export interface NodeLayout {
  /** of cluster and node */
  readonly name: string
  /** of the node, reachable from the other cluster and from the world */
  readonly address: string
  /** first two numbers of its pods' addresses, `10.244` */
  readonly podNetwork: string
  /** everything that the cluster writes lies below */
  readonly dir: string
  readonly files: ClusterFiles
  /** below the root of each cgroup hierarchy, starts with `/` */
  readonly cgroup: string
  readonly cniPlugins: string
}

export const API_PORT = 6443
/** Address of the service `kubernetes`: what pods call the API server. */
export const SERVICE_ADDRESS = '10.96.0.1'
export const SERVICE_PORT = 443
/** The sandbox of pods, and the program of pods that only have to run. */
export const PAUSE_IMAGE = 'docker.io/fleet/pause:e2e'
export const CONTAINERD_SOCKET = '/run/containerd/containerd.sock'

/** Arguments of the API server beside the files of its identity. */
export function apiServerArgs({ address, files }: NodeLayout): string[] {
  return [
    ...['--etcd-servers', 'http://127.0.0.1:2379', '--bind-address', '0.0.0.0', '--advertise-address', address],
    ...['--secure-port', String(API_PORT), '--cert-dir', files.certDir, '--endpoint-reconciler-type', 'none'],
    ...['--service-cluster-ip-range', '10.96.0.0/16', '--authorization-mode', 'RBAC', '--token-auth-file', files.tokens],
    ...['--service-account-issuer', 'https://kubernetes.default.svc', '--service-account-signing-key-file', files.serviceAccountKey],
    ...['--service-account-key-file', files.serviceAccountPublicKey, '--allow-privileged=true', '--profiling=false'],
    ...['--kubelet-preferred-address-types', 'InternalIP'],
  ]
}

/** All controllers that run by default, as the administrator. */
export function controllerManagerArgs({ files }: NodeLayout): string[] {
  return [
    ...['--kubeconfig', files.kubeconfig, '--secure-port', '0', '--leader-elect=false', '--use-service-account-credentials=false'],
    ...['--root-ca-file', files.ca, '--service-account-private-key-file', files.serviceAccountKey, '--profiling=false'],
  ]
}

export function schedulerArgs({ files }: NodeLayout): string[] {
  return ['--kubeconfig', files.kubeconfig, '--leader-elect=false', '--secure-port', '0', '--profiling=false']
}

export function kubeletArgs({ name, address, dir, files }: NodeLayout): string[] {
  return [
    ...['--config', join(dir, 'kubelet.json'), '--kubeconfig', files.kubeconfig, '--root-dir', join(dir, 'kubelet')],
    ...['--hostname-override', name, '--node-ip', address],
  ]
}

/** Text of the kubelet's configuration: nothing is evicted, collected or limited; everything it writes stays below the folder of the cluster. */
export function kubeletConfig({ dir, cgroup }: NodeLayout): string {
  const never = { 'memory.available': '0%', 'nodefs.available': '0%', 'nodefs.inodesFree': '0%', 'imagefs.available': '0%' }
  const config = {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    // only this network namespace reaches it
    authentication: { anonymous: { enabled: true }, webhook: { enabled: false } },
    authorization: { mode: 'AlwaysAllow' },
    containerRuntimeEndpoint: `unix://${CONTAINERD_SOCKET}`,
    cgroupDriver: 'cgroupfs',
    cgroupRoot: cgroup,
    cgroupsPerQOS: false,
    enforceNodeAllocatable: [],
    failCgroupV1: false,
    failSwapOn: false,
    localStorageCapacityIsolation: false,
    makeIPTablesUtilChains: false,
    // it must not change the kernel of the machine; `enter` shows it the values that it wants
    protectKernelDefaults: true,
    oomScoreAdj: 0,
    evictionHard: never,
    imageGCHighThresholdPercent: 100,
    podLogsDir: join(dir, 'pods'),
    volumePluginDir: join(dir, 'volume-plugins'),
    serializeImagePulls: false,
    registerWithTaints: [],
  }
  return JSON.stringify(config)
}

/** Text of containerd's configuration (version 2, as 1.6 and 1.7 read it). */
export function containerdConfig({ dir, cniPlugins }: NodeLayout): string {
  const cri = 'plugins."io.containerd.grpc.v1.cri"'
  return `version = 2
root = "${join(dir, 'containerd')}"
state = "/run/containerd"
disabled_plugins = ["io.containerd.internal.v1.opt", "io.containerd.internal.v1.restart"]
[grpc]
address = "${CONTAINERD_SOCKET}"
[${cri}]
sandbox_image = "${PAUSE_IMAGE}"
restrict_oom_score_adj = true
disable_tcp_service = true
[${cri}.containerd]
snapshotter = "overlayfs"
default_runtime_name = "runc"
[${cri}.containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
[${cri}.containerd.runtimes.runc.options]
SystemdCgroup = false
[${cri}.cni]
bin_dir = "${cniPlugins}"
conf_dir = "${join(dir, 'cni')}"
`
}

/** Text of the network of pods: a bridge, addresses from a list, out through the node's address. */
export function cniConfig({ podNetwork, dir }: NodeLayout): string {
  const ipam = {
    type: 'host-local',
    dataDir: join(dir, 'addresses'),
    ranges: [[{ subnet: `${podNetwork}.0.0/24` }]],
    routes: [{ dst: '0.0.0.0/0' }],
  }
  const bridge = { type: 'bridge', bridge: 'pods', isGateway: true, ipMasq: true, hairpinMode: true, ipam }
  return JSON.stringify({ cniVersion: '0.4.0', name: 'pods', plugins: [bridge, { type: 'portmap', capabilities: { portMappings: true } }] })
}

/** What the kubelet wants of the kernel (with `protectKernelDefaults`), by file below /proc/sys. */
const KERNEL = {
  'vm/overcommit_memory': '1',
  'vm/panic_on_oom': '0',
  'kernel/panic': '10',
  'kernel/panic_on_oops': '1',
  'kernel/keys/root_maxkeys': '1000000',
  'kernel/keys/root_maxbytes': '25000000',
}

/** Shell script that makes a node out of fresh namespaces (network, mounts, processes) and then becomes their first process. */
export function nodeScript(firstProcess: string): string {
  const hidden = ['/run', '/var/lib', '/var/log'].map((folder) => `mount -t tmpfs -o mode=755 tmpfs ${folder}`)
  const kernel = Object.entries(KERNEL).flatMap(([file, value]) => [
    `printf '%s\\n' ${value} > /run/kernel/${file.replaceAll('/', '.')}`,
    `mount --bind /run/kernel/${file.replaceAll('/', '.')} /proc/sys/${file}`,
  ])
  return ['set -e', 'mount --make-rshared /', ...hidden, 'mkdir -p /run/netns /run/kernel', ...kernel, `exec ${firstProcess}`].join('\n')
}
