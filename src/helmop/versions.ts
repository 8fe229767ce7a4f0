// Which version of a chart a HelmOp gets (spec 8.7). Pure.
import type { Bundle } from '../api/bundle.ts'
import { HELM_OP_GENERATION_ANNOTATION } from '../api/labels.ts'
import { readConstraint } from '../lib/charts/repository-index.ts'
import { redactUrl } from '../lib/git/url.ts'
import { bestVersion } from '../lib/semver/best.ts'
import { formatVersion, parseStrictVersion, parseVersion } from '../lib/semver/version.ts'
import type { WantedChart } from './chart.ts'
import type { PollResult } from './poller.ts'

export type VersionDecision =
  /** The bundle gets this version; empty for charts that have none. */
  | { readonly kind: 'settled'; readonly version: string }
  /** The repository has to be asked, and has not answered yet. Meanwhile nothing is changed. */
  | { readonly kind: 'ask' }
  /** None was found. What is deployed stays, in the version `keep` if there is one that is still meant. */
  | { readonly kind: 'failed'; readonly error: Error; readonly keep: string | undefined }

export interface VersionInput {
  readonly wanted: WantedChart
  /** New versions are deployed as they appear. */
  readonly isPolling: boolean
  readonly generation: number
  /** The HelmOp's bundle as it is stored. */
  readonly bundle: Bundle | undefined
  /** What the repository answered last; for a HelmOp that is not polled, since its last change. */
  readonly answer: PollResult | undefined
}

/** Decides on the version by what is stored and what is known of the repository: after a restart the outcome is the same. */
export function decideVersion(input: VersionInput): VersionDecision {
  const { wanted, isPolling, answer } = input
  if (wanted.kind === 'archive') return { kind: 'settled', version: wanted.version }
  const current = currentVersion(wanted, input.bundle)
  if (current !== undefined && (wanted.kind === 'exact' || (!isPolling && isSettled(input)))) return { kind: 'settled', version: current }
  if (!answer) return current !== undefined && isPolling ? { kind: 'settled', version: current } : { kind: 'ask' }
  const { error, versions = [] } = answer
  if (error) return failed(error.message, current)
  const version = pickVersion(versions, wanted.version)
  if (version !== undefined) return { kind: 'settled', version }
  return failed(noneFits(wanted, versions), current)
}

function failed(reason: string, keep: string | undefined): VersionDecision {
  return { kind: 'failed', error: new Error(`could not get a chart version: ${reason}`), keep }
}

function noneFits({ repo, chart, version }: WantedChart, versions: readonly string[]): string {
  if (versions.length === 0)
    return `the index of ${redactUrl(repo)} has no address for any version of the chart ${chart}: have it made anew`
  const fits = version === '' ? 'that is no pre-release' : `that fits ${JSON.stringify(version)}`
  const what = `the chart ${chart || redactUrl(repo)} has no version ${fits}`
  const short = bestVersion(readConstraint(version), versions, (text) => text)
  const full = short === undefined ? undefined : parseVersion(short)
  return full
    ? `${what}, as ${short} is not of three numbers: have it published as ${formatVersion(full)}, or name another`
    : `${what}: name another`
}

/** A bundle carries the generation of the HelmOp whose range its version was found for: only the next change asks again (spec 12, 8.7). */
function isSettled({ bundle, generation }: VersionInput): boolean {
  return bundle?.metadata.annotations?.[HELM_OP_GENERATION_ANNOTATION] === String(generation)
}

/** The version of the bundle, if it is one of the chart that is wanted, and one that the user means. */
export function currentVersion({ repo, chart, version }: WantedChart, bundle: Bundle | undefined): string | undefined {
  const helm = bundle?.spec.helm
  if (!helm?.version || (helm.repo ?? '') !== repo || (helm.chart ?? '') !== chart) return undefined
  return pickVersion([helm.version], version)
}

/**
 * The version that is wanted as it is written, else the highest that fits. Only full versions count, as for helm: among the tags of a registry
 * there are dates and numbers of builds, which would be the highest of all, and no chart has them.
 */
export function pickVersion(versions: readonly string[], wanted: string): string | undefined {
  const full = versions.filter(isFullVersion)
  return full.includes(wanted) ? wanted : bestVersion(readConstraint(wanted), full, (version) => version)
}

function isFullVersion(text: string): boolean {
  return parseStrictVersion(text.replace(/^v/, '')) !== undefined
}
