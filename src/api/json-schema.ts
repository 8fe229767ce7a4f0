// The schema of a kind as JSON Schema that ajv understands: what the words of CRDs mean is written out in words of JSON Schema.
import type { TSchema } from 'typebox'

type Schema = Record<string, unknown>

const WHOLE: Schema = { type: 'object' }

/**
 * JSON Schema of a CRD schema. Null counts as absent in optional fields, as the API server drops it there. With `closed`, fields that the schema
 * does not know are errors: the API server drops them without a word.
 */
export function jsonSchema(schema: TSchema, options: { closed?: boolean } = {}): Schema {
  const root = convert(schema as Schema, options.closed ?? false)
  const properties = { ...(root.properties as Schema), apiVersion: { type: 'string' }, kind: { type: 'string' }, metadata: WHOLE }
  return { ...root, properties }
}

function convert(schema: Schema, closed: boolean): Schema {
  const { description, title, default: _, format, ...rest } = schema
  const result: Schema = Object.fromEntries(Object.entries(rest).filter(([word]) => !word.startsWith('x-kubernetes-')))
  if (schema['x-kubernetes-validations']) result.format = 'duration'
  else if (format === 'byte' || format === 'date-time') result.format = format
  if (schema.items) result.items = convert(schema.items as Schema, closed)
  if (schema.additionalProperties) result.additionalProperties = optional(convert(schema.additionalProperties as Schema, closed))
  if (schema.properties) Object.assign(result, convertProperties(schema, closed))
  return result
}

function convertProperties(schema: Schema, closed: boolean): Schema {
  const required = (schema.required ?? []) as string[]
  const entries = Object.entries(schema.properties as Record<string, Schema>).map(([name, property]) => {
    const converted = convert(property, closed)
    return [name, required.includes(name) ? converted : optional(converted)]
  })
  return { properties: Object.fromEntries(entries), ...(closed ? { additionalProperties: false } : {}) }
}

function optional(schema: Schema): Schema {
  if (Array.isArray(schema.anyOf)) return { ...schema, anyOf: [...schema.anyOf, { type: 'null' }] }
  return { ...schema, nullable: true, ...(Array.isArray(schema.enum) ? { enum: [...schema.enum, null] } : {}) }
}
