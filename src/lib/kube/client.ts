// What the rest of the program says to an API server. Everything on the wire goes through here.
import { systemClock } from '../controller/clock.ts'
import { APPLY_TYPE, encodeBody } from './body.ts'
import type { KubeConnection } from './connection.ts'
import { decodeJson, decodeObject, type RawList } from './decode.ts'
import { createDiscovery, type Discovery, type ResourceMapping } from './discovery.ts'
import { isNotFound } from './errors.ts'
import { type ListOptions, listPages } from './list.ts'
import { createPath, objectPath, refOf } from './paths.ts'
import { createTransport, type HttpMethod, type Transport, type TransportOptions, type TransportRequest } from './transport.ts'
import type { KubeObject, ObjectRef, ResourceType } from './types.ts'
import { type WatchEvent, type WatchOptions, watchEvents } from './watch.ts'

export type { ResourceMapping } from './discovery.ts'
export type { ListOptions } from './list.ts'
export type { WatchEvent, WatchOptions } from './watch.ts'

/** Limits of one call. Default time limit: 60 s, waiting and retries included. */
export interface CallOptions {
  signal?: AbortSignal
  timeoutMs?: number
}

export interface WriteOptions extends CallOptions {
  /** The server checks and answers, and stores nothing. */
  dryRun?: boolean
  fieldManager?: string
  /** What the server does with unknown and duplicate fields; its default is Warn. */
  fieldValidation?: 'Strict' | 'Warn' | 'Ignore'
}

export interface PatchOptions extends WriteOptions {
  /** merge: RFC 7396, json: RFC 6902, strategic: only for built-in kinds. */
  type: 'merge' | 'json' | 'strategic'
  subresource?: string
}

export interface ApplyOptions extends WriteOptions {
  fieldManager: string
  /** Takes fields over from other managers instead of failing with a conflict. */
  force?: boolean
  subresource?: string
}

export interface DeleteOptions extends CallOptions {
  /** Deletes only the object with this uid; another one gives a conflict. */
  uid?: string
  /** Deletes only if the object was not changed since. */
  resourceVersion?: string
  propagationPolicy?: 'Background' | 'Foreground' | 'Orphan'
  gracePeriodSeconds?: number
  dryRun?: boolean
}

export interface DeleteCollectionOptions extends CallOptions {
  namespace?: string
  labelSelector?: string
  fieldSelector?: string
  propagationPolicy?: 'Background' | 'Foreground' | 'Orphan'
}

export interface RawRequestOptions extends CallOptions {
  query?: Readonly<Record<string, string | undefined>>
  headers?: Readonly<Record<string, string>>
  /** Sent as it is when text, otherwise as JSON. */
  body?: unknown
}

/** One API server. All methods throw ApiError (the server refused), ConnectionError (no usable answer) or UnknownKindError (kind not served). */
export interface KubeClient {
  /** URL of the API server. */
  readonly server: string
  get<T extends KubeObject>(ref: ObjectRef, options?: CallOptions): Promise<T>
  /** Undefined when there is no such object. */
  find<T extends KubeObject>(ref: ObjectRef, options?: CallOptions): Promise<T | undefined>
  /** All pages. Without a namespace: of all namespaces. */
  list<T extends KubeObject>(type: ResourceType, options?: ListOptions): Promise<{ items: T[]; resourceVersion: string }>
  create<T extends KubeObject>(object: T, options?: WriteOptions): Promise<T>
  /** Replaces the object. With `metadata.resourceVersion` it fails with a conflict if the object has changed since. */
  update<T extends KubeObject>(object: T, options?: WriteOptions & { subresource?: string }): Promise<T>
  patch<T extends KubeObject>(ref: ObjectRef, patch: unknown, options: PatchOptions): Promise<T>
  /** Server-side apply. */
  apply<T extends KubeObject>(object: KubeObject, options: ApplyOptions): Promise<T>
  /** False when there was no such object. Finalizers may keep the object for a while after true. */
  delete(ref: ObjectRef, options?: DeleteOptions): Promise<boolean>
  deleteCollection(type: ResourceType, options?: DeleteCollectionOptions): Promise<void>
  /** Changes as they happen; ends when the server closes the watch, throws ApiError 410 when the resource version is too old. */
  watch<T extends KubeObject>(type: ResourceType, options?: WatchOptions): AsyncIterable<WatchEvent<T>>
  /** For what the other methods cannot say: the parsed JSON of the answer, or its text if it is not JSON. */
  request<T = unknown>(method: HttpMethod, path: string, options?: RawRequestOptions): Promise<T>
  /** How a kind is addressed. Cached; asked again on a miss. */
  mapping(type: ResourceType): Promise<ResourceMapping>
  serverVersion(options?: CallOptions): Promise<{ major: string; minor: string; gitVersion: string }>
  /** The same server in the name of somebody else, over the same connections, for example `system:serviceaccount:ns:name`. Closing it closes nothing. */
  impersonate(user: string, groups?: readonly string[]): KubeClient
  /** Ends all connections, running requests included. */
  close(): Promise<void>
}

