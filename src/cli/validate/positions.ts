// Where the fields of a YAML file stand, so that a problem can be told with line and column.
import { EVENT_ID, type Event } from 'js-yaml'
import { originalPlace, type ParsedEvents, parseRelaxed } from '../../lib/yaml/relaxed-events.ts'
import { scalarText } from '../../lib/yaml/text.ts'

/** Both count from 1. */
export interface Place {
  readonly line: number
  readonly column: number
}

export interface Positions {
  /** The place of a field such as `helm.values` or `targets[0].name`, in any case; else that of the nearest field around it. */
  of(path: string): Place
  /** keys that a map has twice: what stands first is lost */
  readonly duplicates: readonly (Place & { readonly path: string })[]
}

interface Frame {
  readonly isMap: boolean
  readonly path: string
  readonly seen: Set<string>
  key: string | undefined
  index: number
}

const MAX_DEPTH = 100
const START: Place = { line: 1, column: 1 }

/** The positions in the first document of a text. Throws YamlError. */
export function positionsOf(text: string): Positions {
  const parsed = parseRelaxed(text, MAX_DEPTH)
  const places = new Map<string, Place>()
  const duplicates: (Place & { path: string })[] = []
  const placeAt = placeFinder(parsed)
  const frames: Frame[] = []

  function enter(event: Event, at: number): string {
    const parent = frames.at(-1)
    if (!parent) return ''
    if (parent.isMap) {
      const { path, key = '' } = parent
      parent.key = undefined
      return join(path, key)
    }
    const path = `${parent.path}[${parent.index++}]`
    places.set(path.toLowerCase(), placeAt(event.type === EVENT_ID.ALIAS ? at - 1 : at))
    return path
  }

  function nameKey(frame: Frame, key: string, at: number): void {
    const path = join(frame.path, key)
    const place = placeAt(at)
    if (frame.seen.has(key)) duplicates.push({ path, ...place })
    frame.seen.add(key)
    frame.key = key
    places.set(path.toLowerCase(), place)
  }

  let documents = 0
  for (const event of parsed.events) {
    if (event.type === EVENT_ID.DOCUMENT) {
      if (++documents > 1) break
      frames.push({ isMap: false, path: '', seen: new Set(), key: undefined, index: 0 })
      continue
    }
    if (event.type === EVENT_ID.POP) {
      frames.pop()
      continue
    }
    const at = startOf(event)
    const frame = frames.at(-1)
    const isKey = frame?.isMap && frame.key === undefined
    if (isKey) nameKey(frame, event.type === EVENT_ID.SCALAR ? scalarText(parsed.source, event).text : '?', at)
    const path = isKey ? '' : frames.length === 1 ? '' : enter(event, at)
    if (event.type === EVENT_ID.MAPPING || event.type === EVENT_ID.SEQUENCE)
      frames.push({ isMap: event.type === EVENT_ID.MAPPING, path, seen: new Set(), key: undefined, index: 0 })
  }
  return { of: (path) => nearest(places, path.toLowerCase()), duplicates }
}

function nearest(places: ReadonlyMap<string, Place>, path: string): Place {
  for (let at = path; at !== ''; at = at.replace(/(?:^|\.)[^.[\]]*$|\[\d+\]$/, '')) {
    const found = places.get(at)
    if (found) return found
    if (!/[.[]/.test(at)) break
  }
  return START
}

function startOf(event: Event): number {
  if (event.type === EVENT_ID.SCALAR) return event.valueStart
  if (event.type === EVENT_ID.MAPPING || event.type === EVENT_ID.SEQUENCE) return event.start
  return event.type === EVENT_ID.ALIAS ? event.anchorStart : 0
}

function placeFinder({ source, inserted }: ParsedEvents): (position: number) => Place {
  const starts = [0, ...[...source.matchAll(/\r\n|\r|\n/g)].map((match) => match.index + match[0].length)]
  return (position) => {
    const line = starts.findLastIndex((start) => start <= Math.max(position, 0))
    return originalPlace(line + 1, Math.max(position, 0) - (starts[line] ?? 0) + 1, inserted)
  }
}

function join(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`
}
