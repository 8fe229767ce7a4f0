// Builds plain JavaScript values from the events of the parser, with Go's rules: types by scalar.ts, last duplicate wins, merge keys in the order they stand,
// keys become text. Aliases are copied, so that nobody changes two places at once; the node budget counts the copies.
import { EVENT_ID, type Event, SCALAR_STYLE, type ScalarEvent } from 'js-yaml'
import { YamlError } from './error.ts'
import { formatFloat } from './float.ts'
import { originalPlace } from './relaxed-events.ts'
import { type PlainScalar, typeOfPlain } from './scalar.ts'
import { scalarText } from './text.ts'

export interface DecodeOptions {
  readonly source: string
  /** blanks that are not in the file, see relaxed-events.ts */
  readonly inserted: ReadonlyMap<number, number>
  readonly maxDepth: number
  readonly maxNodes: number
  /** integers that a double cannot hold become bigint; otherwise they are rounded, as Go does on the way through JSON */
  readonly bigIntegers: boolean
}

/** A node: its value, how many nodes it has with all copies, and how deep they nest. `key` is undefined where it cannot be a key. */
interface Node {
  readonly value: unknown
  readonly key: string | undefined
  readonly isMerge: boolean
  readonly nodes: number
  readonly depth: number
}

interface Frame {
  readonly kind: 'document' | 'list' | 'map'
  readonly anchor: string | undefined
  readonly items: unknown[]
  readonly entries: Record<string, unknown>
  /** where it begins */
  readonly position: number
  key: Node | undefined
  keyPosition: number
  nodes: number
  depth: number
}

interface State extends DecodeOptions {
  readonly frames: Frame[]
  readonly documents: unknown[]
  anchors: Map<string, Node | 'open'>
  tagHandles: Map<string, string>
  /** nodes in all documents */
  total: number
  /** where the current event stands, for errors */
  position: number
}

const TAG = 'tag:yaml.org,2002:'

/** @throws YamlError */
export function decode(events: readonly Event[], options: DecodeOptions): unknown[] {
  const state: State = { ...options, frames: [], documents: [], anchors: new Map(), tagHandles: new Map(), total: 0, position: 0 }
  for (const event of events) step(state, event)
  return state.documents
}

function step(state: State, event: Event): void {
  state.position = positionOf(event) ?? state.position
  switch (event.type) {
    case EVENT_ID.DOCUMENT:
      state.anchors = new Map()
      state.tagHandles = new Map(
        event.directives.flatMap((directive) => (directive.kind === 'tag' ? [[directive.handle, directive.prefix]] : [])),
      )
      state.frames.push(frame('document', state.position))
      return
    case EVENT_ID.SEQUENCE:
    case EVENT_ID.MAPPING: {
      const anchor = anchorOf(state, event)
      if (anchor !== undefined) state.anchors.set(anchor, 'open')
      state.frames.push(frame(event.type === EVENT_ID.MAPPING ? 'map' : 'list', state.position, anchor))
      return
    }
    case EVENT_ID.SCALAR: {
      const node = scalarNode(state, event)
      const anchor = anchorOf(state, event)
      if (anchor !== undefined) state.anchors.set(anchor, node)
      add(state, node)
      return
    }
    case EVENT_ID.ALIAS:
      add(state, alias(state, state.source.slice(event.anchorStart, event.anchorEnd)))
      return
    case EVENT_ID.POP:
      close(state)
  }
}

function frame(kind: Frame['kind'], position: number, anchor?: string): Frame {
  return { kind, position, anchor, items: [], entries: {}, key: undefined, keyPosition: 0, nodes: 1, depth: 1 }
}

function close(state: State): void {
  const done = state.frames.pop()
  if (!done) return
  if (done.kind === 'document') {
    state.documents.push(done.items[0] ?? null)
    return
  }
  state.position = done.position
  const value = done.kind === 'map' ? done.entries : done.items
  const node: Node = { value, key: undefined, isMerge: false, nodes: done.nodes, depth: done.depth }
  if (done.anchor !== undefined) state.anchors.set(done.anchor, node)
  add(state, node)
}

function add(state: State, node: Node): void {
  const parent = state.frames.at(-1)
  if (!parent) return
  state.total += node.value !== null && typeof node.value === 'object' ? 1 : node.nodes
  if (state.total > state.maxNodes) fail(state, `more than ${state.maxNodes} values, counting what aliases repeat: make the file smaller`)
  parent.nodes += node.nodes
  parent.depth = Math.max(parent.depth, node.depth + 1)
  if (parent.kind !== 'map') {
    parent.items.push(node.value)
    return
  }
  if (!parent.key) {
    parent.key = node
    parent.keyPosition = state.position
    return
  }
  const key = parent.key
  parent.key = undefined
  if (key.isMerge) merge(state, parent.entries, node.value)
  else setEntry(state, parent, key.key, node.value)
}

function setEntry(state: State, parent: Frame, key: string | undefined, value: unknown): void {
  if (key === undefined) fail(state, 'a key must be text, a number or a boolean', parent.keyPosition)
  if (key === '__proto__') fail(state, 'the key __proto__ is not allowed', parent.keyPosition)
  parent.entries[key] = value
}

/** What is merged later overwrites what stands before it; in a list of maps the first one wins. */
function merge(state: State, into: Record<string, unknown>, value: unknown): void {
  const sources = Array.isArray(value) ? value.toReversed() : [value]
  for (const source of sources) {
    if (source === null || typeof source !== 'object' || Array.isArray(source))
      fail(state, 'the merge key << takes a map or a list of maps')
    Object.assign(into, source)
  }
}

