// What has to be written so that a GitRepo's bundles are as a commit says. Pure: the same inputs give the same plan.
import { isDeepStrictEqual } from 'node:util'
import type { Bundle, BundleSpec } from '../api/bundle.ts'
import { HELM_OP_LABEL, REPO_NAME_LABEL } from '../api/labels.ts'
import type { BundleValues } from '../api/values-secret.ts'
import { TerminalError, WaitingError } from '../lib/controller/errors.ts'
import type { BundleDraft } from './draft.ts'
import { withoutValues } from './values.ts'

/** A bundle as it is to be stored, and the values that go to its secret. */
export interface WantedBundle {
  readonly bundle: Bundle
  readonly values: BundleValues
  readonly scans: BundleDraft['scans']
}

export interface PublishPlan {
  readonly create: readonly WantedBundle[]
  /** with the metadata of the stored object: ready to replace it */
  readonly update: readonly WantedBundle[]
  /** stored already as it should be; the bundle is the stored one */
  readonly keep: readonly WantedBundle[]
  readonly remove: readonly Bundle[]
}

const NAME = /^[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?$/
const MAX_NAME = 63
const MAX_REFUSALS = 10
/** The API server fills this in. */
const DEFAULT_MODE = 'FirstMatch'

/**
 * Drafts as they are to be stored: one for each folder, values taken out, fields that only controllers may set left out.
 * @throws TerminalError when two folders give the same name, or a name is none
 */
export function wantedBundles(drafts: readonly BundleDraft[]): { wanted: WantedBundle[]; warnings: string[] } {
  const byName = new Map<string, BundleDraft>()
  const problems: string[] = []
  for (const draft of drafts) {
    const { name } = draft.bundle.metadata
    const other = byName.get(name)
    if (other && other.origin !== draft.origin)
      problems.push(`${other.origin} and ${draft.origin} both give a bundle named ${name}: set another name in one of their fleet.yaml`)
    else if (!NAME.test(name) || name.length > MAX_NAME) {
      problems.push(
        `${draft.origin}: ${JSON.stringify(name)} cannot be the name of a bundle: at most ${MAX_NAME} of a-z, 0-9, dash and dot`,
      )
    }
    byName.set(name, other ?? draft)
  }
  if (problems.length > 0) throw new TerminalError(bounded(problems))
  const results = [...byName.values()].map(finish)
  return { wanted: results.map(({ wanted }) => wanted), warnings: results.flatMap(({ warning }) => (warning ? [warning] : [])) }
}

function finish(draft: BundleDraft): { wanted: WantedBundle; warning: string | undefined } {
  const { contentsId, helmOpOptions, overwrites, allowedTargetNamespaceSelector, ...spec } = draft.bundle.spec
  const internal = Object.keys({ contentsId, helmOpOptions, overwrites, allowedTargetNamespaceSelector } satisfies BundleSpec)
  const given = internal.filter((key) => draft.bundle.spec[key as keyof BundleSpec] !== undefined)
  return {
    wanted: { bundle: withoutValues({ ...draft.bundle, spec }, draft.values.hash), values: draft.values, scans: draft.scans },
    warning: given.length > 0 ? `${draft.origin}: only Fleet itself may set ${given.join(', ')}: ignored` : undefined,
  }
}

/**
 * Compares what is wanted with what is stored.
 * @param stored the bundle of a name in the GitRepo's namespace, whoever owns it
 * @param owned all bundles of the GitRepo
 * @throws TerminalError when a name belongs to somebody else, WaitingError when a bundle of the name is still being deleted; then nothing may be written
 */
export function planPublish(
  repoName: string,
  wanted: readonly WantedBundle[],
  stored: (name: string) => Bundle | undefined,
  owned: readonly Bundle[],
): PublishPlan {
  const [create, update, keep]: [WantedBundle[], WantedBundle[], WantedBundle[]] = [[], [], []]
  const refusals: string[] = []
  const leaving: string[] = []
  for (const one of wanted) {
    const { name } = one.bundle.metadata
    const existing = stored(name)
    const refusal = existing && whyNotOurs(existing, repoName)
    if (refusal) refusals.push(refusal)
    else if (existing?.metadata.deletionTimestamp) leaving.push(name)
    else if (!existing) create.push(one)
    else if (isSame(existing, one.bundle)) keep.push({ ...one, bundle: existing })
    else update.push({ ...one, bundle: over(existing, one.bundle) })
  }
  if (refusals.length > 0) throw new TerminalError(bounded(refusals))
  if (leaving.length > 0)
    throw new WaitingError(`waiting for bundles that are being deleted: ${leaving.slice(0, MAX_REFUSALS).join(', ')}`, {
      retryAfterMs: 2000,
    })
  const names = new Set(wanted.map(({ bundle }) => bundle.metadata.name))
  return { create, update, keep, remove: owned.filter(({ metadata }) => !names.has(metadata.name) && !metadata.deletionTimestamp) }
}

/** A sentence when the bundle belongs to somebody else. Bundles that nobody claims are taken over. */
export function whyNotOurs({ metadata, spec }: Bundle, repoName: string): string | undefined {
  const owner = metadata.labels?.[REPO_NAME_LABEL]
  const helmOp = metadata.labels?.[HELM_OP_LABEL]
  if (helmOp || spec.helmOpOptions)
    return `the bundle ${metadata.name} belongs to the HelmOp ${helmOp ?? metadata.name}: set another name in fleet.yaml`
  if (owner && owner !== repoName) return `the bundle ${metadata.name} belongs to the GitRepo ${owner}: set another name in fleet.yaml`
  return undefined
}

/** Spec, labels and annotations are replaced completely (spec 6.8); the rest of the metadata is not ours. */
export function over(existing: Bundle, wanted: Bundle): Bundle {
  const { labels: _labels, annotations: _annotations, ...metadata } = existing.metadata
  const { status: _status, ...rest } = existing
  const { labels, annotations } = wanted.metadata
  return { ...rest, metadata: { ...metadata, ...(labels ? { labels } : {}), ...(annotations ? { annotations } : {}) }, spec: wanted.spec }
}

/** Whether replacing would change nothing. */
export function isSame(existing: Bundle, wanted: Bundle): boolean {
  return (
    isDeepStrictEqual(existing.metadata.labels ?? {}, wanted.metadata.labels ?? {}) &&
    isDeepStrictEqual(existing.metadata.annotations ?? {}, wanted.metadata.annotations ?? {}) &&
    isDeepStrictEqual(comparable(existing.spec), comparable(wanted.spec))
  )
}

function comparable({ resources, targetCustomizationMode = DEFAULT_MODE, ...spec }: BundleSpec): unknown {
  const files = (resources ?? []).map(({ name = '', content = '', encoding = '' }) => ({ name, content, encoding }))
  const present = Object.entries({ ...spec, targetCustomizationMode }).filter(([, value]) => value !== undefined && value !== null)
  return { ...Object.fromEntries(present), files }
}

function bounded(problems: readonly string[]): string {
  const sorted = [...problems].sort()
  const more = sorted.length - MAX_REFUSALS
  return sorted.slice(0, MAX_REFUSALS).join('\n') + (more > 0 ? `\nand ${more} more` : '')
}
