// Schemas of src/api as plain JSON, for the generators.
import type { TSchema } from 'typebox'

/** The words of JSON Schema that the kinds use. */
export interface Schema {
  type?: string
  title?: string
  description?: string
  properties?: Record<string, Schema>
  required?: string[]
  additionalProperties?: Schema
  items?: Schema
  anyOf?: Schema[]
  enum?: string[]
  default?: unknown
  format?: string
  pattern?: string
  'x-kubernetes-validations'?: { rule: string; message: string }[]
  'x-kubernetes-int-or-string'?: boolean
  'x-kubernetes-preserve-unknown-fields'?: boolean
  [word: string]: unknown
}

/** A plain copy, without what TypeBox keeps for itself. */
export function plain(schema: TSchema): Schema {
  return JSON.parse(JSON.stringify(schema)) as Schema
}
