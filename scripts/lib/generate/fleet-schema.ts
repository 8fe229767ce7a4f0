// docs/fleet.schema.json: fleet.yaml as JSON Schema, for editors.
import type { TSchema } from 'typebox'
import { bundleSpecFields } from '../../../src/api/bundle.ts'
import { ImageScan } from '../../../src/api/image-scan.ts'
import { list, text, textMap } from '../../../src/api/schema.ts'
import { clusterTarget } from '../../../src/api/selectors.ts'
import { plain, type Schema } from './schema.ts'

/** JSON Schema that is written out. */
type Output = Record<string, unknown>

/** Fields of a Bundle that only Fleet itself sets. */
const INTERNAL = new Set(['resources', 'contentsId', 'helmOpOptions', 'valuesHash', 'overwrites', 'allowedTargetNamespaceSelector'])

const OWN_FIELDS: Readonly<Record<string, TSchema>> = {
  name: text('Name of the bundle, in place of the one that is made from GitRepo and path.'),
  labels: textMap('Labels of the bundle.'),
  annotations: textMap('Annotations of the bundle.'),
  overrideTargets: list(clusterTarget('Clusters to deploy to.'), 'Clusters to deploy to, in place of those of the GitRepo.'),
}

/** The text of the file. */
export function fleetSchema(): string {
  const spec = convertProperties(Object.fromEntries(Object.entries(bundleSpecFields).map(([name, schema]) => [name, plain(schema)])))
  const own = convertProperties(Object.fromEntries(Object.entries(OWN_FIELDS).map(([name, schema]) => [name, plain(schema)])))
  const properties = { ...own, ...spec, targetCustomizations: customizations(spec.targets), imageScans: imageScans() }
  return `${JSON.stringify(
    {
      $schema: 'http://json-schema.org/draft-07/schema#',
      title: 'fleet.yaml',
      description: 'How the files of a folder are deployed, and where.',
      type: ['object', 'null'],
      properties: Object.fromEntries(Object.entries(properties).sort(([a], [b]) => (a < b ? -1 : 1))),
      additionalProperties: false,
    },
    null,
    2,
  )}\n`
}

function customizations(targets: Output | undefined): Output {
  return { ...targets, description: 'Options that are special to clusters that the GitRepo deploys to.' }
}

function imageScans(): Output {
  const { spec } = plain(ImageScan).properties ?? {}
  const { gitrepoName: _set, ...fields } = spec?.properties ?? {}
  const properties = convertProperties({ ...fields, name: { type: 'string', description: 'Not used.' } })
  return {
    type: ['array', 'null'],
    description: 'Images whose new versions are written back to git.',
    items: { type: 'object', properties, additionalProperties: false },
  }
}

function convertProperties(properties: Record<string, Schema>): Record<string, Output> {
  const shown = Object.entries(properties).filter(([name]) => !INTERNAL.has(name))
  return Object.fromEntries(shown.map(([name, schema]) => [name, nullable(schema)]))
}

/** Empty fields count as absent. */
function nullable(schema: Schema): Output {
  const { anyOf, type, enum: words } = schema
  return {
    ...convert(schema),
    ...(anyOf ? { anyOf: [...anyOf, { type: 'null' }] } : {}),
    ...(type ? { type: [type, 'null'] } : {}),
    ...(words ? { enum: [...words, null] } : {}),
  }
}

function convert({ description, type, items, properties, additionalProperties, anyOf, required, ...rest }: Schema): Output {
  return {
    ...(description ? { description } : {}),
    ...(type ? { type } : {}),
    ...(anyOf ? { anyOf } : {}),
    ...(rest.enum ? { enum: rest.enum } : {}),
    ...(rest.pattern ? { pattern: rest.pattern } : {}),
    ...(typeof rest.maxLength === 'number' ? { maxLength: rest.maxLength } : {}),
    ...(rest.default === undefined || type === 'object' ? {} : { default: rest.default }),
    ...(items ? { items: nullable(items) } : {}),
    ...(properties ? { properties: convertProperties(properties), additionalProperties: false } : {}),
    ...(additionalProperties ? { additionalProperties: nullable(additionalProperties) } : {}),
    ...(required ? { required } : {}),
  }
}
