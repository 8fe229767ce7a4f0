import { run } from '../run.ts'
import { must } from './command.ts'
import type { Engine } from './engine.ts'

/** Docker with BuildKit; the engine may be on another machine. */
export function createDocker(): Engine {
  return {
    name: 'docker',
    async build({ target, name, containerfile, contextDir, args, stages }) {
      const flags = [
        ...(target ? ['--target', target] : []),
        ...Object.entries(args).flatMap(([key, value]) => ['--build-arg', `${key}=${value}`]),
        ...Object.entries(stages).flatMap(([key, folder]) => ['--build-context', `${key}=${folder}`]),
      ]
      await must('docker', ['build', ...flags, '--tag', name, '--file', containerfile, contextDir], { env: { DOCKER_BUILDKIT: '1' } })
    },
    async has(image) {
      return (await run('docker', ['image', 'inspect', image])).code === 0
    },
    async importFolder(folder, image) {
      await must('/bin/sh', ['-c', 'tar -C "$1" --numeric-owner -c . | docker import - "$2"', 'sh', folder, image])
    },
    shell(image, script) {
      return must('docker', ['run', '--rm', '--network', 'none', '--user', '0', '--entrypoint', '/bin/sh', image, '-c', script])
    },
    async copyOut(image, path, to) {
      const container = await must('docker', ['create', image])
      try {
        await must('docker', ['cp', `${container}:${path}`, to])
      } finally {
        await run('docker', ['rm', container])
      }
    },
    async runConfined(image, command) {
      const confined = ['--read-only', '--cap-drop', 'ALL', '--security-opt', 'no-new-privileges', '--network', 'none', '--tmpfs', '/tmp']
      return { output: await must('docker', ['run', '--rm', ...confined, image, ...command]) }
    },
    async save(image, file, as) {
      await must('docker', ['tag', image, as])
      await must('docker', ['save', '--output', file, as])
      if (as !== image) await run('docker', ['rmi', '--no-prune', as])
    },
    // builds leave nothing behind but the engine's own cache
    tidy: () => Promise.resolve(),
  }
}
