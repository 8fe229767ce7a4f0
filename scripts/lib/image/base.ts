// The base image out of Debian's packages, for machines that reach no registry.
import { appendFileSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from '../run.ts'
import { isInstalled, must } from './command.ts'
import type { Engine } from './engine.ts'

const SUITE = 'bookworm'
const MIRROR = 'http://deb.debian.org'
// as in Debian's own slim images: nobody reads manuals in a container
const UNREAD = ['/usr/share/doc/*', '/usr/share/info/*', '/usr/share/locale/*', '/usr/share/man/*', '/usr/share/lintian/*']
const LICENSES = '/usr/share/doc/*/copyright'

/** A base image as new as this month; made now when there is none. @throws Error that says what is missing */
export async function ensureBase(engine: Engine, now: Date, say: (line: string) => void): Promise<string> {
  const image = `localhost/fleet-base:${SUITE}-${now.toISOString().slice(0, 7)}`
  if (await engine.has(image)) return image
  if (process.getuid?.() !== 0) throw new Error('making a base image from Debian packages needs root (it calls chroot): run this as root')
  if (!(await isInstalled('debootstrap')))
    throw new Error(
      'no registry can be reached, and debootstrap, which makes a base image without one, is missing: apt-get install debootstrap',
    )
  say(`making the base image from Debian's packages (half a minute to some minutes, once a month)`)
  const rootfs = mkdtempSync(join(tmpdir(), 'fleet-base-'))
  try {
    await must('debootstrap', ['--variant=minbase', '--include=ca-certificates', SUITE, rootfs, `${MIRROR}/debian`])
    await finish(rootfs)
    await engine.importFolder(rootfs, image)
  } finally {
    // left when debootstrap was ended in its midst; removing the folder must not reach into the machine
    for (const mounted of ['proc', 'sys']) if (existsSync(join(rootfs, mounted))) await run('umount', ['-lq', join(rootfs, mounted)])
    rmSync(rootfs, { recursive: true, force: true })
  }
  return image
}

// Security fixes, then nothing that is only needed to install.
async function finish(rootfs: string): Promise<void> {
  const file = (path: string) => join(rootfs, path)
  const suites = [`${MIRROR}/debian ${SUITE}-updates`, `${MIRROR}/debian-security ${SUITE}-security`]
  appendFileSync(file('etc/apt/sources.list'), suites.map((suite) => `deb ${suite} main\n`).join(''))
  const excludes = [...UNREAD.map((path) => `path-exclude ${path}`), `path-include ${LICENSES}`]
  writeFileSync(file('etc/dpkg/dpkg.cfg.d/slim'), `${excludes.join('\n')}\n`)
  const env = { DEBIAN_FRONTEND: 'noninteractive', PATH: '/usr/sbin:/usr/bin:/sbin:/bin' }
  const script = [
    'apt-get update',
    'apt-get dist-upgrade --yes --no-install-recommends',
    'apt-get clean',
    'rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/cache/debconf/*-old /var/lib/dpkg/*-old /var/log/*.log /var/log/apt /etc/resolv.conf',
    'find /usr/share/doc -type f ! -name copyright -delete',
    'find /usr/share/doc -type l -delete',
    'rm -rf /usr/share/info/* /usr/share/locale/* /usr/share/man/* /usr/share/lintian',
    ': > /etc/machine-id',
  ]
  await must('chroot', [rootfs, '/bin/sh', '-ec', script.join('\n')], { env })
}
