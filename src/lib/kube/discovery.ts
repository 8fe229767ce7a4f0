// How kinds are addressed, as the API server says. One request per group and version, then none.
import type { Clock } from '../controller/clock.ts'
import { isNotFound, UnknownKindError } from './errors.ts'
import { groupVersionPath } from './paths.ts'
import type { ResourceType } from './types.ts'

/** How a kind is addressed and what can be done with it. */
export interface ResourceMapping {
  readonly plural: string
  readonly namespaced: boolean
  readonly verbs: readonly string[]
}

export interface Discovery {
  /** Throws UnknownKindError when the server does not serve the kind. */
  mapping(type: ResourceType): Promise<ResourceMapping>
}

interface ApiResourceList {
  resources?: { name: string; kind: string; namespaced: boolean; verbs?: string[] }[] | null
}

interface Entry {
  kinds: Map<string, ResourceMapping>
  askedAt: number
}

/** How long a missing kind stays missing before the server is asked again. */
const RETRY_MISSING_MS = 3_000

/** Discovery over `getJson(path)`. Requests for the same group and version are shared. */
export function createDiscovery(getJson: (path: string) => Promise<unknown>, clock: Clock): Discovery {
  const known = new Map<string, Entry>()
  const running = new Map<string, Promise<Entry>>()

  function ask(apiVersion: string): Promise<Entry> {
    const current = running.get(apiVersion)
    if (current) return current
    const request = read(apiVersion).finally(() => running.delete(apiVersion))
    running.set(apiVersion, request)
    return request
  }

  async function read(apiVersion: string): Promise<Entry> {
    const askedAt = clock.now()
    const kinds = kindsOf((await getJson(groupVersionPath(apiVersion)).catch(nothingIfMissing)) as ApiResourceList)
    const entry = { kinds, askedAt }
    known.set(apiVersion, entry)
    return entry
  }

  return {
    async mapping({ apiVersion, kind }) {
      const cached = known.get(apiVersion)
      const found = cached?.kinds.get(kind)
      if (found) return found
      const fresh = cached && clock.now() - cached.askedAt < RETRY_MISSING_MS
      const asked = fresh ? undefined : (await ask(apiVersion)).kinds.get(kind)
      if (!asked) throw new UnknownKindError({ apiVersion, kind })
      return asked
    },
  }
}

function nothingIfMissing(error: unknown): ApiResourceList {
  if (isNotFound(error)) return {} // the group or version is not served
  throw error
}

function kindsOf(list: ApiResourceList): Map<string, ResourceMapping> {
  const kinds = new Map<string, ResourceMapping>()
  for (const { name, kind, namespaced, verbs } of list.resources ?? []) {
    if (name.includes('/') || kinds.has(kind)) continue // subresources
    kinds.set(kind, { plural: name, namespaced, verbs: verbs ?? [] })
  }
  return kinds
}
