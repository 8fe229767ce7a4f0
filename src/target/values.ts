// Helm values of one target, made ready for one cluster: label references, templates, templateValues (spec 4.5 and 12).
import type { HelmOptions } from '../api/bundle-deployment-options.ts'
import type { Cluster } from '../api/cluster.ts'
import { isMap } from '../lib/json/is-map.ts'
import { setKey, type Values } from './merge-values.ts'
import { labelsForValues, withoutBookkeeping } from './shared-labels.ts'
import { hasTemplates, renderValues, type TemplateCompiler } from './values-template.ts'

const LABEL_REFERENCE = 'global.fleet.clusterLabels.'
const MAX_REFERENCE_DEPTH = 50

/** The helm options of one target, prepared for any number of clusters. */
export interface HelmValues {
  /** False: all clusters with labels get the same. */
  readonly differsByCluster: boolean
  /** The helm options for a cluster; one without labels gets them untouched. Throws with a message for the user. */
  for(cluster: Cluster): HelmOptions | undefined
}

/** True if values are prepared for this cluster at all. */
export function hasUsableLabels(cluster: Cluster): boolean {
  return Object.keys(labelsForValues(cluster.metadata.labels)).length > 0
}

/** Prepares helm options; `helm` is not changed. */
export function compileHelmValues(helm: HelmOptions | undefined, compile: TemplateCompiler): HelmValues {
  const prepare = helm ? preparation(helm, compile) : { differsByCluster: false, for: () => ({}) }
  return {
    differsByCluster: prepare.differsByCluster,
    for: (cluster) => (hasUsableLabels(cluster) ? prepare.for(cluster) : helm),
  }
}

function preparation(helm: HelmOptions, compile: TemplateCompiler): HelmValues {
  const values: Values = helm.values ?? {}
  const templateValues = helm.templateValues ?? {}
  if (Object.keys(values).length === 0 && Object.keys(templateValues).length === 0) {
    return { differsByCluster: false, for: () => ({ ...helm, values: {} }) }
  }
  const refers = containsReference(values)
  if (helm.disablePreProcess) {
    return { differsByCluster: refers, for: (cluster) => ({ ...helm, values: resolve(values, cluster) }) }
  }
  return {
    differsByCluster: refers || hasTemplates(values, templateValues),
    for: (cluster) => ({ ...helm, values: renderValues(resolve(values, cluster), templateValues, templateData(cluster), compile) }),
  }
}

function resolve(values: Values, cluster: Cluster): Values {
  return resolveMap(values, labelsForValues(cluster.metadata.labels), 0)
}

/** References are looked for in maps, and in maps that are items of a list; a label that the cluster lacks gives an empty text. */
function resolveMap(map: Values, labels: Record<string, string>, depth: number): Values {
  if (depth > MAX_REFERENCE_DEPTH) throw new Error(`helm values are nested deeper than ${MAX_REFERENCE_DEPTH} levels`)
  const result: Values = {}
  for (const [key, value] of Object.entries(map)) setKey(result, key, resolveEntry(value, labels, depth))
  return result
}

function resolveEntry(value: unknown, labels: Record<string, string>, depth: number): unknown {
  if (typeof value === 'string') {
    if (!value.startsWith(LABEL_REFERENCE)) return value
    const label = value.slice(LABEL_REFERENCE.length)
    return Object.hasOwn(labels, label) ? labels[label] : ''
  }
  if (Array.isArray(value)) return value.map((item) => (isMap(item) ? resolveMap(item, labels, depth + 1) : item))
  return isMap(value) ? resolveMap(value, labels, depth + 1) : value
}

function containsReference(value: unknown): boolean {
  if (typeof value === 'string') return value.startsWith(LABEL_REFERENCE)
  if (Array.isArray(value)) return value.some(containsReference)
  return isMap(value) && Object.values(value).some(containsReference)
}

/** What templates can refer to. All of it is a copy: templates may change maps. */
function templateData({ metadata, spec }: Cluster): Record<string, unknown> {
  return {
    ClusterNamespace: metadata.namespace ?? '',
    ClusterName: metadata.name,
    ClusterLabels: labelsForValues(metadata.labels),
    ClusterAnnotations: withoutBookkeeping(metadata.annotations),
    ClusterValues: structuredClone(spec?.templateValues ?? {}),
  }
}
