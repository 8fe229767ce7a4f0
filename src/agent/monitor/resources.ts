// The list of live objects, cut to what can be stored along with the rest of a BundleDeployment: a report that is refused for its size would never arrive.
import { RESOURCES_BYTES } from './limits.ts'
import type { LiveResource } from './types.ts'

/** The resources that fit, in the order given. Where not all of them do, those in trouble are kept first: it is they that people look for. */
export function fittingResources(resources: readonly LiveResource[], inTrouble: ReadonlySet<LiveResource>): readonly LiveResource[] {
  const sizes = new Map(resources.map((resource) => [resource, sizeOf(resource)]))
  const total = [...sizes.values()].reduce((sum, size) => sum + size, 0)
  if (total <= RESOURCES_BYTES) return resources
  const kept = new Set<LiveResource>()
  let room = RESOURCES_BYTES
  const others = resources.filter((resource) => !inTrouble.has(resource))
  for (const resource of [...resources.filter((one) => inTrouble.has(one)), ...others]) {
    room -= sizes.get(resource) ?? 0
    if (room < 0) break
    kept.add(resource)
  }
  return resources.filter((resource) => kept.has(resource))
}

/** With the comma between two entries. */
function sizeOf(resource: LiveResource): number {
  return Buffer.byteLength(JSON.stringify(resource)) + 1
}
