// What every object of a deployment is marked with before it is applied, hooks included (spec 7.5).
import { HELM_RESOURCE_POLICY_ANNOTATION } from '../../api/labels.ts'
import type { KubeObject, ResourceType } from '../../lib/kube/types.ts'
import { RenderError } from './render-error.ts'

export interface Stamp {
  /** Marks of the object set. */
  labels: Readonly<Record<string, string>>
  annotations: Readonly<Record<string, string>>
  /** Delete custom resource definitions with the release instead of keeping them. */
  deleteCRDs: boolean
  /** Puts everything into this namespace; then objects that live in none are refused. */
  namespace?: string | undefined
}

/** The objects with their marks. `isNamespaced` is asked only when a namespace is forced. */
export async function stampObjects(
  objects: readonly KubeObject[],
  stamp: Stamp,
  isNamespaced: (type: ResourceType) => Promise<boolean>,
): Promise<KubeObject[]> {
  if (stamp.namespace) await refuseClusterScoped(objects, isNamespaced)
  return objects.map((object) => stamped(object, stamp))
}

async function refuseClusterScoped(objects: readonly KubeObject[], isNamespaced: (type: ResourceType) => Promise<boolean>): Promise<void> {
  for (const { apiVersion, kind, metadata } of objects) {
    if (await isNamespaced({ apiVersion, kind })) continue
    const what = `[name=${metadata.name} kind=${kind} apiVersion=${apiVersion}]`
    throw new RenderError(
      `invalid cluster scoped object ${what} found. targetNamespace or namespace forbids cluster-scoped resources: where they are wanted, switch to defaultNamespace`,
      'cluster-scoped',
    )
  }
}

function stamped(object: KubeObject, { labels, annotations, deleteCRDs, namespace }: Stamp): KubeObject {
  const keep = object.kind === 'CustomResourceDefinition' && !deleteCRDs ? { [HELM_RESOURCE_POLICY_ANNOTATION]: 'keep' } : {}
  const metadata = {
    ...object.metadata,
    labels: { ...asText(object.metadata.labels), ...labels },
    annotations: { ...asText(object.metadata.annotations), ...annotations, ...keep },
    ...(namespace ? { namespace } : {}),
  }
  return { ...object, metadata }
}

/** A number or a boolean that somebody forgot to quote is taken for its text: the API server would refuse the whole object. */
function asText(marks: Readonly<Record<string, unknown>> | null | undefined): Record<string, string> {
  const isPlain = (value: unknown): boolean => ['number', 'bigint', 'boolean'].includes(typeof value)
  const entries = Object.entries(marks ?? {}).map(([key, value]) => [key, isPlain(value) ? String(value) : value])
  return Object.fromEntries(entries) as Record<string, string>
}
