// Text to snapshots: one JSON object a line, as `fleet monitor` writes them, or a single one that was spread over lines since (by jq, say).

import { TerminalError } from '../../lib/controller/errors.ts'
import { isMap } from '../../lib/json/is-map.ts'
import type { Snapshot } from '../monitor/snapshot.ts'

/** Lists that a snapshot may have; entries are objects. */
const LISTS = [
  'controller',
  'gitrepos',
  'bundles',
  'bundledeployments',
  'contents',
  'clusters',
  'clustergroups',
  'bundleSecrets',
  'orphanedSecrets',
  'contentIssues',
  'recentEvents',
] as const

/**
 * The snapshots of a text in the order of its lines: the last one is the newest. Throws TerminalError if there is none, or something else in between;
 * `origin` names the text.
 */
export function readSnapshots(text: string, origin: string): Snapshot[] {
  const snapshots = parseAll(text, origin).map(({ value, place }) => checked(value, place))
  if (snapshots.length === 0) throw new TerminalError(`no snapshots found in ${origin}: make one with fleet monitor`)
  return snapshots
}

/** When a snapshot was taken, in milliseconds. */
export function timeOf({ timestamp }: Snapshot): number {
  return Date.parse(timestamp) || 0
}

interface Parsed {
  readonly value: unknown
  readonly place: string
}

function parseAll(text: string, origin: string): Parsed[] {
  const whole = parseWhole(text)
  if (whole !== undefined) return [{ value: whole, place: origin }]
  return text.split('\n').flatMap((line, index) => {
    if (line.trim() === '') return []
    const place = `line ${index + 1} of ${origin}`
    const value = tryParse(line)
    if (value === undefined) throw new TerminalError(`${place} is not JSON: give a file that fleet monitor wrote`)
    return [{ value, place }]
  })
}

/** A snapshot that fleet monitor wrote ends with its line. */
function parseWhole(text: string): unknown {
  const isSpread = /^\s*\{\s*\n/.test(text)
  return isSpread ? tryParse(text) : undefined
}

function tryParse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined // JSON has no undefined, so this says it all
  }
}

function checked(value: unknown, place: string): Snapshot {
  if (!isMap(value) || typeof value.timestamp !== 'string') throw notASnapshot(place, 'it has no timestamp')
  const diagnostics = value.diagnostics ?? {}
  if (!isMap(diagnostics)) throw notASnapshot(place, 'diagnostics is no object')
  for (const list of LISTS) if (!isList(value[list] ?? [])) throw notASnapshot(place, `${list} is no list of objects`)
  for (const [name, list] of Object.entries(diagnostics)) {
    if (typeof list !== 'number' && !isList(list ?? [])) throw notASnapshot(place, `diagnostics.${name} is no list of objects`)
  }
  return value as unknown as Snapshot
}

function isList(value: unknown): boolean {
  return Array.isArray(value) && value.every(isMap)
}

function notASnapshot(place: string, why: string): TerminalError {
  return new TerminalError(`${place} is not a snapshot of fleet monitor: ${why}`)
}
