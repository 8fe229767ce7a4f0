// What the helm options of a HelmOp ask for, and which combinations of them mean nothing (spec 8.7). Pure.
import type { HelmOptions } from '../api/bundle-deployment-options.ts'
import type { HelmOpSpec } from '../api/helm-op.ts'
import { readConstraint } from '../lib/charts/repository-index.ts'
import { parseChartAddress } from '../lib/charts/source-url.ts'
import { messageOf, TerminalError } from '../lib/controller/errors.ts'
import { parseStrictVersion, parseVersion } from '../lib/semver/version.ts'

/**
 * - `archive`: an address that says it all, there is nothing to look up
 * - `exact`: one version, which must be there but never changes
 * - `range`: the highest version that fits
 */
export type ChartKind = 'archive' | 'exact' | 'range'

/** A chart that is asked for, by name and place; empty texts where nothing was said. */
export interface WantedChart {
  readonly kind: ChartKind
  readonly repo: string
  readonly chart: string
  /** as the user wrote it */
  readonly version: string
}

/** A registry reference, its tag and its digest. */
const REFERENCE = /^oci:\/\/[^/]+\/[^:@]+(?::([^@]*))?(?:@(.*))?$/s
const MAX_SHOWN = 200

/** Reads the helm options. Throws TerminalError for combinations that mean nothing and for versions that are none. */
export function wantedChart(helm: HelmOptions | undefined): WantedChart {
  if (!helm) throw new TerminalError("helm options are empty in the HelmOp's spec")
  const { repo = '', chart = '', version = '' } = helm
  const problem = problemOf(repo, chart, version)
  if (problem) throw new TerminalError(`helm options invalid: ${problem}`)
  if (isArchive(chart) || isPinned(repo)) return { kind: 'archive', repo, chart, version }
  checkRange(version)
  return { kind: parseStrictVersion(version) ? 'exact' : 'range', repo, chart, version }
}

function checkRange(version: string): void {
  try {
    readConstraint(version)
  } catch (error) {
    throw new TerminalError(`could not get a chart version: ${messageOf(error)}`, { cause: error })
  }
}

/** What is to be said of `helm.valuesFiles`: they lie beside a fleet.yaml, and a HelmOp has nothing beside it. Undefined if it names none. */
export function unusedValuesFiles({ helm, targets }: HelmOpSpec): string | undefined {
  const all = [['spec', helm] as const, ...(targets ?? []).map((target, at) => [`spec.targets[${at}]`, target.helm] as const)]
  for (const [where, options] of all) {
    const files = options?.valuesFiles ?? []
    if (files.length > 0)
      return `${where}.helm.valuesFiles names ${files.join(', ').slice(0, MAX_SHOWN)}, which have no effect: a HelmOp has no files; put their content into helm.values, or into ConfigMaps or Secrets of the clusters that helm.valuesFrom names`
  }
  return undefined
}

function problemOf(repo: string, chart: string, version: string): string | undefined {
  if (isArchive(chart)) {
    if (repo !== '') return 'tarball chart with a non-empty repo field'
    if (version !== '') return 'tarball chart with a non-empty version field'
    return isAddress(chart) ? undefined : `tarball chart ${chart.slice(0, MAX_SHOWN)} without an address: write https://host/path`
  }
  if (/^oci:\/\//i.test(repo)) {
    if (chart !== '') return 'OCI repository with a non-empty chart field'
    return repo.startsWith('oci://') ? contradiction(repo, version) : 'OCI repository with a scheme in upper case: write oci://'
  }
  if (chart === '') return 'non-OCI repository with an empty chart field'
  return repo === '' ? 'non-tarball chart with an empty repo field' : undefined
}

/** What helm refuses, only later and in every cluster. */
function contradiction(repo: string, version: string): string | undefined {
  const [, tag, digest] = REFERENCE.exec(repo) ?? []
  if (tag !== undefined && digest === undefined && !parseVersion(tag.replaceAll('_', '+')))
    return `OCI repository with the tag ${tag}, which is no version: name one, or a digest`
  if (version === '') return undefined
  if (tag !== undefined && tag.replaceAll('_', '+') !== version.replaceAll('_', '+'))
    return `OCI repository with the tag ${tag} and another version: leave one of them out`
  return digest !== undefined && !parseVersion(version) ? 'OCI repository with a digest and a range: leave one of them out' : undefined
}

function isArchive(chart: string): boolean {
  return chart.toLowerCase().endsWith('.tgz')
}

/** Throws TerminalError for addresses that nobody can be asked for. */
function isAddress(chart: string): boolean {
  return chart.startsWith('oci://') || parseChartAddress(chart) !== undefined
}

/** A registry reference that names a tag or digest itself. */
function isPinned(repo: string): boolean {
  const [, tag, digest] = REFERENCE.exec(repo) ?? []
  return tag !== undefined || digest !== undefined
}
