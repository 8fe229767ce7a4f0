// How a container runs that may do as little as ours in a cluster. Pure.

/** How an image wants to be run. */
export interface ImageConfig {
  readonly Env?: readonly string[]
  readonly User?: string
  readonly WorkingDir?: string
}

const HIDDEN = ['/proc/kcore', '/proc/keys', '/proc/sysrq-trigger', '/sys/firmware']

/** A specification for runc: the image's user, a read-only root, no capabilities, no network, /tmp in memory. */
export function confinedSpec(rootfs: string, image: ImageConfig, command: readonly string[]): Record<string, unknown> {
  const [uid = 0, gid = 0] = (image.User ?? '0:0').split(':').map(Number)
  const memory = (destination: string, ...options: string[]) => ({
    destination,
    type: 'tmpfs',
    source: 'tmpfs',
    options: ['nosuid', 'size=65536k', ...options],
  })
  return {
    ociVersion: '1.0.2',
    process: {
      terminal: false,
      user: { uid, gid },
      args: command,
      env: [...(image.Env ?? []), 'HOME=/tmp'],
      cwd: image.WorkingDir || '/',
      noNewPrivileges: true,
      capabilities: { bounding: [], effective: [], permitted: [], inheritable: [], ambient: [] },
    },
    root: { path: rootfs, readonly: true },
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc' },
      memory('/dev', 'mode=755'),
      memory('/tmp', 'mode=1777', 'nodev'),
      { destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['nosuid', 'noexec', 'nodev', 'ro'] },
    ],
    linux: { namespaces: ['pid', 'network', 'ipc', 'uts', 'mount'].map((type) => ({ type })), maskedPaths: HIDDEN },
  }
}
