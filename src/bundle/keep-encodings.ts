import type { Bundle, BundleResource } from '../api/bundle.ts'
import { COMPRESSED } from './encode-files.ts'
import { decodeResources } from './read-contents.ts'

/**
 * The wanted bundle with compressed files as they are stored already, where they unpack to the same bytes: another version of the compressor,
 * or another implementation of Fleet, packs them differently, and a difference would deploy everything again.
 */
export async function keepEncodings(wanted: Bundle, existing: Bundle): Promise<Bundle> {
  const before = new Map((existing.spec.resources ?? []).map((resource) => [resource.name, resource]))
  const resources: BundleResource[] = []
  for (const resource of wanted.spec.resources ?? []) {
    const stored = before.get(resource.name)
    resources.push(stored && (await isSamePacked(resource, stored)) ? stored : resource)
  }
  return { ...wanted, spec: { ...wanted.spec, resources } }
}

async function isSamePacked(wanted: BundleResource, stored: BundleResource): Promise<boolean> {
  if (wanted.encoding !== COMPRESSED || stored.encoding !== COMPRESSED || wanted.content === stored.content) return false
  try {
    const [ours, theirs] = await Promise.all([decodeResources([wanted]), decodeResources([stored])])
    return ours[0]?.content.equals(theirs[0]?.content ?? Buffer.alloc(0)) ?? false
  } catch {
    return false // what is stored cannot be unpacked: replace it
  }
}
