// Reads everything that the options ask for, kind by kind, into an archive.
import type { Bundle } from '../../api/bundle.ts'
import type { BundleDeployment } from '../../api/bundle-deployment.ts'
import type { GitRepo } from '../../api/git-repo.ts'
import type { HelmOp } from '../../api/helm-op.ts'
import {
  BUNDLE,
  BUNDLE_DEPLOYMENT,
  BUNDLE_NAMESPACE_MAPPING,
  CLUSTER,
  CLUSTER_GROUP,
  CONTENT,
  GIT_REPO,
  GIT_REPO_RESTRICTION,
  HELM_OP,
  IMAGE_SCAN,
  POLICY,
  SCHEDULE,
} from '../../api/kinds.ts'
import { BUNDLE_NAME_LABEL, BUNDLE_NAMESPACE_LABEL, HELM_OP_LABEL, REPO_NAME_LABEL } from '../../api/labels.ts'
import { TerminalError } from '../../lib/controller/errors.ts'
import type { KubeClient } from '../../lib/kube/client.ts'
import { isForbidden } from '../../lib/kube/errors.ts'
import type { KubeObject, ResourceType } from '../../lib/kube/types.ts'
import { stringifyYaml } from '../../lib/yaml/stringify.ts'
import type { Archive } from './archive.ts'
import { addMetrics } from './metrics.ts'
import type { DumpOptions } from './options.ts'
import { type PageOptions, pages } from './pages.ts'
import { contentMetadata, secretMetadata, withoutSecretPatches } from './redact.ts'
import { contentOf, secretsOfBundle, secretsOfGitRepo, secretsOfHelmOp } from './references.ts'

/** What a dump is made with. */
export interface DumpContext {
  readonly client: KubeClient
  readonly archive: Archive
  readonly signal: AbortSignal
  /** told what could not be read, and is left out */
  readonly warn: (text: string) => void
  /** told what is being read */
  readonly progress: (text: string) => void
}

/** What was met on the way, and decides what else belongs to the dump. */
interface Found {
  /** workspaces */
  readonly namespaces: Set<string>
  /** `namespace/name` */
  readonly bundles: Set<string>
  /** `namespace/name` of secrets that something refers to */
  readonly secrets: Set<string>
  readonly contents: Set<string>
}

const SYSTEM_NAMESPACE = 'cattle-fleet-system'
/** Their secrets and events belong to every dump (spec 12, 9.1). */
const SYSTEM_NAMESPACES = ['default', 'kube-system', SYSTEM_NAMESPACE, 'cattle-fleet-local-system']
/** Bundles and contents may have a megabyte each. */
const MAX_LARGE_OBJECTS = 50
const SECRET: ResourceType = { apiVersion: 'v1', kind: 'Secret' }
const EVENT: ResourceType = { apiVersion: 'v1', kind: 'Event' }
/** Read whole, beside GitRepos, HelmOps and Bundles. ClusterRegistrations are not: what is in them opens doors. */
const OTHERS = [CLUSTER, CLUSTER_GROUP, BUNDLE_NAMESPACE_MAPPING, GIT_REPO_RESTRICTION, POLICY, SCHEDULE, IMAGE_SCAN]

/** Throws TerminalError when the bundle that is asked for does not exist, and what the API server refuses. */
export async function createDump(context: DumpContext, options: DumpOptions): Promise<void> {
  const found: Found = { namespaces: new Set(), bundles: new Set(), secrets: new Set(), contents: new Set() }
  await addBundles(context, options, found)
  await addGitRepos(context, options, found)
  await addHelmOps(context, options, found)
  for (const type of OTHERS) await unlessForbidden(context, () => addAll(context, options, type, found))
  await addDeployments(context, options, found)
  if (options.contents !== 'none') await addContents(context, options, found)
  const namespaces = [...new Set([...SYSTEM_NAMESPACES, ...(options.namespace ? [options.namespace] : found.namespaces)])].sort()
  for (const namespace of namespaces) {
    if (options.secrets !== 'none') await unlessForbidden(context, () => addSecrets(context, options, namespace, found))
    await unlessForbidden(context, () => addEvents(context, options, namespace))
  }
  context.progress('reading metrics')
  await unlessForbidden(context, () => addMetrics(context, SYSTEM_NAMESPACE))
}

async function addBundles(context: DumpContext, options: DumpOptions, found: Found): Promise<void> {
  const { only, namespace } = options
  const labelSelector =
    only && { gitrepo: `${REPO_NAME_LABEL}=${only.name}`, helmop: `${HELM_OP_LABEL}=${only.name}`, bundle: undefined }[only.kind]
  for await (const bundle of objects<Bundle>(context, BUNDLE, options, { labelSelector })) {
    if (only?.kind === 'bundle' && bundle.metadata.name !== only.name) continue
    noteNamespace(found, bundle)
    found.bundles.add(keyIn(bundle, bundle.metadata.name))
    for (const name of secretsOfBundle(bundle)) found.secrets.add(keyIn(bundle, name))
    await addObject(context, 'bundles', bundle)
  }
  if (only?.kind === 'bundle' && found.bundles.size === 0)
    throw new TerminalError(`bundle ${only.name} does not exist in namespace ${namespace}`)
}

