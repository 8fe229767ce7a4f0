// Registries as everybody else uses them (OCI distribution 1.1): manifests, blobs and tags of a repository.
import { type Clock, systemClock } from '../controller/clock.ts'
import { createDispatchers } from '../git/dispatchers.ts'
import type { GitProxy } from '../git/types.ts'
import { digestOf } from './digest.ts'
import { OciError, toOciError } from './errors.ts'
import { type Answer, createExchange, type Request } from './exchange.ts'
import { isDigest, isTag, originOf, type RepositoryName } from './reference.ts'
import { type Descriptor, REGISTRY_LIMITS, type RegistryAccess, type RegistryLimits, type StoredManifest } from './types.ts'

export const IMAGE_MANIFEST = 'application/vnd.oci.image.manifest.v1+json'
export const IMAGE_INDEX = 'application/vnd.oci.image.index.v1+json'
export const DOCKER_MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json'
export const DOCKER_LIST = 'application/vnd.docker.distribution.manifest.list.v2+json'

/** One repository of a registry. All methods throw OciError, or the reason of the signal. */
export interface Repository {
  /** As users know it: `host/path`. */
  readonly name: string
  /** Whether the registry answers and accepts the credentials. */
  ping(signal: AbortSignal): Promise<void>
  /** All tags, as the registry orders them; empty for a repository that does not exist. */
  tags(signal: AbortSignal): Promise<string[]>
  /** The manifest under a tag or digest; undefined if there is none. */
  manifest(reference: string, signal: AbortSignal): Promise<StoredManifest | undefined>
  /** The digest of the manifest under a tag or digest, without reading it; undefined if there is none. */
  head(reference: string, signal: AbortSignal): Promise<string | undefined>
  /** A blob with the digest and size of its descriptor. */
  blob(descriptor: Descriptor, signal: AbortSignal, maxBytes?: number): Promise<Buffer>
  /** Stores a blob unless it is there. */
  pushBlob(bytes: Buffer, mediaType: string, signal: AbortSignal): Promise<Descriptor>
  /** Stores a manifest under a tag; what it refers to has to be there. Returns its digest. */
  pushManifest(tag: string, mediaType: string, bytes: Buffer, signal: AbortSignal): Promise<string>
  /** Deletes the manifest under a tag or digest, and with it all tags that name it. False if there is none. */
  deleteManifest(reference: string, signal: AbortSignal): Promise<boolean>
}

/** All registries of a process: they share connections and tokens. */
export interface Registries {
  repository(name: RepositoryName, access: RegistryAccess): Repository
  close(): Promise<void>
}

export interface RegistriesOptions {
  readonly proxy?: GitProxy | undefined
  readonly clock?: Clock | undefined
  readonly limits?: Partial<RegistryLimits> | undefined
}

const MANIFESTS = [IMAGE_MANIFEST, IMAGE_INDEX, DOCKER_MANIFEST, DOCKER_LIST].join(', ')
const TAGS_AT_A_TIME = 1_000
const TAG_PAGE_BYTES = 8 * 2 ** 20
const READ = 'pull'
const WRITE = 'pull,push'
const DELETE = 'pull,push,delete'

type Ask = Omit<Request, 'origin' | 'access' | 'scope' | 'where' | 'maxBytes' | 'signal' | 'url'> & {
  readonly url: string | URL
  readonly actions: string
  readonly maxBytes?: number
  readonly what?: string
}

