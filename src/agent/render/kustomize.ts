// Builds the kustomization of a bundle; the output of a chart, if there is one, becomes its first resource (spec 7.5).
import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join, posix } from 'node:path'
import type { ContentFile } from '../../bundle/read-contents.ts'
import { buildKustomization, type KustomizeConfig } from '../../lib/kustomize/build.ts'
import { remoteEntries } from '../../lib/kustomize/remote.ts'
import { YamlError } from '../../lib/yaml/error.ts'
import { parseYaml } from '../../lib/yaml/parse.ts'
import { stringifyYaml } from '../../lib/yaml/stringify.ts'
import { RenderError } from './render-error.ts'

/** The name under which a kustomization finds the output of the chart. */
const CHART_OUTPUT = 'fleet-manifests.yaml'
const KUSTOMIZATION = /(^|\/)(kustomization\.ya?ml|Kustomization)$/

/**
 * Builds the kustomization in `folder` of the bundle whose files lie in `root`, and returns YAML documents.
 * Throws `KustomizeError` or {@link RenderError}.
 */
export async function renderKustomization(
  kustomize: KustomizeConfig,
  bundle: { root: string; folder: string; files: readonly ContentFile[]; chartOutput?: string | undefined },
  signal?: AbortSignal,
): Promise<string> {
  refuseRemote(bundle)
  const dir = join(bundle.root, bundle.folder)
  await addChartOutput(dir, bundle.chartOutput ?? '')
  return buildKustomization(kustomize, dir, signal)
}

/** Looks at the kustomization and at those that it builds upon; others of the bundle are nobody's business. */
function refuseRemote({ root, folder, files }: { root: string; folder: string; files: readonly ContentFile[] }): void {
  const byFolder = new Map(files.filter(({ name }) => KUSTOMIZATION.test(name)).map((file) => [folderOf(file.name), file]))
  const folders = new Set([folderOf(posix.join(folder, 'kustomization.yaml'))])
  for (const each of folders) {
    const file = byFolder.get(each)
    if (!file) continue
    const kustomization = readKustomization(file.name, file.content.toString('utf8'))
    const [remote] = remoteEntries(kustomization, (entry) => existsSync(join(root, each, entry)))
    if (remote !== undefined)
      throw new RenderError(
        `${file.name} refers to ${remote}: agents do not download kustomizations, add it to the repository`,
        'remote-base',
      )
    for (const entry of localEntries(kustomization)) folders.add(folderOf(posix.join(each, entry, 'kustomization.yaml')))
  }
}

function folderOf(name: string): string {
  return posix.dirname(posix.normalize(name))
}

/** Whatever may name another folder. */
function localEntries(kustomization: Record<string, unknown>): string[] {
  return Object.values(kustomization).flatMap((value) => (Array.isArray(value) ? value.filter((entry) => typeof entry === 'string') : []))
}

async function addChartOutput(dir: string, chartOutput: string): Promise<void> {
  await writeFile(join(dir, CHART_OUTPUT), chartOutput, { mode: 0o600 }) // a kustomization that names it need not know whether there is any
  if (!chartOutput.trim()) return
  const file = join(dir, 'kustomization.yaml')
  const kustomization = readKustomization('kustomization.yaml', await readFile(file, 'utf8'))
  const resources = Array.isArray(kustomization.resources) ? kustomization.resources : []
  if (resources.includes(CHART_OUTPUT)) return
  await writeFile(file, stringifyYaml({ ...kustomization, resources: [CHART_OUTPUT, ...resources] }, { lossless: true }))
}

function readKustomization(name: string, text: string): Record<string, unknown> {
  try {
    const value = parseYaml(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {}
  } catch (error) {
    if (!(error instanceof YamlError)) throw error
    throw new RenderError(`${name} is no valid YAML: ${error.message}`, 'broken-yaml', { cause: error })
  }
}
