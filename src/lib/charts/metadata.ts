// Chart.yaml, and the requirements.yaml of older charts.

import { posix } from 'node:path'
import { TerminalError } from '../controller/errors.ts'
import { isMap } from '../json/is-map.ts'
import { YamlError } from '../yaml/error.ts'
import { parseYaml } from '../yaml/parse.ts'

/** A dependency as it is declared. */
export interface Dependency {
  readonly name: string
  readonly version: string
  /** empty: it lies in `charts/` */
  readonly repository: string
  readonly condition: string
  readonly tags: readonly string[]
  readonly enabled: boolean
  readonly importValues: readonly unknown[]
  readonly alias: string
}

/** What is known of a chart. */
export interface ChartMetadata {
  readonly name: string
  readonly version: string
  /** dependencies stand in files of their own, as in charts of apiVersion v1 */
  readonly isOld: boolean
  readonly dependencies: readonly Dependency[]
  /** everything that stands in Chart.yaml */
  readonly fields: Readonly<Record<string, unknown>>
}

/** Largest Chart.yaml, lock file or .helmignore that is read, in bytes. */
export const MAX_METADATA_BYTES = 2 ** 20

/**
 * Reads Chart.yaml and, if it is there, requirements.yaml.
 * @param where folder of the chart for messages
 * @throws TerminalError with file, line and column
 */
export function readMetadata(chart: string, requirements: string | undefined, where: string): ChartMetadata {
  const fields = readMap(chart, posix.join(where, 'Chart.yaml'))
  const isOld = textOf(fields.apiVersion) !== 'v2'
  const declared = requirements === undefined ? fields : readMap(requirements, posix.join(where, 'requirements.yaml'))
  const list = Array.isArray(declared.dependencies) ? declared.dependencies : []
  return { name: textOf(fields.name), version: textOf(fields.version), isOld, dependencies: list.filter(isMap).map(toDependency), fields }
}

function toDependency(fields: Record<string, unknown>): Dependency {
  return {
    name: textOf(fields.name),
    version: textOf(fields.version),
    repository: textOf(fields.repository),
    condition: textOf(fields.condition),
    tags: Array.isArray(fields.tags) ? fields.tags.map(textOf) : [],
    enabled: fields.enabled === true,
    importValues: Array.isArray(fields['import-values']) ? fields['import-values'] : [],
    alias: textOf(fields.alias),
  }
}

/** A file of settings. Throws TerminalError with `where`, line and column. */
export function readMap(text: string, where: string): Record<string, unknown> {
  try {
    const value = parseYaml(text, { maxBytes: MAX_METADATA_BYTES })
    if (isMap(value)) return value
  } catch (error) {
    if (!(error instanceof YamlError)) throw error
    throw new TerminalError(`${where}:${error.line}:${error.column}: ${error.reason}`)
  }
  throw new TerminalError(`${where}: this is no map of settings`)
}

/** A number where text belongs becomes text. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : typeof value === 'number' || typeof value === 'boolean' ? String(value) : ''
}
