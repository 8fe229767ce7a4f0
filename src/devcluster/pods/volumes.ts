// Which files the volumes of a pod consist of: decided here, written by volume-files.ts.
import { posix } from 'node:path'
import type { NodeFacts } from './fields.ts'
import { podField, resourceField } from './fields.ts'
import type { PodSources } from './sources.ts'
import { configMapData, PodConfigError, secretData } from './sources.ts'
import type { DownwardFile, KeyToPath, Pod, ProjectedSource, Volume } from './types.ts'

/** One file of a volume. */
export interface VolumeFile {
  /** Relative, `/` as separator, without `..`. */
  readonly path: string
  readonly content: Buffer
  readonly mode: number
}

/** A file with a service account token, which has to be requested and renewed. */
export interface TokenFile {
  readonly path: string
  readonly audience?: string
  readonly expirationSeconds: number
}

/** What a volume holds. */
export interface VolumePlan {
  readonly name: string
  /** False for an emptyDir and for kinds that are not known here: a folder that belongs to the pod's programs. */
  readonly managed: boolean
  readonly files: readonly VolumeFile[]
  readonly tokens: readonly TokenFile[]
}

const DEFAULT_TOKEN_SECONDS = 3600
// The folder is private to the user already; secrets are on their own as well.
const CONFIG_MODE = 0o644
const SECRET_MODE = 0o600

/** The contents of all volumes of a pod. @throws PodConfigError when something that is not optional is missing */
export async function planVolumes(pod: Pod, node: NodeFacts, sources: PodSources): Promise<VolumePlan[]> {
  return Promise.all((pod.spec.volumes ?? []).map((volume) => planVolume(volume, pod, node, sources)))
}

/** `ConfigMap/name` and `Secret/name` of everything that the volumes of a pod refer to. */
export function referencedSources(pod: Pod): Set<string> {
  const sources = (pod.spec.volumes ?? []).flatMap(sourcesOf)
  return new Set(
    sources.flatMap(({ configMap, secret }) => [
      ...(configMap?.name === undefined ? [] : [`ConfigMap/${configMap.name}`]),
      ...(secret?.name === undefined ? [] : [`Secret/${secret.name}`]),
    ]),
  )
}

async function planVolume(volume: Volume, pod: Pod, node: NodeFacts, sources: PodSources): Promise<VolumePlan> {
  const mode =
    volume.configMap?.defaultMode ?? volume.secret?.defaultMode ?? volume.downwardAPI?.defaultMode ?? volume.projected?.defaultMode
  const parts = sourcesOf(volume)
  const files = await Promise.all(parts.map((part) => planSource(part, mode, pod, node, sources)))
  const tokens = parts.flatMap(({ serviceAccountToken }) => (serviceAccountToken === undefined ? [] : [planToken(serviceAccountToken)]))
  return { name: volume.name, managed: parts.length > 0, files: files.flat(), tokens }
}

// The simple kinds are a projected volume with a single source.
function sourcesOf({ configMap, secret, downwardAPI, projected }: Volume): readonly ProjectedSource[] {
  if (configMap !== undefined) return [{ configMap }]
  if (secret !== undefined) return [{ secret: { ...secret, ...(secret.secretName === undefined ? {} : { name: secret.secretName }) } }]
  if (downwardAPI !== undefined) return [{ downwardAPI }]
  return projected?.sources ?? []
}

async function planSource(
  source: ProjectedSource,
  defaultMode: number | undefined,
  pod: Pod,
  node: NodeFacts,
  sources: PodSources,
): Promise<VolumeFile[]> {
  const { configMap, secret, downwardAPI } = source
  if (configMap !== undefined) {
    const data = await configMapData(sources, configMap.name ?? '', configMap.optional)
    return select(data, `configmap "${configMap.name}"`, configMap, (mode) => CONFIG_MODE | executable(mode ?? defaultMode))
  }
  if (secret !== undefined) {
    const data = await secretData(sources, secret.name ?? '', secret.optional)
    return select(data, `secret "${secret.name}"`, secret, (mode) => SECRET_MODE | executable(mode ?? defaultMode))
  }
  return (downwardAPI?.items ?? []).map((item) => downwardFile(item, pod, node))
}

// Of the modes that a pod asks for, only the right of its owner to execute can matter here.
function executable(mode: number | undefined): number {
  return (mode ?? 0) & 0o100
}

function select(
  data: ReadonlyMap<string, Buffer>,
  what: string,
  { items, optional }: { readonly items?: readonly KeyToPath[]; readonly optional?: boolean },
  modeOf: (mode: number | undefined) => number,
): VolumeFile[] {
  if (items === undefined) return [...data].map(([path, content]) => ({ path: safePath(path), content, mode: modeOf(undefined) }))
  return items.flatMap(({ key, path, mode }) => {
    const content = data.get(key)
    if (content !== undefined) return [{ path: safePath(path), content, mode: modeOf(mode) }]
    if (optional) return []
    throw new PodConfigError(`${what} has no key ${key}`)
  })
}

function downwardFile(item: DownwardFile, pod: Pod, node: NodeFacts): VolumeFile {
  const own = pod.spec.containers[0]
  const value =
    item.resourceFieldRef !== undefined && own !== undefined
      ? resourceField(pod, node, own, item.resourceFieldRef)
      : podField(pod, node, item.fieldRef?.fieldPath ?? '')
  return { path: safePath(item.path), content: Buffer.from(value), mode: CONFIG_MODE }
}

function planToken({ path, audience, expirationSeconds }: NonNullable<ProjectedSource['serviceAccountToken']>): TokenFile {
  const common = { path: safePath(path), expirationSeconds: expirationSeconds ?? DEFAULT_TOKEN_SECONDS }
  return audience === undefined || audience === '' ? common : { ...common, audience }
}

function safePath(path: string): string {
  const normal = posix.normalize(path)
  if (normal === '' || normal === '.' || normal.startsWith('/') || normal.split('/').includes('..')) {
    throw new PodConfigError(`path "${path}" leaves its volume`)
  }
  return normal
}
