// What can be said about the text of a fleet.yaml alone.
import type { BundleSpec } from '../../api/bundle.ts'
import { fleetYaml } from '../../bundle/fleet-shape.ts'
import { parseFleetYaml } from '../../bundle/fleet-yaml.ts'
import { startPlace } from '../../bundle/shape.ts'
import { assembleTargets } from '../../bundle/targets.ts'
import { TerminalError } from '../../lib/controller/errors.ts'
import { YamlError } from '../../lib/yaml/error.ts'
import { parseYaml } from '../../lib/yaml/parse.ts'
import { type Positions, positionsOf } from './positions.ts'
import type { Problem } from './problem.ts'

export interface CheckedOptions {
  readonly problems: readonly Problem[]
  /** undefined when the text is no YAML */
  readonly positions: Positions | undefined
  /** the field of the file that a field of the bundle comes from */
  inFile(path: string): string
  /** what the file says about the bundle; empty when anything is wrong with it */
  readonly spec: BundleSpec
}

/** Checks types, unknown and repeated keys, and dependencies; all of them at once. */
export function checkOptions(text: string, file: string): CheckedOptions {
  const value = readValue(text, file)
  if ('problem' in value) return { problems: [value.problem], positions: undefined, inFile: (path) => path, spec: {} }
  const positions = positionsOf(text)
  const at = (severity: Problem['severity'], message: string, path = pathIn(message)): Problem => ({
    file,
    place: positions.of(path),
    severity,
    message,
  })
  const place = startPlace()
  fleetYaml.read(value.value ?? {}, place)
  const wrong = place.problems.map((message) => at('error', message))
  const parsed = wrong.length === 0 ? parse(text, file) : { messages: [], spec: {} }
  const problems = [
    ...wrong,
    ...parsed.messages.map((message) => at('error', message)),
    ...place.unknown.map((path) => at('warning', `the key ${path} is unknown and has no effect: check its spelling`, path)),
    ...positions.duplicates.map(({ path, line, column }) => ({
      file,
      place: { line, column },
      severity: 'warning' as const,
      message: `the key ${path} is given twice: only this one counts`,
    })),
  ]
  return { problems, positions, inFile: (path) => fieldInFile(path, value.value), spec: parsed.spec }
}

function readValue(text: string, file: string): { value: unknown } | { problem: Problem } {
  try {
    return { value: parseYaml(text) }
  } catch (error) {
    if (!(error instanceof YamlError)) throw error
    const { line, column, reason } = error
    return { problem: { file, place: line > 0 ? { line, column } : undefined, severity: 'error', message: reason } }
  }
}

function parse(text: string, file: string): { messages: readonly string[]; spec: BundleSpec } {
  try {
    const { fleet } = parseFleetYaml(text, file)
    return { messages: [], spec: { ...fleet.spec, ...assembleTargets(fleet, undefined) } }
  } catch (error) {
    if (!(error instanceof TerminalError)) throw error
    return { messages: error.message.slice(`${file}: `.length).split('; '), spec: {} }
  }
}

/** A bundle has its targets, then its customizations, in one list. */
function fieldInFile(path: string, value: unknown): string {
  const [, index, rest = ''] = /^targets\[(\d+)\](.*)$/.exec(path) ?? []
  if (index === undefined) return path
  const { targets, targetCustomizations } = (value ?? {}) as { targets?: unknown; targetCustomizations?: unknown }
  const own = Array.isArray(targets) ? targets.length : 0
  const at = Number(index) - own
  if (at < 0) return path
  const isCustomization = Array.isArray(targetCustomizations) && at < targetCustomizations.length
  return isCustomization ? `targetCustomizations[${at}]${rest}` : 'overrideTargets'
}

/** Messages begin with the field that they are about. */
export function pathIn(message: string): string {
  return /^[\w.[\]-]+/.exec(message)?.[0] ?? ''
}
