// The id of one version of a deployment: what is deployed, and a hash over how. Agents deploy when it changes, so it must come out as Go's does:
// fields in the order of the Go struct, without drift options (spec 5.4).
import { createHash } from 'node:crypto'
import { always, type GoType, goAnyMap, goBool, goInt, goList, goMap, goPointer, goStruct, goText } from '../lib/json/go-struct.ts'
import type { BundleDeploymentOptions } from './bundle-deployment-options.ts'
import { goLabelSelector } from './go-types.ts'

const textMap = goMap(goText)
const reference = goPointer(goStruct({ name: always(goText), namespace: goText, key: goText }))

const options = goStruct({
  yaml: goPointer(goStruct({ overlays: goList(goText) })),
  kustomize: goPointer(goStruct({ dir: goText })),
  defaultNamespace: goText,
  namespace: goText,
  helm: goPointer(
    goStruct({
      valuesFiles: goList(goText),
      chart: goText,
      repo: goText,
      releaseName: goText,
      version: goText,
      timeoutSeconds: goInt,
      values: goAnyMap,
      templateValues: textMap,
      valuesFrom: goList(goStruct({ configMapKeyRef: reference, secretKeyRef: reference })),
      force: goBool,
      takeOwnership: goBool,
      maxHistory: goInt,
      waitForJobs: goBool,
      atomic: goBool,
      disablePreProcess: goBool,
      disableDNS: goBool,
      skipSchemaValidation: goBool,
      disableDependencyUpdate: goBool,
    }),
  ),
  serviceAccount: goText,
  createNamespace: goPointer(goBool),
  forceSyncGeneration: goInt,
  keepResources: goBool,
  deleteNamespace: goBool,
  ignore: goPointer(goStruct({ conditions: goList(textMap) })),
  namespaceLabels: textMap,
  namespaceAnnotations: textMap,
  deleteCRDResources: goBool,
  downstreamResources: goList(goStruct({ kind: goText, name: goText })),
  overwrites: goList(goStruct({ name: goText, namespace: goText, kind: goText })),
  allowedTargetNamespaceSelector: goPointer(goLabelSelector),
} satisfies Partial<Record<keyof BundleDeploymentOptions, GoType>>)

/** The text that is hashed: JSON of the options without `diff` and `correctDrift`, with a newline. */
export function deploymentHashInput(deploymentOptions: BundleDeploymentOptions): string {
  return `${options.write(deploymentOptions)}\n`
}

/**
 * `<manifest id>:<hash of the options>`. The manifest id is empty for charts that the agent downloads.
 * Values must be in the options: they are part of the version. Throws when a field has a type that no CRD lets through.
 */
export function deploymentId(manifestId: string, deploymentOptions: BundleDeploymentOptions): string {
  return `${manifestId}:${createHash('sha256').update(deploymentHashInput(deploymentOptions)).digest('hex')}`
}
