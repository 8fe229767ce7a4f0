// Which clusters a bundle may be deployed to at all: those of its own namespace and of namespaces that are mapped to it (spec 4.2).
import type { Bundle } from '../api/bundle.ts'
import type { BundleNamespaceMapping } from '../api/bundle-namespace-mapping.ts'
import type { Cluster } from '../api/cluster.ts'
import type { ClusterGroup } from '../api/cluster-group.ts'
import { compileSelector, matchesSelector } from '../lib/kube/selectors.ts'
import type { KubeObject } from '../lib/kube/types.ts'
import type { Candidate } from './match.ts'

/** A namespace's name and labels. */
export type NamespaceLike = Pick<KubeObject, 'metadata'>

/** What {@link namespacesOf} could not use. */
export interface InvalidMapping {
  readonly mapping: BundleNamespaceMapping
  readonly error: Error
}

export interface ReachableNamespaces {
  /** Sorted; the bundle's own namespace is always among them. */
  readonly namespaces: readonly string[]
  /** Mappings with a selector that cannot be parsed; they have no effect. */
  readonly invalid: readonly InvalidMapping[]
}

/**
 * The namespaces whose clusters a bundle may reach. `mappings` are those in the namespace of the bundle;
 * one without a bundle selector or without a namespace selector has no effect.
 */
export function namespacesOf(
  bundle: Bundle,
  mappings: readonly BundleNamespaceMapping[],
  namespaces: readonly NamespaceLike[],
): ReachableNamespaces {
  const found = new Set([bundle.metadata.namespace ?? ''])
  const invalid: InvalidMapping[] = []
  for (const mapping of mappings) {
    try {
      for (const name of mapped(bundle, mapping, namespaces)) found.add(name)
    } catch (error) {
      invalid.push({ mapping, error: error instanceof Error ? error : new Error(String(error)) })
    }
  }
  return { namespaces: [...found].sort(), invalid }
}

function mapped(bundle: Bundle, mapping: BundleNamespaceMapping, namespaces: readonly NamespaceLike[]): string[] {
  const { bundleSelector, namespaceSelector } = mapping
  if (!bundleSelector || !namespaceSelector) return []
  const selected = compileSelector(namespaceSelector)
  if (!matchesSelector(bundleSelector, bundle.metadata.labels ?? {})) return []
  return namespaces.filter(({ metadata }) => selected(metadata.labels ?? {})).map(({ metadata }) => metadata.name)
}

/** The groups of one namespace, compiled once for many clusters. A group without a selector, or with an invalid one, has no members. */
export function compileGroups(groups: readonly ClusterGroup[]): (cluster: Cluster) => readonly ClusterGroup[] {
  const compiled = [...groups]
    .sort((a, b) => compareText(a.metadata.name, b.metadata.name))
    .map((group) => ({ group, matches: membership(group) }))
  return (cluster) => compiled.filter(({ matches }) => matches(cluster.metadata.labels ?? {})).map(({ group }) => group)
}

function membership(group: ClusterGroup): (labels: Record<string, string>) => boolean {
  const selector = group.spec?.selector
  if (!selector) return () => false
  try {
    return compileSelector(selector)
  } catch {
    return () => false // the group itself reports it; bundles of other groups must go on
  }
}

/** Clusters and groups of the given namespaces as candidates, sorted by cluster name, then namespace. Clusters that are being deleted are none. */
export function candidatesOf(
  namespaces: readonly string[],
  clustersIn: (namespace: string) => readonly Cluster[],
  groupsIn: (namespace: string) => readonly ClusterGroup[],
): Candidate[] {
  return namespaces
    .flatMap((namespace) => {
      const groupsOf = compileGroups(groupsIn(namespace))
      return clustersIn(namespace)
        .filter(({ metadata }) => !metadata.deletionTimestamp)
        .map((cluster) => ({ cluster, groups: groupsOf(cluster) }))
    })
    .sort((a, b) => compareClusters(a.cluster, b.cluster))
}

/** By name, then by namespace (spec 4.3). */
export function compareClusters(a: Cluster, b: Cluster): number {
  return compareText(a.metadata.name, b.metadata.name) || compareText(a.metadata.namespace ?? '', b.metadata.namespace ?? '')
}

function compareText(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}
