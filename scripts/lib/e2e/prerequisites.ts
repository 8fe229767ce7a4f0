// Whether this machine can run real containers.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { hasDocker } from '../control-plane/look.ts'
import { canPullBases } from '../image/build-images.ts'
import { isInstalled } from '../image/command.ts'
import { run } from '../run.ts'

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

/** Folder of the network plug-ins; undefined when one is missing. */
export function findCniPlugins(): string | undefined {
  return CNI_FOLDERS.find((folder) => CNI_PLUGINS.every((plugin) => existsSync(join(folder, plugin))))
}

/** Why real containers cannot be had here, one sentence; undefined when they can. */
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
  const { code, output } = await run('unshare', ['--net', '--mount', '--pid', '--fork', 'true'], { timeoutMs: 10_000 })
  return code === 0 ? undefined : `this machine lets nobody make namespaces: ${output.trim()}`
}
