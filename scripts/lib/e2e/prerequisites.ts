// Whether this machine can run real containers.
import { existsSync, statfsSync } from 'node:fs'
import { freemem } from 'node:os'
import { join } from 'node:path'
import { hasDocker } from '../control-plane/look.ts'
import { canPullBases } from '../image/build-images.ts'
import { isInstalled } from '../image/command.ts'
import { run } from '../run.ts'
import { PROBE, PROBE_NAMESPACES } from './probe.ts'
import { canHaveNodePrograms } from './programs.ts'

/** Program → Debian package that brings it. */
const NEEDED: Readonly<Record<string, string>> = {
  containerd: 'containerd',
  ctr: 'containerd',
  runc: 'runc',
  iptables: 'iptables',
  ip: 'iproute2',
  mount: 'mount',
  unshare: 'util-linux',
  nsenter: 'util-linux',
  setpriv: 'util-linux',
  git: 'git',
}
const CNI_FOLDERS = ['/usr/lib/cni', '/opt/cni/bin']
const CNI_PLUGINS = ['bridge', 'host-local', 'loopback', 'portmap']
/** Three clusters take 2.5 GB of memory, images and their unpacked copies 4 GB of disk. */
const MEMORY_BYTES = 3 * 2 ** 30
const DISK_BYTES = 6 * 2 ** 30

/** Folder of the network plug-ins; undefined when one is missing. */
export function findCniPlugins(): string | undefined {
  return CNI_FOLDERS.find((folder) => CNI_PLUGINS.every((plugin) => existsSync(join(folder, plugin))))
}

/** Why real containers cannot be had here, as far as that can be seen without doing anything; undefined when nothing is missing. */
export async function whyNot(): Promise<string | undefined> {
  if (process.platform !== 'linux') return `containers need Linux; this is ${process.platform}`
  if (process.getuid?.() !== 0) return 'kubelet and containerd need root: run this as root'
  const missing: string[] = []
  for (const [program, found] of Object.entries(NEEDED)) if (!(await isInstalled(program))) missing.push(found)
  if (findCniPlugins() === undefined) missing.push('containernetworking-plugins')
  const docker = await hasDocker()
  if (!docker && !(await isInstalled('buildah'))) missing.push('buildah')
  if (!(await isInstalled('debootstrap')) && !(await canPullBases())) missing.push('debootstrap')
  if (missing.length > 0) return `programs are missing: apt-get install ${[...new Set(missing)].join(' ')}`
  if (!(await canHaveNodePrograms()))
    return 'the kubelet has to be compiled, and Go 1.26 or newer is missing: install it (https://go.dev/dl)'
  if (freemem() < MEMORY_BYTES) return `three clusters need ${gib(MEMORY_BYTES)} of free memory; there are ${gib(freemem())}`
  return undefined
}

/** Why this machine lets us not do what nodes do to it, found out by trying. @param dir an empty folder where the nodes would lie; it is filled */
export async function whyNotIn(dir: string): Promise<string | undefined> {
  const { bavail, bsize } = statfsSync(dir)
  if (bavail * bsize < DISK_BYTES) return `nodes need ${gib(DISK_BYTES)} of free space in ${dir}; there are ${gib(bavail * bsize)}`
  const { code, output } = await run('unshare', [...PROBE_NAMESPACES, '/bin/sh', '-c', PROBE, 'sh', dir], { timeoutMs: 20_000 })
  return code === 0 ? undefined : `this machine does not allow what nodes do: ${output.trim() || `the trial ended with ${code}`}`
}

function gib(bytes: number): string {
  return `${(bytes / 2 ** 30).toFixed(1)} GiB`
}
