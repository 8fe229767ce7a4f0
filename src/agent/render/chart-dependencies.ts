// Dependencies that a chart declares and does not bring along. The helm command refuses such a chart; Go Fleet installs it without them, and so it has to be
// where `disableDependencyUpdate` leaves some out.
import { posix } from 'node:path'
import type { ContentFile } from '../../bundle/read-contents.ts'
import { isMap } from '../../lib/json/is-map.ts'
import { parseYaml } from '../../lib/yaml/parse.ts'
import { stringifyYaml } from '../../lib/yaml/stringify.ts'

/** Chart.yaml for charts of apiVersion v2, requirements.yaml for those of v1. */
const DECLARED_IN = ['Chart.yaml', 'requirements.yaml']

/** The files of a bundle, of whose chart in `folder` only those dependencies are declared that are there. */
export function dropMissingDependencies(files: readonly ContentFile[], folder: string): readonly ContentFile[] {
  const inChart = (name: string): string => posix.relative(folder, posix.normalize(name))
  const brought = files.flatMap(({ name, content }) => chartsIn(inChart(name), content))
  return files.map((file) => (DECLARED_IN.includes(inChart(file.name)) ? withOnly(file, brought) : file))
}

/** Whether a chart of that name is among those in a file of `charts/`. */
type Brought = (name: string) => boolean

function chartsIn(name: string, content: Buffer): Brought[] {
  const [, folder, file] = /^charts\/([^/]+?)(?:\/Chart\.yaml|(\.tgz))$/.exec(name) ?? []
  if (!folder) return []
  if (file) return [(wanted) => folder.startsWith(`${wanted}-`)]
  const metadata = read(content)
  return [(wanted) => isMap(metadata) && metadata.name === wanted]
}

function withOnly(file: ContentFile, brought: readonly Brought[]): ContentFile {
  const metadata = read(file.content)
  if (!isMap(metadata) || !Array.isArray(metadata.dependencies)) return file
  const isThere = (entry: unknown): boolean => !isMap(entry) || brought.some((has) => has(String(entry.name)))
  if (metadata.dependencies.every(isThere)) return file
  return { ...file, content: Buffer.from(stringifyYaml({ ...metadata, dependencies: metadata.dependencies.filter(isThere) })) }
}

function read(content: Buffer): unknown {
  try {
    return parseYaml(content.toString('utf8'))
  } catch {
    return undefined // helm will say what is wrong with it
  }
}
