// One watch request: a stream of JSON lines.
import { decodeJson, errorOfStatus, withType } from './decode.ts'
import { ConnectionError } from './errors.ts'
import { createLineSplitter } from './lines.ts'
import type { Transport } from './transport.ts'
import type { KubeObject, ResourceType } from './types.ts'

/** A change. BOOKMARK only says how far the server is: its object has nothing but `metadata.resourceVersion`. */
export interface WatchEvent<T extends KubeObject = KubeObject> {
  type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK'
  object: T
}

export interface WatchOptions {
  namespace?: string | undefined
  labelSelector?: string | undefined
  fieldSelector?: string | undefined
  /** Only `metadata` arrives. */
  metadataOnly?: boolean | undefined
  /** Changes after this version; without it the present objects come first, as ADDED. */
  resourceVersion?: string | undefined
  /** The server ends the watch after this time. */
  timeoutSeconds?: number
  bookmarks?: boolean
  signal?: AbortSignal
}

/** Objects are at most a few MiB (etcd's limit); a longer line is no event. */
const MAX_LINE_BYTES = 32 * 2 ** 20

const METADATA = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json'

/** The events of one watch. Throws the server's ApiError when it comes as an event, ConnectionError when the stream breaks; ends when the server ends it. */
export async function* watchEvents<T extends KubeObject>(
  transport: Transport,
  path: string,
  type: ResourceType,
  options: WatchOptions,
): AsyncGenerator<WatchEvent<T>, void, undefined> {
  const { labelSelector, fieldSelector, resourceVersion, timeoutSeconds, bookmarks } = options
  const query = {
    watch: 'true',
    labelSelector,
    fieldSelector,
    resourceVersion,
    timeoutSeconds: timeoutSeconds === undefined ? undefined : String(timeoutSeconds),
    allowWatchBookmarks: bookmarks ? 'true' : undefined,
  }
  const headers = { accept: options.metadataOnly ? METADATA : 'application/json' }
  const body = await transport.stream({ method: 'GET', path, query, headers, ...(options.signal ? { signal: options.signal } : {}) })
  const splitter = createLineSplitter(MAX_LINE_BYTES)
  for await (const chunk of body) {
    for (const line of splitter.push(chunk)) yield decodeEvent<T>(line, path, type)
  }
  if (splitter.pending > 0) throw new ConnectionError(`the watch of ${path} ended in the middle of an event`, 'MALFORMED')
}

function decodeEvent<T extends KubeObject>(line: string, path: string, type: ResourceType): WatchEvent<T> {
  const event = decodeJson<{ type?: string; object?: KubeObject }>(line, path)
  if (event.type === 'ERROR') throw errorOfStatus(event.object)
  if (!isEventType(event.type) || !event.object?.metadata)
    throw new ConnectionError(`the watch of ${path} sent something that is no event`, 'MALFORMED')
  return { type: event.type, object: withType<T>(event.object, type.apiVersion, type.kind) }
}

function isEventType(type: unknown): type is WatchEvent['type'] {
  return type === 'ADDED' || type === 'MODIFIED' || type === 'DELETED' || type === 'BOOKMARK'
}
