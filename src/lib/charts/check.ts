// What helm asks of a chart before it does anything with it.
import { posix } from 'node:path'
import { TerminalError } from '../controller/errors.ts'
import { isMap } from '../json/is-map.ts'
import { parseVersion } from '../semver/version.ts'
import { YamlError } from '../yaml/error.ts'
import { parseYaml } from '../yaml/parse.ts'
import { type ChartMetadata, type Dependency, readMetadata, textOf } from './metadata.ts'

const CHART_TYPES = ['', 'application', 'library']
const ALIAS = /^[a-zA-Z0-9_-]*$/

/**
 * Refuses a chart that helm cannot load: better here, where the file is known, than in every cluster.
 * @param chart text of Chart.yaml
 * @param values text of values.yaml, if there is one
 * @param where folder of the chart for messages
 * @throws TerminalError
 */
export function checkChart(chart: string, values: string | undefined, where: string): void {
  const problem = problemOf(readMetadata(chart, undefined, where))
  if (problem) throw new TerminalError(`${posix.join(where, 'Chart.yaml')}: ${problem}`)
  if (values !== undefined) checkValues(values, posix.join(where, 'values.yaml'))
}

function problemOf({ name, version, dependencies, fields }: ChartMetadata): string | undefined {
  if (name === '') return 'chart.metadata.name is required: name the chart'
  if (name !== posix.basename(name)) return `chart.metadata.name ${JSON.stringify(name)} is invalid: leave out the slash`
  if (version === '') return 'chart.metadata.version is required: write a version such as 0.1.0'
  if (!parseVersion(version)) return `chart.metadata.version ${JSON.stringify(version)} is invalid: write a version such as 0.1.0`
  if (!CHART_TYPES.includes(textOf(fields.type))) return 'chart.metadata.type must be application or library'
  const blank = ['maintainers', 'dependencies'].find((key) => hasNull(fields[key]))
  return blank ? `${blank} must not contain empty or null nodes` : dependencyProblem(dependencies)
}

function hasNull(list: unknown): boolean {
  return Array.isArray(list) && list.includes(null)
}

function dependencyProblem(dependencies: readonly Dependency[]): string | undefined {
  const seen = new Set<string>()
  for (const { name, alias } of dependencies) {
    if (!ALIAS.test(alias)) return `dependency ${JSON.stringify(name)} has disallowed characters in the alias`
    const key = alias || name
    if (seen.has(key)) return `more than one dependency with name or alias ${JSON.stringify(key)}`
    seen.add(key)
  }
  return undefined
}

function checkValues(text: string, where: string): void {
  try {
    const values = parseYaml(text)
    if (values !== null && !isMap(values)) throw new TerminalError(`${where}: the values of a chart must be a map`)
  } catch (error) {
    if (!(error instanceof YamlError)) throw error
    throw new TerminalError(`${where}:${error.line}:${error.column}: ${error.reason}`)
  }
}
