// The few schema words that the kinds are written in. Each gives a TypeBox schema that is at once a TypeScript type, JSON Schema and a part of a
// structural CRD schema. Only the validator and the generator run this code: everybody else imports types.
import Type, { type Static, type TSchema, type TUnsafe } from 'typebox'
import type { KubeObject } from '../lib/kube/types.ts'

export type { Static }

/** What a schema may say beside its type, as CRDs know it. */
interface Rules {
  /** Name of a type that several kinds share: documented once, left out of CRDs. */
  title?: string
  default?: unknown
  minLength?: number
  maxLength?: number
  pattern?: string
  format?: 'int32' | 'int64' | 'byte' | 'date-time'
  'x-kubernetes-validations'?: readonly { rule: string; message: string }[]
  'x-kubernetes-map-type'?: 'atomic'
}

type Properties = Record<string, TSchema>

/** The object type of a set of schemas: fields are optional and may be undefined, but for the required ones. */
type Shape<P extends Properties, R extends keyof P> = { [K in R]: Static<P[K]> } & { [K in Exclude<keyof P, R>]?: Static<P[K]> | undefined }
type Flat<T> = { [K in keyof T]: T[K] }

/** Go durations as the CRDs of Fleet take them: `0`, or units up to hours and not more than fits 64 bits of nanoseconds (spec 1). */
const DURATION_RULE = {
  rule: "self == '0' || (self.matches('^([0-9]+([.][0-9]+)?(ns|us|µs|ms|s|m|h))+$') && duration(self) <= duration('2562047h'))",
  message: 'write a duration such as 90s, 15m or 1h30m; the units are ns, us, µs, ms, s, m and h',
}

/** Text. */
export function text(description: string, rules: Rules = {}): TUnsafe<string> {
  return Type.Unsafe<string>({ type: 'string', description, ...rules })
}

/** One of a few words. */
export function oneOf<const T extends string>(description: string, values: readonly T[], rules: Rules = {}): TUnsafe<T> {
  return Type.Unsafe<T>({ type: 'string', description, enum: [...values], ...rules })
}

/** RFC 3339 time. */
export function time(description: string): TUnsafe<string> {
  return text(description, { format: 'date-time' })
}

/** Go duration such as `15m`; the API server checks it by rule. */
export function duration(description: string): TUnsafe<string> {
  return text(description, { minLength: 1, maxLength: 32, 'x-kubernetes-validations': [DURATION_RULE] })
}

/** Base64 of bytes. */
export function bytes(description: string): TUnsafe<string> {
  return text(description, { format: 'byte' })
}

/** True or false. */
export function flag(description: string): TUnsafe<boolean> {
  return Type.Unsafe<boolean>({ type: 'boolean', description })
}

/** A whole number. */
export function integer(description: string, rules: Rules = {}): TUnsafe<number> {
  return Type.Unsafe<number>({ type: 'integer', description, ...rules })
}

/** A counter of 64 bits, such as a generation. */
export function int64(description: string): TUnsafe<number> {
  return integer(description, { format: 'int64' })
}

/** A number or a percentage. */
export function intOrString(description: string): TUnsafe<number | string> {
  return Type.Unsafe<number | string>({
    description,
    anyOf: [{ type: 'integer' }, { type: 'string' }],
    'x-kubernetes-int-or-string': true,
  })
}

/** A list of something. */
export function list<T extends TSchema>(items: T, description: string): TUnsafe<Static<T>[]> {
  return Type.Unsafe<Static<T>[]>({ type: 'array', description, items })
}

/** A list of texts. */
export function texts(description: string): TUnsafe<string[]> {
  return list(Type.String(), description)
}

/** Something by name. */
export function map<T extends TSchema>(values: T, description: string): TUnsafe<Record<string, Static<T>>> {
  return Type.Unsafe<Record<string, Static<T>>>({ type: 'object', description, additionalProperties: values })
}

/** Text by name: labels, annotations. */
export function textMap(description: string): TUnsafe<Record<string, string>> {
  return map(Type.String(), description)
}

/** An object of which the API server keeps everything. */
export function anything(description: string): TUnsafe<Record<string, unknown>> {
  return Type.Unsafe<Record<string, unknown>>({ type: 'object', description, 'x-kubernetes-preserve-unknown-fields': true })
}

/** An object; its fields are optional but for the required ones. */
export function object<P extends Properties, R extends keyof P & string = never>(
  properties: P,
  description: string,
  rules: Rules & { required?: readonly R[] } = {},
): TUnsafe<Flat<Shape<P, R>>> {
  const { required = [], ...rest } = rules
  return Type.Unsafe({ type: 'object', description, ...(required.length > 0 ? { required: [...required] } : {}), properties, ...rest })
}

/** The same schema with another meaning. */
export function as<T extends TSchema>(schema: T, description: string): TUnsafe<Static<T>> {
  return Type.Unsafe({ ...schema, description })
}

/** The same schema for a type that is declared elsewhere. */
export function typed<T>(schema: TSchema): TUnsafe<T> {
  return Type.Unsafe<T>(schema)
}

/**
 * A kind: an object with metadata, and with those parts of `spec`, `status` and top-level fields that it has.
 * A required part that has a default is always there, but need not be given: the API server fills it in.
 */
export function kind<P extends Properties, R extends keyof P & string = never>(
  properties: P,
  description: string,
  required: readonly R[] = [],
): TUnsafe<KubeObject & Flat<Shape<P, R>>> {
  const missing = required.filter((name) => !Object.hasOwn(properties[name] ?? {}, 'default'))
  return Type.Unsafe({
    type: 'object',
    description,
    ...(missing.length > 0 ? { required: missing } : {}),
    properties: { apiVersion: { type: 'string' }, kind: { type: 'string' }, metadata: { type: 'object' }, ...properties },
  })
}
