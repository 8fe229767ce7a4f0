// fleet.yaml: text in, typed options out (spec 6.1).
import type { BundleSpec, BundleTarget, BundleTargetRestriction } from '../api/bundle.ts'
import type { GitTarget } from '../api/git-repo.ts'
import type { ImageScanSpec } from '../api/image-scan.ts'
import { stateRank } from '../api/state.ts'
import { TerminalError } from '../lib/controller/errors.ts'
import { YamlError } from '../lib/yaml/error.ts'
import { parseYaml } from '../lib/yaml/parse.ts'
import { fleetYaml, METADATA_KEYS, targetsFragment } from './fleet-shape.ts'
import { type Shape, startPlace } from './shape.ts'

/** What a fleet.yaml says; zero values are left out. */
export interface FleetYaml {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  /** everything that is a field of the Bundle, its own targets and restrictions included */
  readonly spec: BundleSpec
  readonly targetCustomizations: readonly BundleTarget[]
  /** undefined when not given; an empty list means something else */
  readonly overrideTargets: readonly GitTarget[] | undefined
  readonly imageScans: readonly ImageScanSpec[]
}

/** Targets and restrictions that do not come from fleet.yaml. */
export interface TargetsFragment {
  readonly targets: readonly BundleTarget[]
  readonly targetRestrictions: readonly BundleTargetRestriction[]
}

const MAX_PROBLEMS = 10
const METADATA: ReadonlySet<string> = new Set(METADATA_KEYS.map((key) => key.toLowerCase()))

/**
 * Reads a fleet.yaml. Its size is the caller's business.
 * @param file name for messages, relative to the repository
 * @throws TerminalError with file, line and column for broken YAML, with file and fields for what does not fit
 */
export function parseFleetYaml(source: string, file: string): { fleet: FleetYaml; warnings: string[] } {
  const { value, warnings } = readShape(source, file, fleetYaml)
  const { name = '', labels = {}, annotations = {}, targetCustomizations = [], overrideTargets, imageScans = [], ...spec } = value
  const fleet = { name, labels, annotations, spec, targetCustomizations, overrideTargets, imageScans } as FleetYaml
  checkDependencies(fleet.spec, file)
  return { fleet, warnings }
}

/**
 * Reads the targets file of the command line.
 * @throws TerminalError
 */
export function parseTargetsFile(source: string, file: string): TargetsFragment {
  const { targets = [], targetRestrictions = [] } = readShape(source, file, targetsFragment).value
  return { targets, targetRestrictions } as TargetsFragment
}

/**
 * The map that a values file holds; empty files give an empty map.
 * @throws TerminalError
 */
export function parseValuesFile(source: string, file: string): Record<string, unknown> {
  const value = parseFile(source, file) ?? {}
  if (typeof value !== 'object' || Array.isArray(value)) throw new TerminalError(`${file}: a values file must be a map of values`)
  return value as Record<string, unknown>
}

function readShape(source: string, file: string, shape: Shape): { value: Record<string, unknown>; warnings: string[] } {
  const place = startPlace()
  const read = shape.read(parseFile(source, file) ?? {}, place)
  if (place.problems.length > 0) throw new TerminalError(`${file}: ${bounded(place.problems)}`)
  return { value: read as Record<string, unknown>, warnings: place.unknown.map((key) => unknownKey(file, key)) }
}

function parseFile(source: string, file: string): unknown {
  try {
    return parseYaml(source)
  } catch (error) {
    if (!(error instanceof YamlError)) throw error
    throw new TerminalError(`${file}:${error.line}:${error.column}: ${error.reason}`)
  }
}

function bounded(problems: readonly string[]): string {
  const more = problems.length - MAX_PROBLEMS
  return problems.slice(0, MAX_PROBLEMS).join('; ') + (more > 0 ? `; and ${more} more` : '')
}

function unknownKey(file: string, key: string): string {
  return METADATA.has(key.toLowerCase())
    ? `${file}: ${key} has no effect here`
    : `${file}: the key ${key} is unknown and has no effect: check its spelling`
}

function checkDependencies(spec: BundleSpec, file: string): void {
  const problems: string[] = []
  for (const [index, entry] of (spec.dependsOn ?? []).entries()) {
    if (!entry.name && !entry.selector) problems.push(`dependsOn[${index}] needs a name or a selector`)
    const unknown = (entry.acceptedStates ?? []).filter((state) => stateRank(state) === 0)
    if (unknown.length > 0)
      problems.push(
        `dependsOn[${index}].acceptedStates: ${unknown.map((state) => JSON.stringify(state)).join(', ')} is no state of a bundle`,
      )
  }
  if (problems.length > 0) throw new TerminalError(`${file}: ${bounded(problems)}`)
}
