import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from '../run.ts'
import { isInstalled, must } from './command.ts'
import type { Engine } from './engine.ts'
import { confinedSpec, type ImageConfig } from './runtime-spec.ts'

// needs no rights beyond those of root in a container
const ISOLATION = ['--isolation', 'chroot']

/** A place for images that nobody else uses. */
export interface Storage {
  readonly root: string
  /** lost when the machine starts anew */
  readonly run: string
}

/** Buildah, which needs no service. Images are kept in the storage of the user who runs it, unless another is named. */
export function createBuildah(storage?: Storage): Engine {
  const place = storage ? ['--root', storage.root, '--runroot', storage.run] : []
  const buildah = (...args: string[]) => must('buildah', [...place, ...args])

  async function withContainer<T>(image: string, use: (container: string) => Promise<T>): Promise<T> {
    const container = (await buildah('from', '--pull-never', image)).split('\n').at(-1) ?? ''
    try {
      return await use(container)
    } finally {
      await run('buildah', [...place, 'rm', container])
    }
  }

  function withRootfs<T>(image: string, use: (rootfs: string) => Promise<T>): Promise<T> {
    if (process.getuid?.() !== 0) throw new Error('looking into an image needs root: run this as root, or use --tool docker')
    return withContainer(image, async (container) => use(await buildah('mount', container)))
  }

  return {
    name: 'buildah',
    async build({ target, name, containerfile, contextDir, args, stages }) {
      const flags = [
        ...(target ? ['--target', target] : []),
        ...Object.entries(args).flatMap(([key, value]) => ['--build-arg', `${key}=${value}`]),
        ...Object.entries(stages).flatMap(([key, folder]) => ['--build-context', `${key}=${folder}`]),
      ]
      const ignore = ['--ignorefile', join(contextDir, '.containerignore')]
      await buildah('bud', ...ISOLATION, '--layers', ...ignore, ...flags, '--tag', name, '--file', containerfile, contextDir)
    },
    async has(image) {
      return (await run('buildah', [...place, 'inspect', '--type', 'image', image])).code === 0
    },
    async importFolder(folder, image) {
      await withContainer('scratch', async (container) => {
        await buildah('add', '--quiet', container, folder, '/')
        await buildah('config', '--env', 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', container)
        await buildah('commit', '--quiet', container, image)
      })
    },
    shell(image, script) {
      return withContainer(image, (container) => buildah('run', ...ISOLATION, '--user', '0', container, '--', '/bin/sh', '-c', script))
    },
    copyOut(image, path, to) {
      return withRootfs(image, async (rootfs) => copyFileSync(join(rootfs, path), to))
    },
    async runConfined(image, command) {
      if (!(await isInstalled('runc'))) return { skipped: 'runc is not installed' }
      const { OCIv1 } = JSON.parse(await buildah('inspect', '--type', 'image', image)) as { OCIv1: { config: ImageConfig } }
      return withRootfs(image, async (rootfs) => {
        const bundle = mkdtempSync(join(tmpdir(), 'fleet-image-'))
        try {
          writeFileSync(join(bundle, 'config.json'), JSON.stringify(confinedSpec(rootfs, OCIv1.config, command)))
          return { output: await must('runc', ['run', '--bundle', bundle, `fleet-image-${process.pid}`], { timeoutMs: 120_000 }) }
        } finally {
          rmSync(bundle, { recursive: true, force: true })
        }
      })
    },
    async save(image, file, as) {
      await buildah('push', '--quiet', '--disable-compression', image, `docker-archive:${file}:${as}`)
    },
    async tidy() {
      // in the storage of a user there may be what somebody else works on
      if (!storage) return
      await buildah('rm', '--all')
      await buildah('rmi', '--prune')
    },
  }
}