async function addGitRepos(context: DumpContext, options: DumpOptions, found: Found): Promise<void> {
  const { only } = options
  if (only && only.kind !== 'gitrepo') return
  for await (const gitRepo of objects<GitRepo>(context, GIT_REPO, options)) {
    if (only && gitRepo.metadata.name !== only.name) continue
    noteNamespace(found, gitRepo)
    for (const name of secretsOfGitRepo(gitRepo)) found.secrets.add(keyIn(gitRepo, name))
    await addObject(context, 'gitrepos', gitRepo)
  }
}

async function addHelmOps(context: DumpContext, options: DumpOptions, found: Found): Promise<void> {
  const { only } = options
  if (only && only.kind !== 'helmop') return
  for await (const helmOp of objects<HelmOp>(context, HELM_OP, options)) {
    if (only && helmOp.metadata.name !== only.name) continue
    noteNamespace(found, helmOp)
    for (const name of secretsOfHelmOp(helmOp)) found.secrets.add(keyIn(helmOp, name))
    await addObject(context, 'helmops', helmOp)
  }
}

async function addAll(context: DumpContext, options: DumpOptions, type: ResourceType, found: Found): Promise<void> {
  for await (const object of objects<KubeObject>(context, type, options)) {
    noteNamespace(found, object)
    await addObject(context, (await context.client.mapping(type)).plural, object)
  }
}

/** Those of the workspace's bundles, wherever they are. */
async function addDeployments(context: DumpContext, options: DumpOptions, found: Found): Promise<void> {
  const { namespace, only } = options
  const labelSelector = namespace && `${BUNDLE_NAMESPACE_LABEL}=${namespace}`
  const everywhere = { ...options, namespace: undefined }
  for await (const deployment of objects<BundleDeployment>(context, BUNDLE_DEPLOYMENT, everywhere, { labelSelector })) {
    if (only && !found.bundles.has(`${namespace}/${deployment.metadata.labels?.[BUNDLE_NAME_LABEL]}`)) continue
    const content = contentOf(deployment)
    if (content) found.contents.add(content)
    await addObject(context, 'bundledeployments', deployment)
  }
}

async function addContents(context: DumpContext, options: DumpOptions, { contents }: Found): Promise<void> {
  for await (const content of objects<KubeObject>(context, CONTENT, { ...options, namespace: undefined })) {
    if (options.namespace && !contents.has(content.metadata.name)) continue
    const shown = options.contents === 'metadata' ? contentMetadata(content) : content
    await context.archive.add(`contents_${content.metadata.name}`, toYaml(shown))
  }
}

/** Of a workspace that was asked for by name: the secrets that something in the dump refers to. Of others all. */
async function addSecrets(context: DumpContext, options: DumpOptions, namespace: string, { secrets }: Found): Promise<void> {
  const isPartial = namespace === options.namespace && !SYSTEM_NAMESPACES.includes(namespace)
  for await (const secret of objects<KubeObject>(context, SECRET, { ...options, namespace })) {
    if (isPartial && !secrets.has(keyIn(secret, secret.metadata.name))) continue
    const shown = options.secrets === 'metadata' ? secretMetadata(secret) : secret
    await context.archive.add(`secrets_${namespace}_${secret.metadata.name}`, toYaml(shown))
  }
}

/** One line of JSON an event. */
async function addEvents(context: DumpContext, options: DumpOptions, namespace: string): Promise<void> {
  const lines = new Map<string, string>()
  for await (const event of objects<KubeObject>(context, EVENT, { ...options, namespace })) {
    lines.set(event.metadata.name, JSON.stringify(event))
  }
  if (lines.size > 0) await context.archive.add(`events_${namespace}`, [...lines.values()].join('\n'))
}

async function* objects<T extends KubeObject>(
  { client, signal, progress, archive }: DumpContext,
  type: ResourceType,
  { namespace, fetchLimit }: DumpOptions,
  selectors: Pick<PageOptions, 'labelSelector'> = {},
): AsyncGenerator<T> {
  const isLarge = type === BUNDLE || type === CONTENT
  const limit = isLarge && fetchLimit > 0 ? Math.min(fetchLimit, MAX_LARGE_OBJECTS) : fetchLimit
  progress(`reading ${type.kind} objects, ${archive.count} entries so far`)
  for await (const page of pages<T>(client, type, { ...selectors, namespace, limit, signal })) {
    progress(`reading ${type.kind} objects, ${archive.count} entries so far`)
    yield* page
  }
}

async function addObject({ archive }: DumpContext, plural: string, object: KubeObject): Promise<void> {
  const { namespace = '', name } = object.metadata
  await archive.add(`${plural}_${namespace}_${name}`, toYaml(withoutSecretPatches(object)))
}

function toYaml(object: KubeObject): string {
  return stringifyYaml(object, { lossless: true })
}

function noteNamespace({ namespaces }: Found, { metadata }: KubeObject): void {
  if (metadata.namespace) namespaces.add(metadata.namespace)
}

/** Key of an object beside another. */
function keyIn({ metadata }: KubeObject, name: string): string {
  return `${metadata.namespace}/${name}`
}

/** A dump without what we may not see is better than none. */
async function unlessForbidden({ warn }: DumpContext, add: () => Promise<void>): Promise<void> {
  try {
    await add()
  } catch (error) {
    if (!isForbidden(error)) throw error
    warn(`left out: ${error.message}`)
  }
}