const PATCH_TYPES = {
  merge: 'application/merge-patch+json',
  json: 'application/json-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: APPLY_TYPE,
} as const

/**
 * A client for the cluster of a connection. Objects arrive without `managedFields`, and always with `apiVersion` and `kind`.
 *
 *     const client = createClient(await loadConnection({ kubeconfig: path }))
 *     const node = await client.find({ apiVersion: 'v1', kind: 'Node', name: 'node-1' })
 */
export function createClient(connection: KubeConnection, options: TransportOptions = {}): KubeClient {
  const transport = createTransport(connection, options)
  const discovery = createDiscovery(
    async (path) => decodeJson((await transport.request({ method: 'GET', path })).body, path),
    options.clock ?? systemClock,
  )
  return clientOver(connection.server, transport, discovery)
}

/** The identity that a derived client acts as. */
function actingAs(transport: Transport, user: string, groups: readonly string[]): Transport {
  if (!user) throw new Error('a user to act as must be named') // an empty header would mean ourselves
  const headers = { 'impersonate-user': user, ...(groups.length > 0 ? { 'impersonate-group': groups } : {}) }
  const acting = (request: TransportRequest): TransportRequest => {
    if (request.headers?.['impersonate-user']) throw new Error(`a client that acts as ${user} cannot act as somebody else`)
    return { ...request, headers: { ...request.headers, ...headers } }
  }
  return {
    request: async (request) => transport.request(acting(request)),
    stream: async (request) => transport.stream(acting(request)),
    close: async () => {}, // the connections belong to the client it was derived from
  }
}

