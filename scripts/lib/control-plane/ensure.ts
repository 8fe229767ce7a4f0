// Gives a folder with the programs of a control plane, whatever it takes.
import { createHash, randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { homedir, hostname } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isAlive } from '../../../src/devcluster/leftovers.ts'
import { buildControlPlane, publish } from './build.ts'
import { acquireLock } from './lock.ts'
import { findInstalled, hasDocker, hasGo, isCompleteFolder } from './look.ts'
import type { BuildPlan } from './plan.ts'
import { PROGRAMS, planBuild } from './plan.ts'
import { createProgressLine, formatMinutes } from './progress.ts'
import type { BinarySource } from './sources.ts'
import { chooseBinaries, nothingFound } from './sources.ts'

const MODULE_DIR = join(import.meta.dirname, '..', '..', 'control-plane')
const LOCK_LIMIT_MS = 60 * 60_000

/**
 * The programs of a control plane (etcd, kube-apiserver, kube-controller-manager, kubectl, helm 4) in one folder: KUBE_BIN, what is installed, an earlier
 * build, or a build now with its progress on stderr.
 * @throws Error with one sentence that says what to do
 */
export async function ensureControlPlane(env: NodeJS.ProcessEnv = process.env): Promise<{ bin: string }> {
  const plan = readPlan()
  const cache = join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'fleet-control-plane')
  const target = join(cache, plan.key)
  const source = await findBinaries(env, plan, target)
  if (source.kind === 'folder') return { bin: checkFolder(source.bin) }
  if (source.kind === 'installed') return { bin: linkInstalled(cache, source.programs) }
  if (source.kind === 'none') throw new Error(nothingFound(plan.goVersion))
  await buildOnce(plan, target, source.with)
  return { bin: checkFolder(target) }
}

// Asks the cheap questions first, and the dear ones only when their answer matters.
async function findBinaries(env: NodeJS.ProcessEnv, plan: BuildPlan, target: string): Promise<BinarySource> {
  if (env.KUBE_BIN) return chooseBinaries({ kubeBin: resolve(env.KUBE_BIN), go: false, docker: false })
  const installed = await findInstalled(env)
  const cached = isCompleteFolder(target) ? target : undefined
  if (installed ?? cached) return chooseBinaries({ installed, cached, go: false, docker: false })
  const go = await hasGo(MODULE_DIR, plan.goVersion)
  return chooseBinaries({ go, docker: !go && (await hasDocker()) })
}

function readPlan(): BuildPlan {
  const read = (name: string) => readFileSync(join(MODULE_DIR, name), 'utf8')
  return planBuild({ goMod: read('go.mod'), goSum: read('go.sum'), mainGo: read('main.go') }, process.platform, process.arch)
}

function checkFolder(bin: string): string {
  if (isCompleteFolder(bin)) return bin
  throw new Error(`${bin} is no folder of a control plane: it must contain ${PROGRAMS.join(', ')}`)
}

async function buildOnce(plan: BuildPlan, target: string, builder: 'go' | 'docker'): Promise<void> {
  const progress = createProgressLine(process.stderr)
  const release = await acquireLock({
    file: `${target}.lock`,
    holder: { pid: process.pid, host: hostname(), token: randomBytes(8).toString('hex') },
    world: { now: () => Date.now(), sleep: (ms) => sleep(ms), isAlive },
    limitMs: LOCK_LIMIT_MS,
    onWait(holder, waitedMs) {
      const who = holder === undefined ? 'another process' : `process ${holder.pid}`
      progress.update(`control plane: waiting for ${who}, which is building it (${formatMinutes(waitedMs)})`, Date.now())
    },
  })
  try {
    if (isCompleteFolder(target)) return
    await buildControlPlane({ plan, moduleDir: MODULE_DIR, target, with: builder, progress })
  } finally {
    release()
  }
}

// The others look for all programs in one folder, so installed ones are gathered by links.
function linkInstalled(cache: string, programs: Readonly<Record<string, string>>): string {
  const key = createHash('sha256').update(JSON.stringify(programs)).digest('hex').slice(0, 16)
  const target = join(cache, `installed-${key}`)
  if (isCompleteFolder(target)) return target
  const work = `${target}.tmp-${process.pid}`
  rmSync(work, { recursive: true, force: true })
  mkdirSync(work, { recursive: true })
  for (const [name, path] of Object.entries(programs)) symlinkSync(path, join(work, name))
  publish(work, target)
  return target
}
