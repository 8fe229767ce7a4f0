// What does not count when a live object is compared with what was deployed (spec 7.6 step 4).
import { BadPatternError } from '../../lib/glob/error.ts'
import { compileTextPattern } from '../../lib/glob/text-pattern.ts'
import { compilePattern } from '../../lib/gotemplate/pattern.ts'
import type { KubeObject } from '../../lib/kube/types.ts'
import { PatchError } from '../../lib/patch/error.ts'
import { applyJsonPatch } from '../../lib/patch/json-patch.ts'

/** An entry of options.diff.comparePatches (spec 1.4). */
export interface ComparePatch {
  apiVersion?: string | null | undefined
  kind?: string | null | undefined
  name?: string | null | undefined
  namespace?: string | null | undefined
  jsonPointers?: readonly string[] | null | undefined
  operations?: readonly { op?: string | null | undefined; path?: string | null | undefined; value?: unknown }[] | null | undefined
}

type Json = Record<string, unknown>

/** Metadata that the cluster or other controllers own; comparing it would report their work as drift. */
const SERVER_METADATA = [
  'managedFields',
  'resourceVersion',
  'generation',
  'uid',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'selfLink',
  'ownerReferences',
  'finalizers',
]
/** Written by controllers and tools for themselves; manifests that were taken from a cluster carry old ones. */
const FOREIGN_ANNOTATIONS = [
  'autoscaling.alpha.kubernetes.io/conditions',
  'autoscaling.alpha.kubernetes.io/current-metrics',
  'control-plane.alpha.kubernetes.io/leader',
  'deployment.kubernetes.io/desired-replicas',
  'deployment.kubernetes.io/max-replicas',
  'deployment.kubernetes.io/revision',
  'deprecated.daemonset.template.generation',
  'kubectl.kubernetes.io/last-applied-configuration',
  'pv.kubernetes.io/bind-completed',
  'pv.kubernetes.io/bound-by-controller',
]
/** What makes a pattern of a text. */
const PATTERN = /[*?[{\\]/
const SET_ANNOTATION = /^objectset\.rio\.cattle\.io\//

/** A copy of an object with only what is compared: no status, no server metadata, nothing a comparePatch hides. */
export function normalize(object: KubeObject, patches: readonly ComparePatch[]): Json {
  const copy = structuredClone(object) as unknown as Json
  delete copy.status
  delete copy.apiVersion
  delete copy.kind
  const metadata = copy.metadata as Json
  for (const field of SERVER_METADATA) delete metadata[field]
  dropForeignAnnotations(metadata)
  dropIfEmpty(metadata, 'labels')
  return patches
    .filter((patch) => concerns(patch, object))
    .reduce((result, patch) => applyComparePatch(result, patch, names(patch, object)), copy)
}

function dropForeignAnnotations(metadata: Json): void {
  const annotations = (metadata.annotations ?? {}) as Json
  for (const key of Object.keys(annotations)) if (SET_ANNOTATION.test(key) || FOREIGN_ANNOTATIONS.includes(key)) delete annotations[key]
  dropIfEmpty(metadata, 'annotations')
}

function dropIfEmpty(metadata: Json, field: string): void {
  const value = metadata[field]
  if (value && Object.keys(value).length === 0) delete metadata[field]
}

function group(apiVersion: string): string {
  return apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : ''
}

/** Operations need the very type, namespace and name. */
function names(patch: ComparePatch, { apiVersion, metadata }: KubeObject): boolean {
  return patch.apiVersion === apiVersion && (patch.name ?? '') === metadata.name && (patch.namespace ?? '') === (metadata.namespace ?? '')
}

/** jsonPointers match by group and kind, both of which may be patterns, namespace and name, where an empty name or namespace matches all. */
function concerns(patch: ComparePatch, object: KubeObject): boolean {
  if (!isCovered(object.kind, patch.kind ?? '') || !isCovered(group(object.apiVersion), group(patch.apiVersion ?? ''))) return false
  return (!patch.name || patch.name === object.metadata.name) && (!patch.namespace || patch.namespace === (object.metadata.namespace ?? ''))
}

function isCovered(text: string, pattern: string): boolean {
  if (text === pattern) return true
  try {
    return PATTERN.test(pattern) && compileTextPattern(pattern)(text)
  } catch (error) {
    if (!(error instanceof BadPatternError)) throw error
    return false // whoever wrote it sees that it hides nothing
  }
}

function applyComparePatch(object: Json, patch: ComparePatch, isNamed: boolean): Json {
  const pointed = (patch.jsonPointers ?? []).reduce((result, path) => applyOperation(result, { op: 'remove', path }), object)
  if (!isNamed) return pointed
  return (patch.operations ?? [])
    .filter(({ op }) => op && op !== 'ignore')
    .reduce((result, operation) => applyOperation(result, operation), pointed)
}

/** One JSON patch operation; one that does not apply (nothing at its path) changes nothing. */
function applyOperation(object: Json, operation: object): Json {
  try {
    return applyJsonPatch(object, [operation]) as Json
  } catch (error) {
    if (!(error instanceof PatchError)) throw error
    // the object lacks what the patch would hide: there is nothing to hide
    return object
  }
}

/** Whether an object that is missing is to be passed over: operation `ignore`, namespace equal, name empty, equal or a matching pattern. */
export function ignoresMissing(patches: readonly ComparePatch[], object: KubeObject): boolean {
  return patches.some((patch) => {
    if (!patch.operations?.some(({ op }) => op === 'ignore')) return false
    if (
      patch.kind !== object.kind ||
      patch.apiVersion !== object.apiVersion ||
      (patch.namespace ?? '') !== (object.metadata.namespace ?? '')
    )
      return false
    return !patch.name || patch.name === object.metadata.name || matches(patch.name, object.metadata.name)
  })
}

const OBJECT_NAME = /^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$/

/** A user's pattern, found anywhere in a name of at most 253 characters; what is a name itself is no pattern. An invalid pattern matches nothing. */
function matches(pattern: string, name: string): boolean {
  if (OBJECT_NAME.test(pattern)) return false // it was compared as plain text before
  try {
    return compilePattern(pattern)(name)
  } catch {
    // whoever wrote it sees the object reported as missing
    return false
  }
}
