// Looks around on this machine: which programs are installed, in which version, does Docker answer.
import { execFile } from 'node:child_process'
import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { PROGRAMS } from './plan.ts'
import { isGoNewEnough, isVersionAtLeast } from './sources.ts'

const run = promisify(execFile)

// The controllers have their present names since 1.28; older API servers than this were never tried.
const OLDEST_KUBERNETES = [1, 31] as const
const HELM = [4, 0] as const
const ASK_LIMIT_MS = 10_000
// Large programs: on a busy machine that reads them for the first time they take a while to say their version.
const VERSION_LIMIT_MS = 60_000
// An older Go fetches the release that go.mod asks for first.
const GO_LIMIT_MS = 300_000

/** True when all programs of a control plane lie in the folder and may be executed. */
export function isCompleteFolder(folder: string): boolean {
  return PROGRAMS.every((name) => isExecutable(join(folder, name)))
}

/** All programs from KUBEBUILDER_ASSETS and the PATH, or undefined when one is missing or too old. */
export async function findInstalled(env: NodeJS.ProcessEnv): Promise<Record<string, string> | undefined> {
  const folders = [env.KUBEBUILDER_ASSETS ?? '', ...(env.PATH ?? '').split(delimiter)].filter((folder) => folder !== '')
  const found: Record<string, string> = {}
  for (const name of PROGRAMS) {
    const path = folders.map((folder) => join(folder, name)).find(isExecutable)
    if (path === undefined) return undefined
    found[name] = path
  }
  const [kubernetes, helm] = await Promise.all([
    output(found['kube-apiserver'] ?? '', ['--version'], { timeout: VERSION_LIMIT_MS }),
    output(found.helm ?? '', ['version', '--short'], { timeout: VERSION_LIMIT_MS }),
  ])
  return isVersionAtLeast(kubernetes, ...OLDEST_KUBERNETES) && isVersionAtLeast(helm, ...HELM) ? found : undefined
}

/** True when `go`, asked in the folder of the module, is at least the release that its go.mod names. */
export async function hasGo(moduleDir: string, wanted: string): Promise<boolean> {
  return isGoNewEnough(await output('go', ['version'], { cwd: moduleDir, timeout: GO_LIMIT_MS }), wanted)
}

/** True when a Docker engine answers. */
export async function hasDocker(): Promise<boolean> {
  return /^\d/.test(await output('docker', ['version', '--format', '{{.Server.Version}}']))
}

// Nothing when the program is missing, fails or hangs: for the question whether it can be used that is all the same.
async function output(program: string, args: readonly string[], options: { cwd?: string; timeout?: number } = {}): Promise<string> {
  try {
    const { stdout } = await run(program, args, { encoding: 'utf8', timeout: ASK_LIMIT_MS, ...options })
    return stdout.trim()
  } catch {
    return ''
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}
