// The index of a chart repository: which versions of a chart there are, and where.

import { TerminalError } from '../controller/errors.ts'
import { redactUrl } from '../git/url.ts'
import { isMap } from '../json/is-map.ts'
import { bestVersion } from '../semver/best.ts'
import { ConstraintError, parseConstraint } from '../semver/constraint.ts'
import { YamlError } from '../yaml/error.ts'
import { parseYaml } from '../yaml/parse.ts'
import { ChartError } from './errors.ts'

/** One version of a chart in an index. */
export interface IndexEntry {
  readonly version: string
  readonly urls: readonly string[]
  /** SHA-256 of the archive in hexadecimal digits, empty when the index does not say */
  readonly digest: string
}

/**
 * The versions of a chart; undefined when the index does not know it.
 * Indexes grow to tens of megabytes, of which one chart is a few lines: these are cut out and read, the whole only when it is written in an unusual way.
 * @param shown address of the repository for messages
 * @throws ChartError when the text is no index
 */
export function entriesOf(index: string, chart: string, shown: string): IndexEntry[] | undefined {
  return readCut(index, chart) ?? (mayHold(index, chart) ? readWhole(index, chart, shown) : undefined)
}

/** Whether reading the whole index, which takes seconds, can turn up a chart that could not be cut out. */
function mayHold(index: string, chart: string): boolean {
  return !/^entries:/m.test(index) || [':', '"', "'"].some((end) => index.includes(`${chart}${end}`))
}

/** The version that is wanted as it is written, else the highest that satisfies it as a range; with an empty text the highest of all. */
export function selectVersion(entries: readonly IndexEntry[], wanted: string): IndexEntry | undefined {
  const exact = wanted === '' ? undefined : entries.find(({ version }) => version === wanted)
  return exact ?? bestVersion(readConstraint(wanted), entries, ({ version }) => version)
}

/** A range as a user wrote it, empty for any version. Throws TerminalError. */
export function readConstraint(wanted: string): ReturnType<typeof parseConstraint> {
  try {
    return parseConstraint(wanted === '' ? '*' : wanted)
  } catch (error) {
    if (!(error instanceof ConstraintError)) throw error
    throw new TerminalError(`the version ${error.message}`)
  }
}

/** Where an archive lies: relative addresses are relative to the repository. */
export function archiveUrl(repository: string, entry: IndexEntry): string {
  const [first] = entry.urls
  const shown = redactUrl(repository)
  if (!first) throw new ChartError(`${shown}: the index has no address for version ${entry.version}`)
  const base = new URL(repository)
  const folder = new URL(base)
  folder.pathname = base.pathname.replace(/\/*$/, '/')
  if (!URL.canParse(first, folder.href)) throw new ChartError(`${shown}: the address of version ${entry.version} in the index is none`)
  const url = new URL(first, folder)
  // signed repositories carry their token in the query, which relative addresses need as well
  if (!URL.canParse(first) && url.search === '') url.search = base.search
  return url.href
}

function readCut(index: string, chart: string): IndexEntry[] | undefined {
  const cut = cutOut(index, chart)
  if (cut === undefined) return undefined
  try {
    const value = parseYaml(cut)
    const list = isMap(value) && Object.hasOwn(value, chart) ? value[chart] : undefined
    return Array.isArray(list) ? list.flatMap(toEntry) : undefined
  } catch (error) {
    if (!(error instanceof YamlError)) throw error
    return undefined // the cut went wrong, or the lines refer to others
  }
}

/** The lines of one chart in an index as helm writes it: every chart is a key with the same indentation below `entries:`. */
function cutOut(index: string, chart: string): string | undefined {
  const start = /^entries:[ \t]*\r?\n/m.exec(index)
  if (!start) return undefined
  const from = start.index + start[0].length
  const indent = /^ +/.exec(index.slice(from, from + 100))?.[0]
  if (indent === undefined) return undefined
  const end = findFrom(index, /\n(?=[^\s#])/g, from)
  const key = `\n${indent}${chart}:`
  const at = index.lastIndexOf(key, end - 1) // of two equal keys the last one counts
  const lineEnd = index.indexOf('\n', at + key.length)
  if (at < from - 1 || lineEnd < 0 || index.slice(at + key.length, lineEnd).trim() !== '') return undefined
  return index.slice(at + 1, Math.min(end, findFrom(index, new RegExp(`\\n(?=${indent}[^\\s#-])`, 'g'), lineEnd)))
}

function findFrom(text: string, pattern: RegExp, from: number): number {
  pattern.lastIndex = from
  return pattern.exec(text)?.index ?? text.length
}

function readWhole(index: string, chart: string, shown: string): IndexEntry[] | undefined {
  let root: unknown
  try {
    root = parseYaml(index, { maxBytes: Number.POSITIVE_INFINITY })
  } catch (error) {
    if (!(error instanceof YamlError)) throw error
    throw new ChartError(`${shown}: index.yaml cannot be read (line ${error.line}: ${error.reason})`)
  }
  const entries = isMap(root) ? root.entries : undefined
  if (!isMap(entries) && !(isMap(root) && 'apiVersion' in root))
    throw new ChartError(`${shown}: what answers is no index of a chart repository; correct the address`)
  const list = isMap(entries) && Object.hasOwn(entries, chart) ? entries[chart] : undefined
  return Array.isArray(list) ? list.flatMap(toEntry) : undefined
}

/** Entries without a version cannot be asked for. */
function toEntry(value: unknown): IndexEntry[] {
  if (!isMap(value)) return []
  const { version, urls, digest } = value
  if (typeof version !== 'string' && typeof version !== 'number') return []
  const addresses = Array.isArray(urls) ? urls.filter((url): url is string => typeof url === 'string') : []
  return [{ version: String(version), urls: addresses, digest: typeof digest === 'string' ? digest : '' }]
}
