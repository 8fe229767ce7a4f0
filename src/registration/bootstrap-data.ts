// What must be there before any agent is let in: the rights that agents are bound to, and the namespaces of the system (spec 2.4).
import { FLEET_GROUP } from '../api/kinds.ts'
import { registrationNamespace } from '../api/names.ts'
import type { KubeObject } from '../lib/kube/types.ts'
import { NAMESPACE, roleObject } from './kinds.ts'

/** ClusterRole: what an agent may do in the namespace of its cluster. */
export const BUNDLE_DEPLOYMENT_ROLE = 'fleet-bundle-deployment'
/** ClusterRole: fetch a content whose name one knows. */
export const CONTENT_ROLE = 'fleet-content'
/** Set id of the bootstrap data. */
export const DATA_SET = 'fleet-bootstrap-data'

/** The objects of the set. */
export function bootstrapData(systemNamespace: string): KubeObject[] {
  return [
    { ...NAMESPACE, metadata: { name: systemNamespace } },
    { ...NAMESPACE, metadata: { name: registrationNamespace(systemNamespace) } },
    roleObject({ name: BUNDLE_DEPLOYMENT_ROLE }, [
      { verbs: ['get', 'list', 'watch'], apiGroups: [FLEET_GROUP], resources: ['bundledeployments'] },
      { verbs: ['update', 'patch'], apiGroups: [FLEET_GROUP], resources: ['bundledeployments/status'] },
      { verbs: ['get'], apiGroups: [''], resources: ['secrets', 'configmaps'] },
    ]),
    roleObject({ name: CONTENT_ROLE }, [{ verbs: ['get'], apiGroups: [FLEET_GROUP], resources: ['contents'] }]),
  ]
}
