// The last step before bundles are written.
import type { Bundle } from '../api/bundle.ts'
import { keepEncodings } from './keep-encodings.ts'
import { movedObjects, objectsByFile, stillMoved } from './overwrites.ts'
import type { WantedBundle } from './publish-plan.ts'

/** Wanted bundles that look like the stored ones wherever that makes no difference, and that know which objects they take over (spec 6.8). */
export async function prepareBundles(
  wanted: readonly WantedBundle[],
  stored: (name: string) => Bundle | undefined,
  owned: readonly Bundle[],
): Promise<WantedBundle[]> {
  const names = new Set(wanted.map(({ bundle }) => bundle.metadata.name))
  const leaving = await objectsByFile(owned.filter(({ metadata }) => !names.has(metadata.name)))
  const results: WantedBundle[] = []
  for (const one of wanted) {
    const existing = stored(one.bundle.metadata.name)
    const bundle = existing ? await keepEncodings(one.bundle, existing) : one.bundle
    const recorded = await stillMoved(existing?.spec.overwrites ?? [], bundle)
    const moved = await movedObjects(leaving, bundle)
    const overwrites = [
      ...new Map([...recorded, ...moved].map((object) => [JSON.stringify([object.kind, object.namespace, object.name]), object])).values(),
    ]
    results.push(overwrites.length > 0 ? { ...one, bundle: { ...bundle, spec: { ...bundle.spec, overwrites } } } : { ...one, bundle })
  }
  return results
}
