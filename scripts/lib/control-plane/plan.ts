// What is built, with which flags, and under which key it is kept. Pure.
import { createHash } from 'node:crypto'

/** The programs of a control plane; the first four are one binary under several names. */
export const PROGRAMS = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kubectl', 'helm'] as const

/** Packages of the Go module that are compiled: its own main package and helm. */
export const PACKAGES = ['.', 'helm.sh/helm/v4/cmd/helm'] as const

/** The texts that decide what the binaries are. */
export interface ModuleTexts {
  readonly goMod: string
  readonly goSum: string
  readonly mainGo: string
}

export interface BuildPlan {
  /** Folder name in the cache: the same inputs give the same binaries. */
  readonly key: string
  readonly goos: string
  readonly goarch: string
  /** Flags of `go build` and `go list`. */
  readonly flags: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** The Go release that the module asks for, `1.26.0`. */
  readonly goVersion: string
}

const GOOS: Readonly<Record<string, string>> = { win32: 'windows' }
const GOARCH: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386' }

/**
 * The plan for one machine (`platform` and `arch` as in `process`).
 * @throws Error when go.mod names no version of Go, Kubernetes or helm
 */
export function planBuild(texts: ModuleTexts, platform: string, arch: string): BuildPlan {
  const kubernetes = moduleVersion(texts.goMod, 'k8s.io/kubernetes')
  const [major = '', minor = ''] = kubernetes.slice(1).split('.')
  const stamps = {
    'k8s.io/component-base/version.gitVersion': kubernetes,
    'k8s.io/component-base/version.gitMajor': major,
    'k8s.io/component-base/version.gitMinor': minor,
    'helm.sh/helm/v4/internal/version.version': moduleVersion(texts.goMod, 'helm.sh/helm/v4'),
  }
  const linker = ['-s', '-w', ...Object.entries(stamps).flatMap(([symbol, value]) => ['-X', `${symbol}=${value}`])]
  const flags = ['-trimpath', '-buildvcs=false', '-ldflags', linker.join(' ')]
  const [goos, goarch] = [GOOS[platform] ?? platform, GOARCH[arch] ?? arch]
  const env = { CGO_ENABLED: '0', GOOS: goos, GOARCH: goarch, GOFLAGS: '', GOWORK: 'off' }
  const inputs = [texts.goMod, texts.goSum, texts.mainGo, JSON.stringify([flags, env])]
  const key = createHash('sha256').update(inputs.join('\0')).digest('hex').slice(0, 16)
  return { key, goos, goarch, flags, env, goVersion: goDirective(texts.goMod) }
}

/** Folder of the built programs inside the container. */
export const DOCKER_OUT = '/out/'

/** Folders of this host that the container sees, and the user it works as. */
interface DockerMounts {
  readonly moduleDir: string
  readonly work: string
  readonly cache: string
  readonly uid: number
  readonly gid: number
}

/** The command that runs go with these arguments in a container of the release that go.mod names. */
export function goInDocker(
  plan: BuildPlan,
  mounts: DockerMounts,
  args: readonly string[],
): { program: string; args: string[]; env: Readonly<Record<string, string>> } {
  const env = { ...plan.env, HOME: '/cache', GOCACHE: '/cache/build', GOMODCACHE: '/cache/modules', GOTOOLCHAIN: 'local' }
  const image = `golang:${plan.goVersion.split('.').slice(0, 2).join('.')}`
  const docker = [
    ...['run', '--rm', '--workdir', '/module', '--user', `${mounts.uid}:${mounts.gid}`],
    ...['--volume', `${mounts.moduleDir}:/module:ro`, '--volume', `${mounts.work}:${DOCKER_OUT}`, '--volume', `${mounts.cache}:/cache`],
    ...Object.entries(env).flatMap(([name, value]) => ['--env', `${name}=${value}`]),
    ...[image, 'go'],
  ]
  return { program: 'docker', args: [...docker, ...args], env: {} }
}

function moduleVersion(goMod: string, module: string): string {
  const line = goMod.split('\n').find((candidate) =>
    candidate
      .replace(/^require/, '')
      .trim()
      .startsWith(`${module} v`),
  )
  const version = line?.match(/\sv[0-9]+\.[0-9]+\.[0-9]+\S*/)?.[0].trim()
  if (version === undefined) throw new Error(`go.mod requires no version of ${module}`)
  return version
}

/** The release of Go that a go.mod wants. @throws Error when it says none */
export function goDirective(goMod: string): string {
  const version = goMod.match(/^go ([0-9]+\.[0-9]+(?:\.[0-9]+)?)\s*$/m)?.[1]
  if (version === undefined) throw new Error('go.mod has no go line')
  return version
}
