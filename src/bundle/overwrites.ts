// Objects that move from a bundle that goes to one that comes: the old release may delete what the new one has just made, so the new one is told which they are (spec 6.8).
import type { Bundle, BundleResource, BundleSpec } from '../api/bundle.ts'
import { YamlError } from '../lib/yaml/error.ts'
import { parseYamlDocuments } from '../lib/yaml/parse.ts'
import { decodeResources } from './read-contents.ts'

type Overwrite = NonNullable<BundleSpec['overwrites']>[number]

/** Larger files are no manifests that move. */
const MAX_MANIFEST_BYTES = 2 * 2 ** 20

/** Objects by the name of the file that they stand in. */
export type ObjectsByFile = ReadonlyMap<string, ReadonlySet<string>>

/** What bundles that go have deployed from plain manifests. */
export async function objectsByFile(leaving: readonly Bundle[]): Promise<ObjectsByFile> {
  const byFile = new Map<string, Set<string>>()
  for (const resource of leaving.flatMap((bundle) => bundle.spec.resources ?? [])) {
    if (!isManifest(resource)) continue
    const keys = byFile.get(resource.name ?? '') ?? new Set<string>()
    for (const object of await objectsIn(resource)) keys.add(keyOf(object))
    byFile.set(resource.name ?? '', keys)
  }
  return byFile
}

/** Objects of the new bundle that a bundle that goes has in a file of the same name. */
export async function movedObjects(leaving: ObjectsByFile, arriving: Bundle): Promise<Overwrite[]> {
  const moved = new Map<string, Overwrite>()
  for (const resource of arriving.spec.resources ?? []) {
    const before = leaving.get(resource.name ?? '')
    if (!before) continue
    for (const object of await objectsIn(resource)) if (before.has(keyOf(object))) moved.set(keyOf(object), object)
  }
  return [...moved.values()]
}

/** Of overwrites that were recorded earlier, those whose objects the bundle still has: a cluster that was away has yet to see them. */
export async function stillMoved(recorded: readonly Overwrite[], bundle: Bundle): Promise<Overwrite[]> {
  if (recorded.length === 0) return []
  const present = new Set<string>()
  for (const resource of bundle.spec.resources ?? []) {
    if (isManifest(resource)) for (const object of await objectsIn(resource)) present.add(keyOf(object))
  }
  return recorded.filter((object) => present.has(keyOf(object)))
}

function isManifest({ name = '' }: BundleResource): boolean {
  return /\.(?:ya?ml|json)$/.test(name)
}

function keyOf({ kind, namespace, name }: Overwrite): string {
  return `${kind ?? ''}|${namespace ?? ''}|${name ?? ''}`
}

async function objectsIn(resource: BundleResource): Promise<Overwrite[]> {
  const [file] = await decodeResources([resource], { maxBytes: MAX_MANIFEST_BYTES }).catch(() => []) // what cannot be unpacked did not deploy
  if (!file) return []
  try {
    return parseYamlDocuments(file.content.toString('utf8')).flatMap(reference)
  } catch (error) {
    if (error instanceof YamlError) return [] // templates of charts are no YAML
    throw error
  }
}

function reference(document: unknown): Overwrite[] {
  const { kind, metadata } = (document ?? {}) as { kind?: unknown; metadata?: { name?: unknown; namespace?: unknown } | null }
  if (typeof kind !== 'string' || typeof metadata?.name !== 'string' || kind === '') return []
  const { namespace } = metadata
  return [{ kind, name: metadata.name, ...(typeof namespace === 'string' && namespace !== '' ? { namespace } : {}) }]
}
