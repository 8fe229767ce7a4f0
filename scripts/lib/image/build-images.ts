// Builds the images, from the Containerfile alone where its bases can be pulled, else from what this machine has.
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildIfNeeded } from '../build.ts'
import { ROOT } from '../run.ts'
import { ensureBase } from './base.ts'
import type { Engine } from './engine.ts'
import { copiedFromStages, defaultOf, IMAGES, registryOf } from './options.ts'
import { ensureTools } from './tools.ts'

/** The file that says what is in the images. */
const CONTAINERFILE: string = join(ROOT, 'Containerfile')
const BASES = ['BASE_IMAGE', 'BUILD_IMAGE', 'GO_IMAGE'] as const
const REACH_LIMIT_MS = 8000

export interface BuildImages {
  readonly engine: Engine
  readonly tag: string
  readonly offlineBase: boolean
  /** for tests: without a registry, take helm from the test control plane instead of compiling it */
  readonly borrowHelm: boolean
  readonly say: (line: string) => void
}

/** Builds both; gives their names. */
export async function buildImages({ engine, tag, offlineBase, borrowHelm, say }: BuildImages): Promise<string[]> {
  const text = readFileSync(CONTAINERFILE, 'utf8')
  const offline = offlineBase || !(await canPullBases())
  if (!offline) return buildAll(engine, tag, {}, {}, say)
  if (!offlineBase) say('no registry can be reached: building from Debian packages and from what this checkout has built')
  await buildIfNeeded()
  const base = await ensureBase(engine, new Date(), say)
  const tools = await ensureTools(text, borrowHelm, say)
  const stages = mkdtempSync(join(tmpdir(), 'fleet-stages-'))
  try {
    return await buildAll(engine, tag, { BASE_IMAGE: base }, fillStages(stages, tools), say)
  } finally {
    rmSync(stages, { recursive: true, force: true })
  }
}

async function buildAll(
  engine: Engine,
  tag: string,
  args: Readonly<Record<string, string>>,
  stages: Readonly<Record<string, string>>,
  say: (line: string) => void,
): Promise<string[]> {
  const names: string[] = []
  for (const { target, repository } of IMAGES) {
    const name = `${repository}:${tag}`
    say(`building ${name} with ${engine.name}`)
    await engine.build({ target, name, containerfile: CONTAINERFILE, contextDir: ROOT, args, stages })
    names.push(name)
  }
  return names
}

// What the stages `build` and `tools` leave behind for the later ones.
function fillStages(folder: string, tools: string): Record<string, string> {
  const dist = join(ROOT, 'dist')
  const node = join(ROOT, 'node_modules', 'node', 'bin', 'node')
  if (!existsSync(node)) throw new Error('the npm package "node" brought no Node for this machine: build where a registry can be reached')
  const sources: Readonly<Record<string, string>> = {
    '/src/node_modules/node/bin/node': node,
    '/src/dist': dist,
    '/tools/helm': join(tools, 'helm'),
    '/tools/kustomize': join(tools, 'kustomize'),
  }
  const stages: Record<string, string> = {}
  for (const { stage, paths } of copiedFromStages(readFileSync(CONTAINERFILE, 'utf8'))) {
    stages[stage] = join(folder, stage)
    for (const path of paths) {
      const source = sources[path]
      if (source === undefined) throw new Error(`the Containerfile copies ${path} from stage ${stage}, which is not known here`)
      // images are not part of themselves
      const filter = (from: string) => from !== join(dist, 'images')
      cpSync(source, join(folder, stage, path), { recursive: true, verbatimSymlinks: true, filter })
    }
  }
  return stages
}

/** True when the registries of the Containerfile's base images answer, whatever they say. */
export async function canPullBases(): Promise<boolean> {
  const text = readFileSync(CONTAINERFILE, 'utf8')
  const hosts = new Set(BASES.map((base) => registryOf(defaultOf(text, base))))
  const answers = await Promise.all([...hosts].map(isRegistry))
  return answers.every(Boolean)
}

async function isRegistry(host: string): Promise<boolean> {
  try {
    const { status } = await fetch(`https://${host}/v2/`, { signal: AbortSignal.timeout(REACH_LIMIT_MS) })
    // 401: it wants to know who pulls, which the tool will tell it
    return status === 200 || status === 401
  } catch {
    // no route, no name, no answer: all the same here
    return false
  }
}
