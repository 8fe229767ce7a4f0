// A CustomResourceDefinition of a kind, as YAML.
import { dump } from 'js-yaml'
import type { KindDefinition } from '../../../src/api/definitions.ts'
import { FLEET_GROUP, FLEET_VERSION } from '../../../src/api/kinds.ts'
import { plain, type Schema } from './schema.ts'

const HEAD = '# Made from src/api by `npm run generate`; changes made here are lost.\n'

/** The YAML of a kind's CRD. */
export function crdYaml(definition: KindDefinition): string {
  return HEAD + dump(crd(definition), { lineWidth: -1, noRefs: true })
}

function crd(definition: KindDefinition) {
  const { kind, plural } = definition
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    // a chart that is uninstalled must not take every Bundle, and with it every workload, along
    metadata: { name: `${plural}.${FLEET_GROUP}`, annotations: { 'helm.sh/resource-policy': 'keep' } },
    spec: {
      group: FLEET_GROUP,
      scope: definition.clusterScoped ? 'Cluster' : 'Namespaced',
      names: {
        kind,
        listKind: `${kind}List`,
        plural,
        singular: kind.toLowerCase(),
        ...(definition.inCategory ? { categories: ['fleet'] } : {}),
      },
      versions: [version(definition)],
    },
  }
}

function version({ schema, columns, withoutStatus }: KindDefinition) {
  const printed = Object.entries(columns).map(([name, jsonPath]) => ({ name, type: 'string', jsonPath }))
  return {
    name: FLEET_VERSION,
    served: true,
    storage: true,
    ...(printed.length > 0 ? { additionalPrinterColumns: printed } : {}),
    ...(withoutStatus ? {} : { subresources: { status: {} } }),
    schema: { openAPIV3Schema: structural(plain(schema)) },
  }
}

/** A structural schema: without titles, which are for the documentation, and with the words in one order. */
function structural({ title, description, type, properties, items, additionalProperties, ...rest }: Schema): Schema {
  return {
    ...(description ? { description } : {}),
    ...(type ? { type } : {}),
    ...rest,
    ...(items ? { items: structural(items) } : {}),
    ...(additionalProperties ? { additionalProperties: structural(additionalProperties) } : {}),
    ...(properties ? { properties: mapValues(properties, structural) } : {}),
  }
}

function mapValues<A, B>(record: Record<string, A>, change: (value: A) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]))
}
