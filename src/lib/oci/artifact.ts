// Artifacts of one file: a manifest with one layer, whose annotations say what it is. The same file always gives the same manifest.
import { OciError } from './errors.ts'
import { IMAGE_MANIFEST, type Repository } from './registry.ts'
import type { Descriptor } from './types.ts'

export interface Artifact {
  readonly artifactType: string
  readonly mediaType: string
  readonly annotations: Readonly<Record<string, string>>
  readonly bytes: Buffer
}

const EMPTY = Buffer.from('{}')
const EMPTY_TYPE = 'application/vnd.oci.empty.v1+json'

/** Stores an artifact under a tag; what is there already is left as it is. Throws OciError. */
export async function pushArtifact(repository: Repository, tag: string, artifact: Artifact, signal: AbortSignal): Promise<void> {
  const { artifactType, mediaType, annotations, bytes } = artifact
  const known = await repository.manifest(tag, signal)
  const layer = await repository.pushBlob(bytes, mediaType, signal)
  if (known && isSameLayer(layersOf(known.content), layer, annotations)) return
  const config = { ...(await repository.pushBlob(EMPTY, EMPTY_TYPE, signal)), data: EMPTY.toString('base64') }
  const manifest = { schemaVersion: 2, mediaType: IMAGE_MANIFEST, artifactType, config, layers: [{ ...layer, annotations }] }
  await repository.pushManifest(tag, IMAGE_MANIFEST, Buffer.from(JSON.stringify(manifest)), signal)
}

/** The only layer of the artifact under a tag. Throws OciError `not-found`, or `corrupt` when it has none or several, or other annotations than `annotations`. */
export async function artifactLayer(
  repository: Repository,
  tag: string,
  annotations: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<Descriptor> {
  const where = `${repository.name}:${tag}`
  const manifest = await repository.manifest(tag, signal)
  if (!manifest) throw new OciError('not-found', `the registry has no ${where}`)
  const [layer, ...more] = layersOf(manifest.content)
  if (!layer || more.length > 0) throw new OciError('corrupt', `${where} has ${layer ? more.length + 1 : 0} layers, it should have one`)
  if (!isSameMap(layer.annotations ?? {}, annotations))
    throw new OciError('corrupt', `the layer of ${where} is not annotated as it should be: ${JSON.stringify(annotations)}`)
  return layer
}

function layersOf({ layers }: Readonly<Record<string, unknown>>): Descriptor[] {
  return Array.isArray(layers) ? layers.filter((layer) => typeof layer === 'object' && layer !== null) : []
}

function isSameLayer(
  layers: readonly Descriptor[],
  { digest, mediaType }: Descriptor,
  annotations: Readonly<Record<string, string>>,
): boolean {
  const [layer] = layers
  return layers.length === 1 && layer?.digest === digest && layer.mediaType === mediaType && isSameMap(layer.annotations ?? {}, annotations)
}

function isSameMap(a: Readonly<Record<string, unknown>>, b: Readonly<Record<string, string>>): boolean {
  const keys = Object.keys(b)
  return Object.keys(a).length === keys.length && keys.every((key) => Object.hasOwn(a, key) && a[key] === b[key])
}
