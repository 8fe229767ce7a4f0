// Images: what their configuration says.
import { OciError } from './errors.ts'
import { isDigest } from './reference.ts'
import { DOCKER_LIST, IMAGE_INDEX, type Repository } from './registry.ts'
import type { Descriptor, StoredManifest } from './types.ts'

export interface ImageInfo {
  /** of what the tag names: the index of an image for several platforms, or its manifest */
  readonly digest: string
  /** when it was made, in milliseconds; undefined where the image does not say */
  readonly created: number | undefined
}

/** The platform whose image is looked at, where there are several; the first one where it is not there. */
const PLATFORM = { os: 'linux', architecture: 'amd64' }
/** What attestations give as their platform. */
const UNKNOWN = 'unknown'
const MAX_CONFIG_BYTES = 8 * 2 ** 20

/** What the image under a tag or digest is. Throws OciError. */
export async function imageInfo(repository: Repository, reference: string, signal: AbortSignal): Promise<ImageInfo> {
  const top = await found(repository, reference, signal)
  const isIndex = top.mediaType === IMAGE_INDEX || top.mediaType === DOCKER_LIST
  const platform = isIndex ? platformOf(top) : undefined
  const manifest = platform === undefined ? top : await found(repository, platform, signal)
  const config = descriptorOf(manifest.content.config)
  if (!config) return { digest: top.digest, created: undefined }
  const bytes = await repository.blob(config, signal, MAX_CONFIG_BYTES)
  return { digest: top.digest, created: createdIn(bytes) }
}

async function found(repository: Repository, reference: string, signal: AbortSignal): Promise<StoredManifest> {
  const manifest = await repository.manifest(reference, signal)
  if (!manifest) throw new OciError('not-found', `the registry has no image ${reference} of ${repository.name}`)
  return manifest
}

/** The digest of one image of an index; undefined if it has none. Attestations, whose platform is unknown, come last. */
function platformOf({ content: { manifests } }: StoredManifest): string | undefined {
  const all = (Array.isArray(manifests) ? manifests : []).filter((one) => isDigest(one?.digest)) as {
    readonly digest: string
    readonly platform?: { readonly os?: unknown; readonly architecture?: unknown }
  }[]
  const wanted = all.find(({ platform }) => platform?.os === PLATFORM.os && platform.architecture === PLATFORM.architecture)
  return (wanted ?? all.find(({ platform }) => platform?.os !== UNKNOWN) ?? all[0])?.digest
}

function descriptorOf(value: unknown): Descriptor | undefined {
  const { digest, size } = (value ?? {}) as { digest?: unknown; size?: unknown }
  return typeof digest === 'string' && typeof size === 'number' ? (value as Descriptor) : undefined
}

/** Images made to be the same each time say 1970, or nothing. */
function createdIn(bytes: Buffer): number | undefined {
  try {
    const { created } = JSON.parse(bytes.toString('utf8')) as { created?: unknown }
    const ms = typeof created === 'string' ? Date.parse(created) : Number.NaN
    return Number.isNaN(ms) ? undefined : ms
  } catch {
    return undefined // the configuration of something else than an image
  }
}
