// The resource definitions of Rancher Fleet, as far as they differ from ours: made from ours by taking out what only we have.
import type { KubeObject } from '../lib/kube/types.ts'

interface Schema {
  readonly properties?: Record<string, Schema>
  readonly items?: Schema
  required?: string[]
}

export interface Definition extends KubeObject {
  readonly spec: {
    readonly names: { readonly kind: string }
    readonly versions: { readonly schema: { readonly openAPIV3Schema: Schema } }[]
  }
}

/** Fields of ours that Rancher Fleet 0.16.0 does not have, by kind. Those of `spec` came with its next version. docs/guides/from-go-fleet.md lists them. */
export const OUR_FIELDS: Readonly<Record<string, readonly string[]>> = {
  Bundle: ['spec.createNamespace', 'spec.targets.createNamespace', 'status.maxNew'],
  BundleDeployment: ['spec.options.createNamespace', 'spec.stagedOptions.createNamespace'],
  Cluster: ['status.agentCredential', 'status.agent.credential'],
  ClusterRegistration: ['status.conditions'],
  ClusterRegistrationToken: ['status.conditions'],
  HelmOp: ['spec.createNamespace', 'spec.targets.createNamespace'],
  Policy: ['allowNamespaceCreation'],
}
/** What its definitions ask for in addition. */
const THEIR_REQUIRED: Readonly<Record<string, readonly string[]>> = {
  GitRepo: ['status.resources.perClusterState'],
  HelmOp: ['status.resources.perClusterState'],
}

/** The definition without fields of ours, and without the mark that lets it outlive its release. */
export function withoutOurFields(definition: Definition): Definition {
  const { kind } = definition.spec.names
  const copy = structuredClone(definition)
  delete copy.metadata.annotations
  for (const { schema } of copy.spec.versions) {
    for (const path of OUR_FIELDS[kind] ?? []) {
      const { parent, field } = find(schema.openAPIV3Schema, path)
      if (!parent.properties?.[field]) throw new Error(`${kind} has no field ${path}`)
      delete parent.properties[field]
    }
    for (const path of THEIR_REQUIRED[kind] ?? []) {
      const { parent, field } = find(schema.openAPIV3Schema, path)
      parent.required = [...(parent.required ?? []), field]
    }
  }
  return copy
}

/** The schema that has the last field of a path, through lists. */
function find(schema: Schema, path: string): { parent: Schema; field: string } {
  const fields = path.split('.')
  const parent = fields.slice(0, -1).reduce((at, field) => {
    const inner = at.properties?.[field]
    if (!inner) throw new Error(`there is no field ${field} of ${path}`)
    return inner.items ?? inner
  }, schema)
  return { parent, field: fields.at(-1) ?? '' }
}