export function createRegistries({ proxy, clock = systemClock, limits: given }: RegistriesOptions = {}): Registries {
  const limits = { ...REGISTRY_LIMITS, ...given }
  const dispatchers = createDispatchers()
  const exchange = createExchange({ dispatchers, proxy, clock })

  function repository({ host, path }: RepositoryName, access: RegistryAccess): Repository {
    const origin = originOf(host, access.basicHttp ?? false)
    const name = `${host}/${path}`
    const base = `/v2/${path}`

    /** Runs one call within its time. */
    async function within<T>(signal: AbortSignal, call: (ask: (request: Ask) => Promise<Answer>) => Promise<T>): Promise<T> {
      const limited = AbortSignal.any([signal, AbortSignal.timeout(limits.timeMs)])
      try {
        return await call(({ url, actions, maxBytes = limits.manifestBytes, what, ...request }) =>
          exchange({
            ...request,
            url: new URL(url, origin),
            origin,
            access,
            scope: actions && `repository:${path}:${actions}`,
            maxBytes,
            where: what ? `${name}${what}` : name,
            signal: limited,
          }),
        )
      } catch (error) {
        signal.throwIfAborted()
        throw toOciError(error, name)
      }
    }

    async function head(reference: string, signal: AbortSignal): Promise<string | undefined> {
      const url = manifestUrl(base, reference, name)
      const answer = await within(signal, (ask) =>
        ask({ method: 'HEAD', url, headers: { accept: MANIFESTS }, actions: READ, accept: [200, 404], what: shown(reference) }),
      )
      if (answer.status === 404) return undefined
      const digest = answer.headers['docker-content-digest']
      return isDigest(digest) ? digest : (await manifest(reference, signal))?.digest
    }

    async function manifest(reference: string, signal: AbortSignal): Promise<StoredManifest | undefined> {
      const url = manifestUrl(base, reference, name)
      const expected = isDigest(reference) ? { digest: reference } : {}
      const { status, body, headers } = await within(signal, (ask) =>
        ask({ method: 'GET', url, headers: { accept: MANIFESTS }, actions: READ, accept: [200, 404], expected, what: shown(reference) }),
      )
      if (status === 404) return undefined
      const content = parseManifest(body, `${name}${shown(reference)}`)
      const { mediaType } = content
      const type = typeof mediaType === 'string' ? mediaType : (headers['content-type'] ?? '').split(';', 1)[0]
      return { mediaType: type || IMAGE_MANIFEST, digest: isDigest(reference) ? reference : digestOf(body), bytes: body, content }
    }

    async function pushBlob(bytes: Buffer, mediaType: string, signal: AbortSignal): Promise<Descriptor> {
      const descriptor = { mediaType, digest: digestOf(bytes), size: bytes.byteLength }
      await within(signal, async (ask) => {
        const known = await ask({ method: 'HEAD', url: `${base}/blobs/${descriptor.digest}`, actions: WRITE, accept: [200, 404] })
        if (known.status === 200) return
        const headers = { 'content-length': '0' }
        const begun = await ask({ method: 'POST', url: `${base}/blobs/uploads/`, headers, actions: WRITE, accept: [202] })
        const target = uploadUrl(begun, origin, name)
        target.searchParams.set('digest', descriptor.digest)
        const type = { 'content-type': 'application/octet-stream' }
        await ask({ method: 'PUT', url: target, headers: type, body: bytes, actions: WRITE, accept: [201] })
      })
      return descriptor
    }

    return {
      name,
      ping: (signal) => within(signal, async (ask) => void (await ask({ method: 'GET', url: '/v2/', actions: '', accept: [200] }))),
      tags: (signal) =>
        within(signal, async (ask) => {
          const tags: string[] = []
          let url: URL | undefined = new URL(`${base}/tags/list?n=${TAGS_AT_A_TIME}`, origin)
          while (url) {
            const answer: Answer = await ask({ method: 'GET', url, actions: READ, accept: [200, 404], maxBytes: TAG_PAGE_BYTES })
            const before = tags.length
            if (answer.status === 200) tags.push(...tagsOf(answer.body, name))
            if (tags.length > limits.tags) throw new OciError('too-large', `${name} has more than ${limits.tags} tags`)
            url = tags.length > before ? nextPage(answer, url, name) : undefined
          }
          return tags
        }),
      manifest,
      head,
      blob: ({ digest, size }, signal, maxBytes = limits.blobBytes) =>
        within(signal, async (ask) => {
          if (!isDigest(digest) || !Number.isSafeInteger(size) || size < 0)
            throw new OciError('protocol', `${name} refers to a blob without digest or size: it was not written by a registry client`)
          const what = `@${digest}`
          const url = `${base}/blobs/${digest}`
          return (await ask({ method: 'GET', url, actions: READ, accept: [200], expected: { digest, size }, maxBytes, what })).body
        }),
      pushBlob,
      async pushManifest(tag, mediaType, bytes, signal) {
        const url = manifestUrl(base, tag, name)
        const headers = { 'content-type': mediaType }
        await within(signal, (ask) => ask({ method: 'PUT', url, headers, body: bytes, actions: WRITE, accept: [201], what: shown(tag) }))
        return digestOf(bytes)
      },
      async deleteManifest(reference, signal) {
        const digest = isDigest(reference) ? reference : await head(reference, signal)
        if (digest === undefined) return false
        const url = manifestUrl(base, digest, name)
        const what = shown(digest)
        const { status } = await within(signal, (ask) =>
          ask({ method: 'DELETE', url, actions: DELETE, accept: [200, 202, 204, 404], what }),
        )
        return status !== 404
      },
    }
  }

  return { repository, close: () => dispatchers.close() }
}

function manifestUrl(base: string, reference: string, name: string): string {
  if (!isDigest(reference) && !isTag(reference))
    throw new OciError('invalid-reference', `${JSON.stringify(reference.slice(0, 200))} is neither a tag nor a digest of ${name}`)
  return `${base}/manifests/${reference}`
}

function shown(reference: string): string {
  return isDigest(reference) ? `@${reference}` : `:${reference}`
}

/** Some registries behind proxies name themselves by the wrong scheme. */
function uploadUrl({ headers: { location }, url }: Answer, origin: string, name: string): URL {
  const target = location && URL.canParse(location, url.href) ? new URL(location, url) : undefined
  if (!target || !/^https?:$/.test(target.protocol)) throw new OciError('protocol', `the registry of ${name} does not say where to upload`)
  const own = new URL(origin)
  if (target.hostname === own.hostname && (target.host === own.host || !target.port))
    return new URL(`${target.pathname}${target.search}`, own)
  if (target.protocol === 'https:' || own.protocol === 'http:') return target
  throw new OciError('protocol', `the registry of ${name} wants an upload without TLS, which is not safe`)
}

function parseManifest(bytes: Buffer, where: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'))
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  } catch {
    // said below
  }
  throw new OciError('protocol', `${where} is no manifest: check the reference, and what answers there`)
}

function tagsOf(bytes: Buffer, name: string): string[] {
  const { tags } = parseManifest(bytes, `the list of tags of ${name}`)
  return Array.isArray(tags) ? tags.filter((tag) => typeof tag === 'string') : []
}

/** Only within the registry. */
function nextPage({ headers: { link } }: Answer, from: URL, name: string): URL | undefined {
  const [, target] = /<([^>]*)>\s*;[^,]*\brel="?next"?/i.exec(link ?? '') ?? []
  if (target === undefined) return undefined
  const next = URL.canParse(target, from.href) ? new URL(target, from) : undefined
  if (next?.host !== from.host) throw new OciError('protocol', `the registry of ${name} lists its tags elsewhere, which is not safe`)
  return new URL(`${next.pathname}${next.search}`, from)
}
