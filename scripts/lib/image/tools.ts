// helm and kustomize of the versions that the Containerfile names, compiled once into the user's cache.
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { ensureControlPlane } from '../../control-plane.ts'
import { run } from '../run.ts'
import { isInstalled, must } from './command.ts'
import { defaultOf } from './options.ts'

/** A folder with `helm` and `kustomize` for this machine's architecture. */
export async function ensureTools(
  containerfile: string,
  say: (line: string) => void,
  env: NodeJS.ProcessEnv = process.env,
): Promise<string> {
  const [helm, kustomize] = [defaultOf(containerfile, 'HELM_VERSION'), defaultOf(containerfile, 'KUSTOMIZE_VERSION')]
  const cache = join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'fleet-image-tools')
  const target = join(cache, `helm-${helm}-kustomize-${kustomize}-${process.arch}`)
  if (existsSync(target)) return target
  mkdirSync(cache, { recursive: true })
  const work = mkdtempSync(join(cache, 'tmp-'))
  try {
    await provideHelm(helm, work, say)
    say(`compiling kustomize ${kustomize} (about a minute)`)
    await goInstall(`sigs.k8s.io/kustomize/kustomize/v5@${kustomize}`, work)
    // another run may have been faster: its folder is as good
    if (!existsSync(target)) renameSync(work, target)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
  return target
}

// The control plane of the tests brings a helm, which is the same when it is of the same version.
async function provideHelm(version: string, folder: string, say: (line: string) => void): Promise<void> {
  const built = join((await ensureControlPlane()).bin, 'helm')
  const { output } = await run(built, ['version', '--short'], { timeoutMs: 30_000 })
  if (output.trim().split('+')[0] === version) return copyFileSync(built, join(folder, 'helm'))
  say(`compiling helm ${version} (one to three minutes)`)
  await goInstall(`helm.sh/helm/v4/cmd/helm@${version}`, folder, ` -X helm.sh/helm/v4/internal/version.version=${version}`)
}

async function goInstall(program: string, folder: string, stamp = ''): Promise<void> {
  if (!(await isInstalled('go')))
    throw new Error(`${program.split('@')[0]} has to be compiled, and Go is missing: install it (https://go.dev/dl)`)
  const env = { GOBIN: folder, CGO_ENABLED: '0', GOFLAGS: '', GOWORK: 'off' }
  await must('go', ['install', '-trimpath', '-ldflags', `-s -w${stamp}`, program], { env, cwd: folder })
}
