// How the options of a target or customization change those of the bundle (spec 4.4). Fields that are not named here only count on the bundle.
import type { BundleDeploymentOptions, HelmOptions } from '../api/bundle-deployment-options.ts'
import type { LabelSelector } from '../lib/kube/types.ts'
import { mergeValues } from './merge-values.ts'
import { withoutEmpty } from './without-empty.ts'

type Options = BundleDeploymentOptions
type Helm = HelmOptions
type ValuesFrom = NonNullable<NonNullable<Helm['valuesFrom']>[number]>
type ComparePatch = NonNullable<NonNullable<NonNullable<Options['diff']>['comparePatches']>[number]>
type DownstreamResource = NonNullable<NonNullable<Options['downstreamResources']>[number]>

/** The options of a bundle changed by those of a target. Neither argument is changed; empty fields are left out of the result. */
export function mergeOptions(base: Options, custom: Options): Options {
  return withoutEmpty({
    ...base,
    defaultNamespace: custom.defaultNamespace || base.defaultNamespace,
    namespace: custom.namespace || base.namespace,
    serviceAccount: custom.serviceAccount || base.serviceAccount,
    forceSyncGeneration: (custom.forceSyncGeneration ?? 0) > 0 ? custom.forceSyncGeneration : base.forceSyncGeneration,
    keepResources: custom.keepResources || base.keepResources,
    correctDrift: custom.correctDrift ?? base.correctDrift,
    helm: mergeHelm(base.helm, custom.helm),
    kustomize: custom.kustomize ? { ...base.kustomize, dir: custom.kustomize.dir || base.kustomize?.dir } : base.kustomize,
    yaml: custom.yaml ? { ...base.yaml, overlays: [...(base.yaml?.overlays ?? []), ...(custom.yaml.overlays ?? [])] } : base.yaml,
    diff: custom.diff
      ? { ...base.diff, comparePatches: mergeByKey(base.diff?.comparePatches, custom.diff.comparePatches, comparePatchKey) }
      : base.diff,
    downstreamResources: mergeByKey(base.downstreamResources, custom.downstreamResources, downstreamResourceKey),
  } as Options)
}

function mergeHelm(base: Helm | null | undefined, custom: Helm | null | undefined): Helm | null | undefined {
  if (!custom) return base
  const from: Helm = base ?? {}
  return {
    ...from,
    timeoutSeconds: mergeTimeout(from.timeoutSeconds, custom.timeoutSeconds),
    values: mergeValues(from.values, custom.values),
    templateValues: { ...from.templateValues, ...custom.templateValues },
    valuesFrom: mergeByKey(from.valuesFrom, custom.valuesFrom, valuesFromKey),
    repo: custom.repo || from.repo,
    chart: custom.chart || from.chart,
    version: custom.version || from.version,
    releaseName: custom.releaseName || from.releaseName,
    force: custom.force || from.force,
    atomic: custom.atomic || from.atomic,
    takeOwnership: custom.takeOwnership || from.takeOwnership,
    disablePreProcess: custom.disablePreProcess || from.disablePreProcess,
    waitForJobs: custom.waitForJobs || from.waitForJobs,
    disableDNS: custom.disableDNS || from.disableDNS,
  } as Helm
}

function mergeTimeout(base: number | null | undefined, custom: number | null | undefined): number | undefined {
  if (!custom) return base ?? undefined
  return custom > 0 ? custom : 0
}

/**
 * Entries of `custom` take the place of the last entry of `base` with the same key, others are appended in their order.
 * Of equal keys in `custom` the first counts; entries without a key are always appended.
 */
function mergeByKey<T>(
  base: readonly T[] | null | undefined,
  custom: readonly T[] | null | undefined,
  keyOf: (entry: T) => string | undefined,
): T[] {
  const changes = new Map<string, T>()
  for (const entry of custom ?? []) {
    const key = keyOf(entry)
    if (key !== undefined && !changes.has(key)) changes.set(key, entry)
  }
  const known = new Map((base ?? []).map((entry, index) => [keyOf(entry), index]))
  const kept = (base ?? []).map(
    (entry, index) => (known.get(keyOf(entry)) === index ? changes.get(keyOf(entry) ?? '') : undefined) ?? entry,
  )
  const added = (custom ?? []).filter((entry) => {
    const key = keyOf(entry)
    return key === undefined || (changes.get(key) === entry && !known.has(key))
  })
  return [...kept, ...added]
}

/** An entry with both references counts as a config map, one with none has no key. */
function valuesFromKey({ configMapKeyRef, secretKeyRef }: ValuesFrom): string | undefined {
  if (configMapKeyRef) return key('configmap', configMapKeyRef.namespace, configMapKeyRef.name, configMapKeyRef.key)
  if (secretKeyRef) return key('secret', secretKeyRef.namespace, secretKeyRef.name, secretKeyRef.key)
  return undefined
}

function comparePatchKey({ apiVersion, kind, namespace, name }: ComparePatch): string {
  return key(apiVersion, kind, namespace, name)
}

function downstreamResourceKey({ kind, name }: DownstreamResource): string {
  return key(kind?.toLowerCase(), name)
}

function key(...parts: (string | null | undefined)[]): string {
  return parts.map((part) => part ?? '').join('|')
}

/**
 * The selectors of several restrictions as one: labels united (the last of a key wins), expressions appended once each.
 * Undefined if there is none.
 */
export function mergeSelectors(selectors: readonly (LabelSelector | null | undefined)[]): LabelSelector | undefined {
  const given = selectors.filter((selector) => selector !== null && selector !== undefined)
  if (given.length === 0) return undefined
  const matchLabels = Object.assign({}, ...given.map((selector) => selector.matchLabels)) as Record<string, string>
  const expressions = new Map(given.flatMap((selector) => selector.matchExpressions ?? []).map((entry) => [JSON.stringify(entry), entry]))
  return {
    ...(Object.keys(matchLabels).length > 0 ? { matchLabels } : {}),
    ...(expressions.size > 0 ? { matchExpressions: [...expressions.values()] } : {}),
  }
}
