// Checks an object before it is sent, with the schema that the API server has, and says what to do about each fault.
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv'
import { parseDuration } from '../lib/duration/duration.ts'
import { DEFINITIONS } from './definitions.ts'
import { jsonSchema } from './json-schema.ts'

/** A fault of an object. */
export interface ValidationProblem {
  /** Where, as in `spec.targets[0].clusterName`; empty for the object itself. */
  readonly path: string
  /** What to do, as in `write a text, not a number`. */
  readonly message: string
}

interface ValidationOptions {
  /** Also name fields that no schema knows, which the API server would drop. */
  unknownFields?: boolean
}

/** At most so many faults are told of one object. */
const MAX_PROBLEMS = 50

// schemas are compiled once, when they are first needed (60 ms for the largest); the map holds nothing that a caller could see change
const compiled = new Map<string, ValidateFunction>()

/**
 * Checks an object of one of Fleet's kinds; an empty list means that the API server would take it. Kinds that are not Fleet's throw.
 * The schema of `metadata` is left to the API server.
 */
export function validateObject(kind: string, object: unknown, options: ValidationOptions = {}): ValidationProblem[] {
  const validate = validatorOf(kind, options.unknownFields ?? false)
  if (validate(object)) return []
  const problems = (validate.errors ?? []).filter(isTold).map(problemOf)
  return [...new Map(problems.map((problem) => [problem.path + problem.message, problem])).values()].slice(0, MAX_PROBLEMS)
}

function validatorOf(kind: string, closed: boolean): ValidateFunction {
  const key = `${kind} ${closed}`
  const known = compiled.get(key)
  if (known) return known
  const definition = DEFINITIONS.find((entry) => entry.kind === kind)
  if (!definition) throw new Error(`${kind} is not a kind of Fleet: use one of ${DEFINITIONS.map((entry) => entry.kind).join(', ')}`)
  const validate = newAjv().compile(jsonSchema(definition.schema, { closed }))
  compiled.set(key, validate)
  return validate
}

function newAjv(): Ajv {
  const ajv = new Ajv({ allErrors: true, strict: false, verbose: true, logger: false })
  ajv.addFormat('duration', isDuration)
  ajv.addFormat('byte', /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/)
  ajv.addFormat('date-time', /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)$/)
  return ajv
}

/** The rule that the CRDs give to the API server. */
function isDuration(text: string): boolean {
  if (text === '0') return true
  if (!/^([0-9]+([.][0-9]+)?(ns|us|µs|ms|s|m|h))+$/.test(text)) return false
  try {
    return parseDuration(text) <= parseDuration('2562047h')
  } catch {
    // too long for 64 bits
    return false
  }
}

// the branches of a number-or-text each complain; the sentence about both is enough
function isTold(error: ErrorObject): boolean {
  return !error.schemaPath.includes('/anyOf/')
}

function problemOf(error: ErrorObject): ValidationProblem {
  const path = pathOf(error.instancePath)
  if (error.keyword === 'required') return { path: join(path, String(error.params.missingProperty)), message: 'is missing: set it' }
  if (error.keyword === 'additionalProperties') {
    const field = String(error.params.additionalProperty)
    return { path: join(path, field), message: unknownMessage(field, Object.keys(error.parentSchema?.properties ?? {})) }
  }
  return { path, message: messageOf(error) }
}

function messageOf({ keyword, params, data, parentSchema }: ErrorObject): string {
  switch (keyword) {
    case 'type':
      return `write ${wordFor(parentSchema?.type)}, not ${wordFor(typeOf(data))}`
    case 'anyOf':
      return `write a whole number or a percentage as text, not ${wordFor(typeOf(data))}`
    case 'enum':
      return `write ${(params.allowedValues as unknown[]).filter((value) => value !== null).join(' or ')}`
    case 'format':
      return params.format === 'duration' ? 'write a duration such as 90s, 15m or 1h30m' : `write ${wordForFormat(params.format)}`
    case 'minLength':
      return 'must not be empty: set it'
    case 'maxLength':
      return `write at most ${params.limit} characters`
    case 'pattern':
      return `write a text that matches ${params.pattern}`
    default:
      return `does not fit the schema (${keyword})`
  }
}

function wordForFormat(format: unknown): string {
  return format === 'byte' ? 'base64' : 'a time such as 2026-01-31T12:00:00Z'
}

function wordFor(type: unknown): string {
  const words: Record<string, string> = {
    string: 'a text',
    integer: 'a whole number',
    number: 'a number',
    boolean: 'true or false',
    array: 'a list',
    object: 'an object',
    null: 'null',
  }
  return words[String(type)] ?? String(type)
}

function typeOf(value: unknown): string {
  if (value === null) return 'null'
  return Array.isArray(value) ? 'array' : typeof value
}

function unknownMessage(field: string, known: readonly string[]): string {
  const meant = known.find((name) => name.toLowerCase() === field.toLowerCase())
  return meant
    ? `is not a field and would be dropped: write ${meant}`
    : 'is not a field and would be dropped: remove it or correct its name'
}

/** `/spec/targets/0/name` → `spec.targets[0].name`. */
function pathOf(pointer: string): string {
  const parts = pointer.split('/').slice(1)
  return parts.reduce((path, part) => join(path, part.replaceAll('~1', '/').replaceAll('~0', '~')), '')
}

function join(path: string, part: string): string {
  if (/^\d+$/.test(part)) return `${path}[${part}]`
  return path === '' ? part : `${path}.${part}`
}
