// helm and kustomize of the versions that the Containerfile names, compiled once into the user's cache.
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { ensureControlPlane } from '../../control-plane.ts'
import { run } from '../run.ts'
import { isInstalled, must } from './command.ts'
import { defaultOf } from './options.ts'

/**
 * A folder with `helm` and `kustomize` for this machine's architecture.
 * @param borrowHelm take the helm of the test control plane when it is of the same version: it is made of other versions of its modules, and at once there
 */
export async function ensureTools(
  containerfile: string,
  borrowHelm: boolean,
  say: (line: string) => void,
  env: NodeJS.ProcessEnv = process.env,
): Promise<string> {
  const [helm, kustomize] = [defaultOf(containerfile, 'HELM_VERSION'), defaultOf(containerfile, 'KUSTOMIZE_VERSION')]
  const cache = join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'fleet-image-tools')
  mkdirSync(cache, { recursive: true })
  const place = (name: string) => join(cache, `${name}-${helm}-kustomize-${kustomize}-${process.arch}`)
  const [own, borrowed] = [place('helm-own'), place('helm')]
  if (existsSync(own)) return own
  if (borrowHelm && existsSync(borrowed)) return borrowed
  const work = mkdtempSync(join(cache, 'tmp-'))
  try {
    const target = borrowHelm && (await copyHelm(helm, work)) ? borrowed : own
    if (target === own) {
      say(`compiling helm ${helm} (one to three minutes, once)`)
      await goInstall(`helm.sh/helm/v4/cmd/helm@${helm}`, work, ` -X helm.sh/helm/v4/internal/version.version=${helm}`)
    }
    say(`compiling kustomize ${kustomize} (about a minute, once)`)
    await goInstall(`sigs.k8s.io/kustomize/kustomize/v5@${kustomize}`, work)
    // another run may have been faster: its folder is as good
    if (!existsSync(target)) renameSync(work, target)
    return target
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

async function copyHelm(version: string, folder: string): Promise<boolean> {
  const built = join((await ensureControlPlane()).bin, 'helm')
  const { output } = await run(built, ['version', '--short'], { timeoutMs: 30_000 })
  if (output.trim().split('+')[0] !== version) return false
  copyFileSync(built, join(folder, 'helm'))
  return true
}

async function goInstall(program: string, folder: string, stamp = ''): Promise<void> {
  if (!(await isInstalled('go')))
    throw new Error(`${program.split('@')[0]} has to be compiled, and Go is missing: install it (https://go.dev/dl)`)
  const env = { GOBIN: folder, CGO_ENABLED: '0', GOFLAGS: '', GOWORK: 'off' }
  await must('go', ['install', '-trimpath', '-ldflags', `-s -w${stamp}`, program], { env, cwd: folder })
}