function clientOver(server: string, transport: Transport, discovery: Discovery): KubeClient {
  async function getJson<T>(path: string, call: CallOptions = {}): Promise<T> {
    const response = await transport.request({ method: 'GET', path, ...limits(call) })
    return decodeJson<T>(response.body, path)
  }

  async function pathOf(ref: ObjectRef, subresource?: string): Promise<string> {
    return objectPath(ref, await discovery.mapping(ref), subresource)
  }

  async function collectionPath(type: ResourceType, namespace: string | undefined): Promise<string> {
    return objectPath({ ...type, name: undefined, namespace }, await discovery.mapping(type))
  }

  async function send<T>(
    method: HttpMethod,
    path: string,
    body: unknown,
    contentType: string,
    options: WriteOptions & { force?: boolean },
  ): Promise<T> {
    const query = {
      dryRun: options.dryRun ? 'All' : undefined,
      fieldManager: options.fieldManager,
      fieldValidation: options.fieldValidation,
      force: options.force ? 'true' : undefined,
    }
    const headers = { 'content-type': contentType }
    const response = await transport.request({ method, path, query, headers, body: encodeBody(body, contentType), ...limits(options) })
    return decodeObject(decodeJson(response.body, path)) as T
  }

  async function get<T extends KubeObject>(ref: ObjectRef, call: CallOptions = {}): Promise<T> {
    return decodeObject(await getJson<T>(await pathOf(ref), call))
  }

  return {
    server,
    get,
    find: <T extends KubeObject>(ref: ObjectRef, call?: CallOptions) => get<T>(ref, call).catch(undefinedIfMissing),
    list: async <T extends KubeObject>(type: ResourceType, listOptions: ListOptions = {}) => {
      const path = await collectionPath(type, listOptions.namespace)
      return listPages<T>((query, headers) => page(path, query, headers, listOptions), type, listOptions)
    },
    async create(object, write = {}) {
      const { apiVersion, kind, metadata } = object
      const path = createPath({ apiVersion, kind, namespace: metadata.namespace }, await discovery.mapping(object))
      return send('POST', path, object, 'application/json', write)
    },
    async update(object, write = {}) {
      return send('PUT', await pathOf(refOf(object), write.subresource), object, 'application/json', write)
    },
    async patch(ref, patch, write) {
      return send('PATCH', await pathOf(ref, write.subresource), patch, PATCH_TYPES[write.type], write)
    },
    async apply(object, write) {
      return send('PATCH', await pathOf(refOf(object), write.subresource), object, PATCH_TYPES.apply, write)
    },
    async delete(ref, deleteOptions = {}) {
      return remove(await pathOf(ref), deleteBody(deleteOptions), {}, deleteOptions)
    },
    async deleteCollection(type, { namespace, labelSelector, fieldSelector, ...deleteOptions } = {}) {
      const path = await collectionPath(type, namespace)
      await remove(path, deleteBody(deleteOptions), { labelSelector, fieldSelector }, deleteOptions)
    },
    async *watch(type, watchOptions = {}) {
      const path = await collectionPath(type, watchOptions.namespace)
      yield* watchEvents(transport, path, type, watchOptions)
    },
    async request<T>(method: HttpMethod, path: string, raw: RawRequestOptions = {}) {
      const { query, headers, body } = raw
      const contentType = String(headers?.['content-type'] ?? 'application/json')
      const text = body === undefined || typeof body === 'string' ? body : encodeBody(body, contentType)
      const response = await transport.request({
        method,
        path,
        headers: { ...(text === undefined ? {} : { 'content-type': contentType }), ...headers },
        ...(query ? { query } : {}),
        ...(text === undefined ? {} : { body: text }),
        ...limits(raw),
      })
      const isJson = String(response.headers['content-type'] ?? '').includes('json')
      return (isJson ? decodeJson(response.body, path) : response.body.toString('utf8')) as T
    },
    mapping: (type) => discovery.mapping(type),
    serverVersion: (call) => getJson('/version', call),
    impersonate: (user, groups = []) => clientOver(server, actingAs(transport, user, groups), discovery),
    close: () => transport.close(),
  }

  async function page(
    path: string,
    query: Record<string, string | undefined>,
    headers: Record<string, string>,
    call: CallOptions,
  ): Promise<RawList> {
    const response = await transport.request({ method: 'GET', path, query, headers, ...limits(call) })
    return decodeJson<RawList>(response.body, path)
  }

  async function remove(path: string, body: object, query: Record<string, string | undefined>, call: CallOptions): Promise<boolean> {
    try {
      const headers = { 'content-type': 'application/json' }
      await transport.request({ method: 'DELETE', path, query, headers, body: JSON.stringify(body), ...limits(call) })
      return true
    } catch (error) {
      if (isNotFound(error)) return false
      throw error
    }
  }
}

function undefinedIfMissing(error: unknown): undefined {
  if (!isNotFound(error)) throw error
}

/** The limits of a call, as far as they are given. */
function limits({ signal, timeoutMs }: CallOptions): CallOptions {
  return { ...(signal ? { signal } : {}), ...(timeoutMs === undefined ? {} : { timeoutMs }) }
}

function deleteBody(options: DeleteOptions): object {
  const { uid, resourceVersion, propagationPolicy, gracePeriodSeconds, dryRun } = options
  const preconditions = uid === undefined && resourceVersion === undefined ? undefined : { uid, resourceVersion }
  const dryRunOption = dryRun ? ['All'] : undefined
  return { apiVersion: 'v1', kind: 'DeleteOptions', preconditions, propagationPolicy, gracePeriodSeconds, dryRun: dryRunOption }
}
