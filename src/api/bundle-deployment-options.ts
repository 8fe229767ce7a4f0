// How contents become a release. The same block stands in Bundle.spec, in each of its targets and twice in BundleDeployment.spec.
// The order in which Go writes these fields decides deployment ids: see deployment-id.ts.
import { anything, bytes, flag, int64, integer, list, object, type Static, text, textMap, texts } from './schema.ts'
import { selector } from './selectors.ts'

const valueReference = (what: string) =>
  object(
    {
      name: text(`Name of the ${what}.`),
      namespace: text('Its namespace; without it the namespace of the release.'),
      key: text('The key that holds YAML; without it values.yaml.'),
    },
    `Key of a ${what} in the cluster that is deployed to.`,
  )

const ValuesFrom = object(
  { configMapKeyRef: valueReference('config map'), secretKeyRef: valueReference('secret') },
  'Where values are read from, in the cluster that is deployed to.',
  { title: 'ValuesFrom' },
)
/** Values that are read in the cluster that is deployed to. */
export type ValuesFrom = Static<typeof ValuesFrom>

const HelmOptions = object(
  {
    chart: text('Path, OCI reference or name of the chart in the repository.'),
    repo: text('URL of the chart repository.'),
    releaseName: text('Name of the release; without it one is made of the bundle name.', {
      maxLength: 53,
      pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$',
    }),
    version: text('Version of the chart, or a range of versions.'),
    timeoutSeconds: integer('Seconds to wait for objects to become ready; 0 does not wait.'),
    values: anything('Values of the chart. Texts may hold templates that are rendered for each cluster.'),
    templateValues: textMap('Values as template texts by top-level key; the rendered YAML replaces the key in values.'),
    valuesFrom: list(ValuesFrom, 'Values that are read in the cluster that is deployed to.'),
    valuesFiles: texts('Files of the bundle whose values are merged into values when it is read.'),
    force: flag('Replace objects that cannot be changed.'),
    takeOwnership: flag('Adopt objects that exist and belong to nobody else.'),
    maxHistory: integer('Revisions of the release to keep.'),
    waitForJobs: flag('With timeoutSeconds: wait for jobs too.'),
    atomic: flag('Roll back when an upgrade fails.'),
    disablePreProcess: flag('Do not render templates in values.'),
    disableDNS: flag('No DNS look-ups from templates.'),
    skipSchemaValidation: flag("Do not check values against the chart's schema."),
    disableDependencyUpdate: flag('Do not download dependencies of the chart.'),
  },
  'Helm options.',
  { title: 'HelmOptions' },
)
/** Options of the release and its chart. */
export type HelmOptions = Static<typeof HelmOptions>

const ComparePatch = object(
  {
    apiVersion: text('API version of the objects.'),
    kind: text('Kind of the objects.'),
    namespace: text('Namespace of the objects.'),
    name: text('Name of the objects.'),
    jsonPointers: texts('Paths that may differ.'),
    operations: list(
      object({ op: text('remove or ignore.'), path: text('Where.'), value: text('What.') }, 'A JSON patch operation.'),
      'JSON patch applied before comparing; the operation ignore leaves the object out altogether.',
    ),
  },
  'What may differ in some objects.',
  { title: 'ComparePatch' },
)
/** What may differ in some objects without counting as drift. */
export type ComparePatch = Static<typeof ComparePatch>

export const CorrectDrift = object(
  {
    enabled: flag('Undo changes made to deployed objects.'),
    force: flag('Replace objects that cannot be changed back.'),
    keepFailHistory: flag('Keep failed corrections in the history of the release.'),
  },
  'Whether to undo changes made by others.',
  { title: 'CorrectDrift' },
)
/** Whether and how changes by others are undone. */
export type CorrectDrift = Static<typeof CorrectDrift>

const DownstreamResource = object({ kind: text('Secret or ConfigMap.'), name: text('Its name.') }, 'An object to copy.')
/** A secret or config map that is copied to the clusters. */
export type DownstreamResource = Static<typeof DownstreamResource>

const OverwrittenResource = object(
  { name: text('Its name.'), namespace: text('Its namespace.'), kind: text('Its kind.') },
  'An object that another bundle has too.',
)

/** The fields of the block, for the kinds that inline it. */
export const optionsFields = {
  defaultNamespace: text('Namespace of the release, and of objects that name none.'),
  namespace: text('Namespace that all objects are put into; cluster-wide objects are refused.'),
  kustomize: object({ dir: text('Folder with the kustomization file.') }, 'Kustomize options.'),
  helm: HelmOptions,
  yaml: object({ overlays: texts('Folders below overlays/ whose files replace or patch files.') }, 'Options for plain manifests.'),
  serviceAccount: text('Service account to deploy as.'),
  createNamespace: flag('false does not create the namespace of the release.'),
  forceSyncGeneration: int64('Raise it to deploy again.'),
  diff: object({ comparePatches: list(ComparePatch, 'Differences to ignore.') }, 'What does not count as drift.'),
  keepResources: flag('Leave objects in place when the bundle goes.'),
  deleteNamespace: flag('Delete the namespace when the bundle goes.'),
  ignore: object({ conditions: list(textMap('Fields of a condition.'), 'Conditions to ignore.') }, 'What does not count for readiness.'),
  correctDrift: CorrectDrift,
  namespaceLabels: textMap('Labels for the namespace of the release.'),
  namespaceAnnotations: textMap('Annotations for the namespace of the release.'),
  deleteCRDResources: flag('Delete custom resource definitions, and with them all their objects, when the bundle goes.'),
  downstreamResources: list(DownstreamResource, 'Objects beside the bundle that are copied to the clusters.'),
  overwrites: list(OverwrittenResource, 'Set by fleet apply.'),
  allowedTargetNamespaceSelector: selector('Set by restrictions: only namespaces with these labels may be deployed to.'),
}

export const BundleDeploymentOptions = object(optionsFields, 'How to deploy.', { title: 'BundleDeploymentOptions' })
/** How contents become a release. */
export type BundleDeploymentOptions = Static<typeof BundleDeploymentOptions>

export const HelmChartOptions = object(
  {
    helmOpSecretName: text('Secret with the credentials of the chart repository.'),
    helmOpInsecureSkipTLSVerify: flag('Do not verify certificates.'),
    helmOpCABundle: bytes('PEM certificates to trust.'),
  },
  'Present when the agent downloads the chart.',
  { title: 'HelmChartOptions' },
)
/** How an agent downloads the chart of a HelmOp. */
export type HelmChartOptions = Static<typeof HelmChartOptions>
