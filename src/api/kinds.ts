// The group, the version and the kinds that Fleet owns. Free of schemas, so that it costs nothing to import.
import type { ResourceType } from '../lib/kube/types.ts'

/** API group of all kinds. */
export const FLEET_GROUP = 'fleet.cattle.io'
/** The one version that is served and stored. */
export const FLEET_VERSION = 'v1alpha1'
/** `apiVersion` of all kinds. */
export const FLEET_API_VERSION = 'fleet.cattle.io/v1alpha1'

function fleetKind<const K extends string>(kind: K): { readonly apiVersion: typeof FLEET_API_VERSION; readonly kind: K } & ResourceType {
  return { apiVersion: FLEET_API_VERSION, kind }
}

export const BUNDLE = fleetKind('Bundle')
export const BUNDLE_DEPLOYMENT = fleetKind('BundleDeployment')
export const BUNDLE_NAMESPACE_MAPPING = fleetKind('BundleNamespaceMapping')
export const CLUSTER = fleetKind('Cluster')
export const CLUSTER_GROUP = fleetKind('ClusterGroup')
export const CLUSTER_REGISTRATION = fleetKind('ClusterRegistration')
export const CLUSTER_REGISTRATION_TOKEN = fleetKind('ClusterRegistrationToken')
/** The only kind that lives in no namespace. */
export const CONTENT = fleetKind('Content')
export const GIT_REPO = fleetKind('GitRepo')
export const GIT_REPO_RESTRICTION = fleetKind('GitRepoRestriction')
export const HELM_OP = fleetKind('HelmOp')
export const IMAGE_SCAN = fleetKind('ImageScan')
export const POLICY = fleetKind('Policy')
export const SCHEDULE = fleetKind('Schedule')
