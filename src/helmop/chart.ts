// What the helm options of a HelmOp ask for, and which combinations of them mean nothing (spec 8.7). Pure.
import type { HelmOptions } from '../api/bundle-deployment-options.ts'
import { readConstraint } from '../lib/charts/repository-index.ts'
import { TerminalError } from '../lib/controller/errors.ts'
import { parseStrictVersion } from '../lib/semver/version.ts'

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

/** Reads the helm options. Throws TerminalError for combinations that mean nothing and for versions that are none. */
export function wantedChart(helm: HelmOptions | undefined): WantedChart {
  if (!helm) throw new TerminalError("helm options are empty in the HelmOp's spec")
  const { repo = '', chart = '', version = '' } = helm
  const problem = problemOf(repo, chart, version)
  if (problem) throw new TerminalError(`helm options invalid: ${problem}`)
  if (isArchive(chart) || isPinned(repo)) return { kind: 'archive', repo, chart, version }
  readConstraint(version)
  return { kind: parseStrictVersion(version) ? 'exact' : 'range', repo, chart, version }
}

function problemOf(repo: string, chart: string, version: string): string | undefined {
  if (isArchive(chart)) {
    if (repo !== '') return 'tarball chart with a non-empty repo field'
    return version === '' ? undefined : 'tarball chart with a non-empty version field'
  }
  if (repo.startsWith('oci://')) return chart === '' ? undefined : 'OCI repository with a non-empty chart field'
  if (repo === '' && chart === '') return 'neither a chart nor a repo'
  if (chart === '') return 'non-OCI repository with an empty chart field'
  return repo === '' ? 'non-tarball chart with an empty repo field' : undefined
}

function isArchive(chart: string): boolean {
  return chart.toLowerCase().endsWith('.tgz')
}

/** A registry reference that names a tag or digest itself. */
function isPinned(repo: string): boolean {
  return /^oci:\/\/[^/]+\/.*[:@]/.test(repo)
}
