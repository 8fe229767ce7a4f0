// What Rancher Fleet finds when it goes on after us: who owns what is deployed, and what its resource definitions make of our objects.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { owned } from '../agent/release/ownership.ts'
import { decodeRelease, type HelmRelease, type ReleaseSecret } from '../lib/helm/release.ts'
import type { KubeClient } from '../lib/kube/client.ts'
import { objectPath, refOf } from '../lib/kube/paths.ts'
import type { KubeObject } from '../lib/kube/types.ts'
import { parseYaml, parseYamlDocuments } from '../lib/yaml/parse.ts'
import { ROOT } from './fleet.ts'
import { type Definition, withoutOurFields } from './upstream-definitions.ts'

/** The newest record of each release among these objects, by namespace and name. */
export function newestReleases(objects: Iterable<KubeObject>): Map<string, HelmRelease> {
  const newest = new Map<string, HelmRelease>()
  for (const object of objects) {
    if (!object.metadata.name.startsWith('sh.helm.release.v1.')) continue
    const release = decodeRelease(object as ReleaseSecret)
    const key = `${object.metadata.namespace}/${release.name}`
    if (release.version > (newest.get(key)?.version ?? 0)) newest.set(key, release)
  }
  return new Map([...newest].sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** The objects of a release as Helm writes them: with its marks, where they live. */
export async function objectsOfRelease(client: KubeClient, { name, namespace, manifest = '' }: HelmRelease): Promise<KubeObject[]> {
  const objects = parseYamlDocuments(manifest).filter((object) => object !== null) as unknown as KubeObject[]
  return Promise.all(
    objects.map(async (object) => {
      const { namespaced } = await client.mapping(object)
      return owned(object, { name, namespace }, namespaced ? (object.metadata.namespace ?? namespace) : undefined)
    }),
  )
}

/** Who owns fields of a live object, and how: `fleetagent Apply`. Owners of a status alone are left out. */
export async function ownersOf(client: KubeClient, object: KubeObject): Promise<string[]> {
  const ref = refOf(object)
  const live = await client.request<{ metadata: { managedFields?: { manager: string; operation: string; subresource?: string }[] } }>(
    'GET',
    objectPath(ref, await client.mapping(ref)),
  )
  const entries = (live.metadata.managedFields ?? []).filter(({ subresource }) => !subresource)
  return entries.map(({ manager, operation }) => `${manager} ${operation}`)
}

/** Puts the resource definitions of Rancher Fleet in place of ours, as an upgrade of its chart does. */
export async function putTheirDefinitions(client: KubeClient): Promise<void> {
  for (const file of readdirSync(join(ROOT, 'crds'))) {
    const definition = withoutOurFields(parseYaml(readFileSync(join(ROOT, 'crds', file), 'utf8')) as unknown as Definition)
    const { metadata } = await client.get(refOf(definition))
    await client.update({ ...definition, metadata: { ...definition.metadata, resourceVersion: metadata.resourceVersion ?? '' } })
  }
}

/** Paths of fields that are gone, through lists. */
export function lostFields(before: unknown, after: unknown, path = ''): string[] {
  if (Array.isArray(before)) return before.flatMap((item, index) => lostFields(item, Array.isArray(after) ? after[index] : undefined, path))
  if (typeof before !== 'object' || before === null) return []
  const now = (typeof after === 'object' && after !== null ? after : {}) as Record<string, unknown>
  return Object.entries(before).flatMap(([key, value]) => {
    const inner = path ? `${path}.${key}` : key
    return key in now ? lostFields(value, now[key], inner) : [inner]
  })
}
