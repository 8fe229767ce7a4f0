// Typed settings out of a parsed map. Keys are taken in any case, as in other releases; a value of the wrong kind is an error that names the setting.
import { isMap } from '../lib/json/is-map.ts'

/** A map of settings, and its name in messages; empty for the outermost. */
export interface Settings {
  readonly name: string
  readonly fields: Readonly<Record<string, unknown>>
}

/** The value under a key; undefined if there is none, or null. */
export function fieldOf({ fields }: Settings, key: string): unknown {
  const exact = Object.hasOwn(fields, key) ? key : Object.keys(fields).find((candidate) => candidate.toLowerCase() === key.toLowerCase())
  return exact === undefined ? undefined : (fields[exact] ?? undefined)
}

/** A text; empty if there is none. Numbers and booleans are good for one. */
export function textOf(settings: Settings, key: string): string {
  const value = fieldOf(settings, key)
  if (value === undefined) return ''
  if (typeof value === 'object') throw wrong(settings, key, 'text')
  return String(value)
}

/** True or false; undefined if there is neither. */
export function flagOf(settings: Settings, key: string): boolean | undefined {
  const value = fieldOf(settings, key)
  if (value !== undefined && typeof value !== 'boolean') throw wrong(settings, key, 'true or false')
  return value
}

/** A map in the map; an empty one if there is none. */
export function mapOf(settings: Settings, key: string): Settings {
  const value = fieldOf(settings, key) ?? {}
  if (!isMap(value)) throw wrong(settings, key, 'a map')
  return { name: nameOf(settings, key), fields: value }
}

/** A map of texts. */
export function textsOf(settings: Settings, key: string): Record<string, string> {
  const texts = mapOf(settings, key)
  return Object.fromEntries(Object.keys(texts.fields).map((name) => [name, textOf(texts, name)]))
}

/** A list of maps; an empty one if there is none. */
export function mapsOf(settings: Settings, key: string): Settings[] {
  const value = fieldOf(settings, key) ?? []
  if (!Array.isArray(value)) throw wrong(settings, key, 'a list')
  return value.map((item: unknown, index) => {
    const name = `${key}[${index}]`
    if (!isMap(item)) throw wrong(settings, name, 'a map')
    return { name: nameOf(settings, name), fields: item }
  })
}

/** Bytes that are written in base64; none if there is no text. Line breaks are left out. */
export function bytesOf(settings: Settings, key: string): Buffer {
  const text = textOf(settings, key).replace(/[\r\n]/g, '')
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) throw wrong(settings, key, 'base64')
  return Buffer.from(text, 'base64')
}

function wrong(settings: Settings, key: string, wanted: string): Error {
  return new Error(`${nameOf(settings, key)} must be ${wanted}`)
}

function nameOf({ name }: Settings, key: string): string {
  return name ? `${name}.${key}` : key
}
