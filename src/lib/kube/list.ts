// Lists of any length, page by page.
import type { RawList } from './decode.ts'
import { withType } from './decode.ts'
import { isGone } from './errors.ts'
import type { KubeObject, ResourceType } from './types.ts'

export interface ListOptions {
  namespace?: string | undefined
  labelSelector?: string | undefined
  fieldSelector?: string | undefined
  /** Objects per request; 500. */
  pageSize?: number
  /** Only `metadata` arrives. */
  metadataOnly?: boolean | undefined
  /** '0': whatever the server has in its cache. With `resourceVersionMatch` NotOlderThan: nothing older than this. Without: the newest state. */
  resourceVersion?: string | undefined
  resourceVersionMatch?: 'NotOlderThan' | 'Exact' | undefined
  /** Makes items smaller page by page, so that the whole list is never in memory. */
  project?: ((object: KubeObject) => KubeObject) | undefined
  signal?: AbortSignal
  /** Time limit of each page. */
  timeoutMs?: number
}

/** Asks for one page. */
export type PageRequest = (query: Record<string, string | undefined>, headers: Record<string, string>) => Promise<RawList>

const PAGE_SIZE = 500
/** After so many expired lists the whole is asked for in one piece. */
const PAGED_ATTEMPTS = 2
/** More pages than any cluster has; ends the loop if a server keeps saying `continue`. */
const MAX_PAGES = 100_000

const METADATA_LIST = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json'
const JSON_TYPE = 'application/json'

/** All items, each with `apiVersion` and `kind`. When the server forgets the version between two pages (410) it starts again. */
export async function listPages<T extends KubeObject>(
  request: PageRequest,
  type: ResourceType,
  options: ListOptions,
): Promise<{ items: T[]; resourceVersion: string }> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await attemptList<T>(request, type, options, attempt <= PAGED_ATTEMPTS)
    } catch (error) {
      if (!isGone(error) || attempt > PAGED_ATTEMPTS) throw error
    }
  }
}

async function attemptList<T extends KubeObject>(
  request: PageRequest,
  type: ResourceType,
  options: ListOptions,
  paged: boolean,
): Promise<{ items: T[]; resourceVersion: string }> {
  const { labelSelector, fieldSelector, resourceVersion, resourceVersionMatch } = options
  const headers = { accept: options.metadataOnly ? METADATA_LIST : JSON_TYPE }
  const limit = paged ? String(options.pageSize ?? PAGE_SIZE) : undefined
  const project = options.project as ((object: T) => T) | undefined
  const items: T[] = []
  let token: string | undefined
  for (let pages = 0; pages < MAX_PAGES; pages++) {
    const where = token ? { continue: token } : { resourceVersion, resourceVersionMatch }
    const page = await request({ labelSelector, fieldSelector, limit, ...where }, headers)
    for (const item of page.items ?? []) {
      const object = withType<T>(item, type.apiVersion, type.kind)
      items.push(project ? project(object) : object)
    }
    token = page.metadata?.continue
    if (!token) return { items, resourceVersion: page.metadata?.resourceVersion ?? '' }
  }
  throw new Error(`the list of ${type.kind} does not end: more than ${MAX_PAGES} pages`)
}
