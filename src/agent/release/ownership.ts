// To which release an object belongs: the label and annotations that Helm leaves on everything it writes.
import type { KubeObject } from '../../lib/kube/types.ts'
import type { ReleaseRef } from './engine.ts'

const MANAGED_BY = 'app.kubernetes.io/managed-by'
const HELM = 'Helm'
const RELEASE_NAME = 'meta.helm.sh/release-name'
const RELEASE_NAMESPACE = 'meta.helm.sh/release-namespace'

/** The object as it is written to the cluster: with the marks of its release, in the given namespace, if any. */
export function owned(object: KubeObject, release: ReleaseRef, namespace: string | undefined): KubeObject {
  const { namespace: _, ...metadata } = object.metadata
  const labels = { ...metadata.labels, [MANAGED_BY]: HELM }
  const annotations = { ...metadata.annotations, [RELEASE_NAME]: release.name, [RELEASE_NAMESPACE]: release.namespace }
  return { ...object, metadata: { ...metadata, ...(namespace ? { namespace } : {}), labels, annotations } }
}

/** What keeps a live object from becoming part of a release, in Helm's words; undefined when it is part of it. */
export function foreignMarks({ metadata }: KubeObject, { name, namespace }: ReleaseRef): string | undefined {
  const { labels, annotations } = metadata
  const problems = [
    mismatch('label', labels, MANAGED_BY, HELM),
    mismatch('annotation', annotations, RELEASE_NAME, name),
    mismatch('annotation', annotations, RELEASE_NAMESPACE, namespace),
  ].filter((problem) => problem !== undefined)
  return problems.length > 0 ? `invalid ownership metadata; ${problems.join('; ')}` : undefined
}

/** The release that the marks of a live object name; undefined when they name none. */
export function releaseOfObject({ metadata }: KubeObject): ReleaseRef | undefined {
  const { [RELEASE_NAME]: name, [RELEASE_NAMESPACE]: namespace } = metadata.annotations ?? {}
  return name === undefined ? undefined : { name, namespace: namespace ?? '' }
}

/** The object carries the marks of another release. */
export function belongsToOther(object: KubeObject, release: ReleaseRef): boolean {
  const marked = releaseOfObject(object)
  return marked !== undefined && (marked.name !== release.name || marked.namespace !== release.namespace)
}

function mismatch(what: string, values: Record<string, string> | undefined, key: string, wanted: string): string | undefined {
  const value = values?.[key]
  if (value === wanted) return undefined
  if (value === undefined) return `${what} validation error: missing key "${key}": must be set to "${wanted}"`
  return `${what} validation error: key "${key}" must equal "${wanted}": current value is "${value}"`
}
