// The fields of fleet.yaml and their types (spec 1.3, 1.4, 6.1).
import { always, anyMap, base64, type Field, flag, integer, intOrText, list, pointer, type Shape, struct, text, textMap } from './shape.ts'

type Fields = Readonly<Record<string, Shape>>

const texts = list(text)

export const selector = struct({
  matchLabels: textMap,
  matchExpressions: list(struct({ key: always(text), operator: always(text), values: texts })),
})

const targetFields = {
  name: text,
  clusterName: text,
  clusterSelector: selector,
  clusterGroup: text,
  clusterGroupSelector: selector,
} satisfies Fields

/** A target without options: targets of a GitRepo, `overrideTargets`, restrictions. */
export const gitTarget = struct(targetFields)

const reference = struct({ name: always(text), namespace: text, key: text })

const helm = struct({
  chart: text,
  repo: text,
  releaseName: text,
  version: text,
  timeoutSeconds: integer,
  values: anyMap,
  templateValues: textMap,
  valuesFrom: list(struct({ configMapKeyRef: reference, secretKeyRef: reference })),
  valuesFiles: texts,
  force: flag,
  takeOwnership: flag,
  maxHistory: integer,
  waitForJobs: flag,
  atomic: flag,
  disablePreProcess: flag,
  disableDNS: flag,
  skipSchemaValidation: flag,
  disableDependencyUpdate: flag,
})

const comparePatch = struct({
  apiVersion: text,
  kind: text,
  namespace: text,
  name: text,
  jsonPointers: texts,
  operations: list(struct({ op: text, path: text, value: text })),
})

export const correctDrift = struct({ enabled: flag, force: flag, keepFailHistory: flag })

const options = {
  yaml: struct({ overlays: texts }),
  kustomize: struct({ dir: text }),
  defaultNamespace: text,
  namespace: text,
  helm,
  serviceAccount: text,
  createNamespace: pointer(flag),
  forceSyncGeneration: integer,
  diff: struct({ comparePatches: list(comparePatch) }),
  keepResources: flag,
  deleteNamespace: flag,
  ignore: struct({ conditions: list(textMap) }),
  correctDrift,
  namespaceLabels: textMap,
  namespaceAnnotations: textMap,
  deleteCRDResources: flag,
  downstreamResources: list(struct({ kind: text, name: text })),
  overwrites: list(struct({ name: text, namespace: text, kind: text })),
  allowedTargetNamespaceSelector: selector,
} satisfies Fields

/** A target with options. */
export const bundleTarget = struct({
  ...embedded(options),
  ...targetFields,
  doNotDeploy: flag,
  namespaceLabels: textMap,
  namespaceAnnotations: textMap,
})

const partition = struct({ ...targetFields, maxUnavailable: intOrText })

const bundleSpec = {
  ...options,
  paused: flag,
  rolloutStrategy: struct({
    maxUnavailable: intOrText,
    maxUnavailablePartitions: intOrText,
    autoPartitionSize: intOrText,
    autoPartitionThreshold: pointer(integer),
    maxNew: pointer(integer),
    partitions: list(partition),
  }),
  resources: list(struct({ name: text, content: text, encoding: text })),
  targetCustomizationMode: text,
  targets: list(bundleTarget),
  targetRestrictions: list(gitTarget),
  dependsOn: list(struct({ name: text, selector, acceptedStates: texts })),
  contentsId: text,
  helmOpOptions: struct({ helmOpSecretName: text, helmOpInsecureSkipTLSVerify: flag, helmOpCABundle: base64 }),
  valuesHash: text,
} satisfies Fields

const imageScanSpec = {
  tagName: text,
  gitrepoName: text,
  image: text,
  interval: text,
  secretRef: struct({ name: text }),
  suspend: flag,
  policy: struct({
    semver: struct({ range: always(text) }),
    alphabetical: struct({ order: text }),
    numerical: struct({ order: text }),
    newest: struct({}),
  }),
  filterTags: struct({ pattern: text, extract: text }),
} satisfies Fields

/** Fields of object metadata beside labels and annotations: Go reads them too, here they have no effect. */
export const METADATA_KEYS = [
  'generateName',
  'selfLink',
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'ownerReferences',
  'finalizers',
  'managedFields',
] as const

/** The whole file. What Go embeds is strict about text; what it lists beside takes numbers and booleans for text (spec 12). */
export const fleetYaml = struct({
  ...embedded(bundleSpec),
  ...embedded({ name: text, labels: textMap, annotations: textMap }),
  targetCustomizations: list(bundleTarget),
  overrideTargets: pointer(list(gitTarget)),
  imageScans: list(struct({ name: text, ...embedded(imageScanSpec) })),
})

/** A targets file, as `fleet apply --targets-file` reads it: part of the spec of a Bundle, of which only targets and restrictions are taken. */
export const targetsFragment = struct({ ...bundleSpec, ...embedded(options) })

function embedded(fields: Fields): Readonly<Record<string, Field>> {
  return Object.fromEntries(Object.entries(fields).map(([name, shape]) => [name, { shape, embedded: true }]))
}
