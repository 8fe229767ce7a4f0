// What the cluster has already: read once, before anything is decided.
import type { Bundle } from '../../api/bundle.ts'
import type { ImageScan } from '../../api/image-scan.ts'
import { BUNDLE, IMAGE_SCAN } from '../../api/kinds.ts'
import { BUNDLE_VALUES_SECRET, REPO_NAME_LABEL } from '../../api/labels.ts'
import type { WantedBundle } from '../../bundle/publish-plan.ts'
import type { ValuesSecrets } from '../../bundle/store.ts'
import { hashBundleSecret, SECRET, type Secret } from '../../deployment/secrets.ts'
import { TerminalError } from '../../lib/controller/errors.ts'
import { inParallel } from '../../lib/controller/parallel.ts'
import type { KubeClient } from '../../lib/kube/client.ts'

export interface Stored {
  /** the bundle of a name, whoever owns it */
  bundle(name: string): Bundle | undefined
  /** bundles that the repository has now */
  readonly owned: readonly Bundle[]
  readonly valuesSecrets: ValuesSecrets
  readonly scans: readonly ImageScan[]
}

export interface Scope {
  readonly repoName: string
  readonly namespace: string
  /** whether bundles that are no longer wanted are to go */
  readonly prune: boolean
  readonly imageScans: boolean
}

const READS_AT_A_TIME = 16
const LABEL_VALUE = /^[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/

/** Reads what a plan is made from. Throws TerminalError for image scans of another GitRepo. */
export async function readStored(client: KubeClient, scope: Scope, wanted: readonly WantedBundle[], signal: AbortSignal): Promise<Stored> {
  const { repoName, namespace, prune, imageScans } = scope
  // what is no label value cannot be the label of anything
  const labelSelector = LABEL_VALUE.test(repoName) ? `${REPO_NAME_LABEL}=${repoName}` : undefined
  const list = { namespace, labelSelector, signal }
  const owned = prune && labelSelector ? (await client.list<Bundle>(BUNDLE, list)).items : []
  const scans = imageScans ? await readScans(client, labelSelector, scope, wanted, signal) : []
  const byName = new Map(owned.map((bundle) => [bundle.metadata.name, bundle]))
  const names = wanted.map(({ bundle }) => bundle.metadata.name)
  const others = await inParallel(
    names.filter((name) => !byName.has(name)),
    READS_AT_A_TIME,
    (name) => client.find<Bundle>({ ...BUNDLE, namespace, name }, { signal }),
  )
  for (const bundle of others) if (bundle) byName.set(bundle.metadata.name, bundle)
  const secrets = await inParallel(names, READS_AT_A_TIME, (name) => client.find<Secret>({ ...SECRET, namespace, name }, { signal }))
  const values = secrets.flatMap((secret) =>
    secret?.type === BUNDLE_VALUES_SECRET ? [{ ...secret, digest: hashBundleSecret(secret) }] : [],
  )
  const valuesByName = new Map(values.map((secret) => [secret.metadata.name, secret]))
  return { bundle: (name) => byName.get(name), owned, valuesSecrets: { get: (name) => valuesByName.get(name) }, scans }
}

/** Those with the label of the repository, and those that are wanted: they may have been written without the label. */
async function readScans(
  client: KubeClient,
  labelSelector: string | undefined,
  { repoName, namespace }: Scope,
  wanted: readonly WantedBundle[],
  signal: AbortSignal,
): Promise<ImageScan[]> {
  const labelled = labelSelector ? (await client.list<ImageScan>(IMAGE_SCAN, { namespace, labelSelector, signal })).items : []
  const known = new Set(labelled.map(({ metadata }) => metadata.name))
  const names = wanted.flatMap(({ scans }) => scans.map(({ metadata }) => metadata.name)).filter((name) => !known.has(name))
  const found = await inParallel(names, READS_AT_A_TIME, (name) => client.find<ImageScan>({ ...IMAGE_SCAN, namespace, name }, { signal }))
  const others = found.flatMap((scan) => (scan ? [scan] : []))
  const foreign = others.find(({ spec }) => spec.gitrepoName && spec.gitrepoName !== repoName)
  if (foreign)
    throw new TerminalError(
      `the image scan ${foreign.metadata.name} belongs to the GitRepo ${foreign.spec.gitrepoName}: delete it, or give BUNDLE_NAME another name`,
    )
  return [...labelled, ...others]
}
