import type { BundleDeploymentOptions } from '../api/bundle-deployment-options.ts'

const FIELDS: Record<keyof BundleDeploymentOptions, true> = {
  yaml: true,
  kustomize: true,
  defaultNamespace: true,
  namespace: true,
  helm: true,
  serviceAccount: true,
  createNamespace: true,
  forceSyncGeneration: true,
  diff: true,
  keepResources: true,
  deleteNamespace: true,
  ignore: true,
  correctDrift: true,
  namespaceLabels: true,
  namespaceAnnotations: true,
  deleteCRDResources: true,
  downstreamResources: true,
  overwrites: true,
  allowedTargetNamespaceSelector: true,
}

/** Only the options of a bundle's spec or of a target, which have them inline. */
export function optionsOf(inline: BundleDeploymentOptions): BundleDeploymentOptions {
  return Object.fromEntries(Object.entries(inline).filter(([key]) => Object.hasOwn(FIELDS, key)))
}
