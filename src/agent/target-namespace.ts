// The namespace of a release: whether it may be used, and what it is labelled with (spec 7.1 step 4, 7.5).
import type { BundleDeploymentOptions } from '../api/bundle-deployment-options.ts'
import type { KubeClient } from '../lib/kube/client.ts'
import { isConflict, isForbidden } from '../lib/kube/errors.ts'
import { formatSelector, InvalidSelectorError, matchesSelector } from '../lib/kube/selectors.ts'
import type { KubeObject, LabelSelector } from '../lib/kube/types.ts'

type Marks = Readonly<Record<string, string>>

const NAMESPACE = { apiVersion: 'v1', kind: 'Namespace' }
const NAME_LABEL = 'kubernetes.io/metadata.name'
const POD_SECURITY = 'pod-security.kubernetes.io/'
const WRITE_ATTEMPTS = 3

/** The account of a deployment may not do to its namespace what the options ask for. */
export class NamespaceForbiddenError extends Error {}

/** The namespace of a release by its options. */
export function releaseNamespace(options: BundleDeploymentOptions): string {
  return options.namespace || options.defaultNamespace || 'default'
}

/** Throws unless the namespace exists and has the labels that a restriction on the hub demands. Read with the agent's rights: the restriction is not the tenant's. */
export async function checkTargetNamespace(client: KubeClient, options: BundleDeploymentOptions): Promise<void> {
  const selector = options.allowedTargetNamespaceSelector
  if (!selector) return
  const name = releaseNamespace(options)
  const namespace = await client.find<KubeObject>({ ...NAMESPACE, name })
  if (!namespace) throw new Error(`target namespace ${name} does not exist on downstream cluster`)
  const { labels = {} } = namespace.metadata
  if (matches(selector, labels)) return
  const found = Object.entries(labels).map(([key, value]) => `${key}:${value}`)
  throw new Error(
    `target namespace ${name} does not match AllowedTargetNamespaceSelector (${formatSelector(selector)}); namespace labels map[${found.sort().join(' ')}]`,
  )
}

function matches(selector: LabelSelector, labels: Marks): boolean {
  try {
    return matchesSelector(selector, labels)
  } catch (error) {
    if (!(error instanceof InvalidSelectorError)) throw error
    throw new Error(`invalid AllowedTargetNamespaceSelector: ${error.message}`, { cause: error })
  }
}

/**
 * Makes labels and annotations of the namespace exactly those of the options, where the options name any; labels that Kubernetes and pod security put there stay.
 * Throws {@link NamespaceForbiddenError} when the account of the deployment may not.
 */
export async function labelNamespace(client: KubeClient, name: string, options: BundleDeploymentOptions): Promise<void> {
  const { namespaceLabels, namespaceAnnotations } = options
  if (isEmpty(namespaceLabels) && isEmpty(namespaceAnnotations)) return
  for (let attempt = 1; ; attempt++) {
    const namespace = await allowed('get', name, () => client.get<KubeObject>({ ...NAMESPACE, name }))
    const labels = isEmpty(namespaceLabels)
      ? namespace.metadata.labels
      : wantedLabels(namespace.metadata.labels ?? {}, namespaceLabels ?? {})
    const annotations = isEmpty(namespaceAnnotations) ? namespace.metadata.annotations : (namespaceAnnotations ?? {})
    if (isSame(labels, namespace.metadata.labels) && isSame(annotations, namespace.metadata.annotations)) return
    const next = { ...namespace, metadata: { ...namespace.metadata, labels: labels ?? {}, annotations: annotations ?? {} } }
    try {
      await allowed('update', name, () => client.update(next))
      return
    } catch (error) {
      if (!isConflict(error) || attempt === WRITE_ATTEMPTS) throw error
    }
  }
}

function wantedLabels(current: Marks, wanted: Marks): Record<string, string> {
  const kept = Object.entries(current).filter(([key]) => isProtected(key))
  const given = Object.entries(wanted).filter(([key]) => !isProtected(key))
  return Object.fromEntries([...given, ...kept])
}

function isProtected(key: string): boolean {
  return key === NAME_LABEL || key.startsWith(POD_SECURITY)
}

async function allowed<T>(verb: string, name: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!isForbidden(error)) throw error
    const message = `the deployment's service account is not allowed to ${verb} namespace "${name}" (to set its labels and annotations): ${error.message}`
    throw new NamespaceForbiddenError(message, { cause: error })
  }
}

function isEmpty(marks: Marks | null | undefined): boolean {
  return !marks || Object.keys(marks).length === 0
}

function isSame(a: Marks | undefined, b: Marks | undefined): boolean {
  const [left, right] = [a ?? {}, b ?? {}]
  const keys = Object.keys(left)
  return keys.length === Object.keys(right).length && keys.every((key) => left[key] === right[key])
}
