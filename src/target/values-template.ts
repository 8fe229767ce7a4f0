// The template step of helm values (spec 4.5.5): the whole document is rendered as YAML text, then each entry of templateValues.

import { isMap } from '../lib/json/is-map.ts'
import { parseYaml } from '../lib/yaml/parse.ts'
import { stringifyYaml } from '../lib/yaml/stringify.ts'
import { setKey, type Values } from './merge-values.ts'

/** Compiles a Go template with the delimiters `${` and `}`; both steps throw with a message for the user. */
export type TemplateCompiler = (text: string) => (data: Record<string, unknown>) => string

const OPENING = '${'

/** True if rendering can make a difference. */
export function hasTemplates(values: Values, templateValues: Record<string, string>): boolean {
  return containsOpening(values) || Object.values(templateValues).some((text) => text.includes(OPENING))
}

/**
 * The values as they are after rendering. Types follow YAML 1.1: a text that renders to `yes` is a boolean afterwards.
 * Values without a template make the same way through YAML, only the rendering is left out.
 */
export function renderValues(
  values: Values,
  templateValues: Record<string, string>,
  data: Record<string, unknown>,
  compile: TemplateCompiler,
): Values {
  const document = render(stringifyYaml(values, { lossless: true }), data, compile) ?? {}
  if (!isMap(document)) throw new Error('the rendered helm values template is no map')
  const result = { ...document }
  for (const key of Object.keys(templateValues).sort()) setKey(result, key, render(templateValues[key] ?? '', data, compile))
  return result
}

function render(text: string, data: Record<string, unknown>, compile: TemplateCompiler): unknown {
  const rendered = text.includes(OPENING) ? execute(text, data, compile) : text
  return attempt('failed to interpret the rendered helm values template as YAML', () => parseYaml(rendered))
}

function execute(text: string, data: Record<string, unknown>, compile: TemplateCompiler): string {
  const template = attempt('failed to parse helm values template', () => compile(text))
  return attempt('failed to render helm values template', () => template(data))
}

function attempt<T>(what: string, step: () => T): T {
  try {
    return step()
  } catch (error) {
    throw new Error(`${what}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  }
}

function containsOpening(value: unknown): boolean {
  if (typeof value === 'string') return value.includes(OPENING)
  if (Array.isArray(value)) return value.some(containsOpening)
  if (!isMap(value)) return false
  return Object.entries(value).some(([key, entry]) => key.includes(OPENING) || containsOpening(entry))
}

/** A compiler that compiles each text once; it remembers the last `capacity` of them. */
export function rememberTemplates(compile: TemplateCompiler, capacity = 64): TemplateCompiler {
  const known = new Map<string, (data: Record<string, unknown>) => string>()
  return (text) => {
    const template = known.get(text) ?? compile(text)
    known.delete(text)
    known.set(text, template)
    const oldest = known.size > capacity ? known.keys().next().value : undefined
    if (oldest !== undefined) known.delete(oldest)
    return template
  }
}