/** Other releases know no other names: what a template makes of `<`, for one, would be taken for an anchor before nothing. */
function anchorOf(
  state: State,
  { anchorStart, anchorEnd }: { readonly anchorStart: number; readonly anchorEnd: number },
): string | undefined {
  if (anchorStart < 0) return undefined
  const name = state.source.slice(anchorStart, anchorEnd)
  if (!/^[\w-]+$/.test(name)) fail(state, `&${name.slice(0, 80)} is no anchor: put quotes around it`)
  return name
}

function alias(state: State, name: string): Node {
  const anchor = state.anchors.get(name)
  if (anchor === undefined) fail(state, `the alias *${name} has no anchor &${name} before it`)
  if (anchor === 'open') fail(state, `the alias *${name} stands inside of its own anchor &${name}`)
  if (state.total + anchor.nodes > state.maxNodes)
    fail(state, `more than ${state.maxNodes} values, counting what aliases repeat: make the file smaller`)
  if (state.frames.length + anchor.depth > state.maxDepth)
    fail(state, `nested deeper than ${state.maxDepth} levels, counting what aliases repeat`)
  if (anchor.nodes === 1) return anchor
  state.total += anchor.nodes - 1
  return { ...anchor, value: copy(anchor.value) }
}

/** Bounded: the caller has checked depth and size. */
function copy(value: unknown): unknown {
  if (value === null || typeof value !== 'object') return value
  if (Array.isArray(value)) return value.map(copy)
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, copy(entry)]))
}

function scalarNode(state: State, event: ScalarEvent): Node {
  const { text, problem } = scalarText(state.source, event)
  if (problem) fail(state, problem)
  const tag = event.tagStart < 0 ? undefined : fullTag(state, state.source.slice(event.tagStart, event.tagEnd))
  const isPlain = event.style === SCALAR_STYLE.PLAIN
  if (text === '<<' && ((isPlain && tag === undefined) || tag === `${TAG}merge`)) return { ...textNode(text), isMerge: true }
  if (tag === undefined) return isPlain ? typedNode(state, text, typeOfPlain(text)) : textNode(text)
  return typedNode(state, tag === `${TAG}binary` ? binary(state, text) : text, explicitType(state, tag, text))
}

function textNode(text: string): Node {
  return { value: text, key: text, isMerge: false, nodes: 1, depth: 1 }
}

function typedNode(state: State, text: string, scalar: PlainScalar): Node {
  switch (scalar.type) {
    case 'text':
    case 'timestamp':
      return textNode(text)
    case 'null':
      return { value: null, key: undefined, isMerge: false, nodes: 1, depth: 1 }
    case 'bool':
      return { value: scalar.value, key: String(scalar.value), isMerge: false, nodes: 1, depth: 1 }
    case 'int':
      return {
        value: state.bigIntegers ? scalar.value : Number(scalar.value),
        key: String(scalar.value),
        isMerge: false,
        nodes: 1,
        depth: 1,
      }
    case 'float':
      return { value: finite(state, scalar.value), key: formatFloat(scalar.value, 32), isMerge: false, nodes: 1, depth: 1 }
  }
}

/** Infinite numbers are fine as keys, where they become text, but no JSON values. */
function finite(state: State, value: number): number {
  const parent = state.frames.at(-1)
  const isKey = parent?.kind === 'map' && !parent.key
  if (!Number.isFinite(value) && !isKey) fail(state, 'infinite numbers and .nan cannot be written as JSON: quote them to keep them as text')
  return value
}

/** Tags that nobody knows leave the text as it is. */
function explicitType(state: State, tag: string, text: string): PlainScalar {
  const wanted = {
    [`${TAG}int`]: 'int',
    [`${TAG}float`]: 'float',
    [`${TAG}bool`]: 'bool',
    [`${TAG}null`]: 'null',
    [`${TAG}timestamp`]: 'timestamp',
  }[tag]
  if (!wanted) return { type: 'text' }
  const found = typeOfPlain(text)
  if (found.type === 'int' && wanted === 'float') return { type: 'float', value: Number(found.value) }
  if (found.type !== wanted) fail(state, `the value does not fit its tag !!${wanted}`)
  return found
}

function binary(state: State, text: string): string {
  const base64 = text.replace(/[\r\n]/g, '')
  if (base64.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(base64))
    fail(state, 'the value does not fit its tag !!binary: it is no base64')
  return Buffer.from(base64, 'base64').toString('utf8')
}

function fullTag(state: State, raw: string): string {
  if (raw.startsWith('!<')) return raw.slice(2, -1)
  const end = raw.indexOf('!', 1)
  const handle = end < 0 ? '!' : raw.slice(0, end + 1)
  return (state.tagHandles.get(handle) ?? (handle === '!!' ? TAG : handle)) + raw.slice(handle.length)
}

function positionOf(event: Event): number | undefined {
  if (event.type === EVENT_ID.POP || event.type === EVENT_ID.DOCUMENT) return undefined
  if (event.type === EVENT_ID.ALIAS) return event.anchorStart - 1
  const starts = [event.tagStart, event.anchorStart, event.type === EVENT_ID.SCALAR ? event.valueStart : event.start]
  return starts.find((start) => start >= 0)
}

function fail(state: State, reason: string, position = state.position): never {
  const before = state.source.slice(0, position).split(/\r\n|\r|\n/)
  throw new YamlError(reason, originalPlace(before.length, (before.at(-1)?.length ?? 0) + 1, state.inserted))
}
