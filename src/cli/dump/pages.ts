// Lists that are handed on page by page, so that no more than one page is in memory.
import type { KubeClient } from '../../lib/kube/client.ts'
import { type RawList, withType } from '../../lib/kube/decode.ts'
import { isGone, isNotFound, UnknownKindError } from '../../lib/kube/errors.ts'
import { objectPath } from '../../lib/kube/paths.ts'
import type { KubeObject, ResourceType } from '../../lib/kube/types.ts'

export interface PageOptions {
  readonly namespace?: string | undefined
  readonly labelSelector?: string | undefined
  readonly fieldSelector?: string | undefined
  /** Most objects of a page; 0 means all at once. */
  readonly limit: number
  readonly signal: AbortSignal
}

/** More than any cluster has; ends the loop if a server keeps saying `continue`. */
const MAX_PAGES = 100_000
/** How often a list is begun anew because the server has forgotten the version that it was reading. */
const MAX_RESTARTS = 5

/**
 * The objects of a kind, page by page; nothing if the cluster does not know the kind. When the server forgets the version between two pages the
 * list begins anew: objects may come twice.
 */
export async function* pages<T extends KubeObject>(client: KubeClient, type: ResourceType, options: PageOptions): AsyncGenerator<T[]> {
  const path = await pathOf(client, type, options.namespace)
  if (path === undefined) return
  let token: string | undefined
  let restarts = 0
  for (let count = 0; count < MAX_PAGES; count++) {
    const page = await nextPage(client, path, options, token)
    if (page === 'expired' && restarts++ >= MAX_RESTARTS)
      throw new Error(`the list of ${type.kind} changes too fast: try a larger --fetch-limit`)
    if (page === 'expired') token = undefined
    else {
      yield (page.items ?? []).map((item) => withType<T>(item, type.apiVersion, type.kind))
      token = page.metadata?.continue || undefined
      if (!token) return
    }
  }
  throw new Error(`the list of ${type.kind} does not end: more than ${MAX_PAGES} pages`)
}

async function pathOf(client: KubeClient, type: ResourceType, namespace: string | undefined): Promise<string | undefined> {
  try {
    return objectPath({ ...type, namespace }, await client.mapping(type))
  } catch (error) {
    if (error instanceof UnknownKindError) return undefined
    throw error
  }
}

async function nextPage(client: KubeClient, path: string, options: PageOptions, token: string | undefined): Promise<RawList | 'expired'> {
  const { labelSelector, fieldSelector, limit, signal } = options
  const query = { labelSelector, fieldSelector, limit: limit > 0 ? String(limit) : undefined, continue: token }
  try {
    return await client.request<RawList>('GET', path, { query, signal })
  } catch (error) {
    if (isNotFound(error)) return { items: [] }
    if (!isGone(error)) throw error
    return 'expired'
  }
}
