// What scans ask of registries.
import { OciError, toOciError } from '../lib/oci/errors.ts'
import { imageInfo } from '../lib/oci/image.ts'
import type { Registries, Repository } from '../lib/oci/registry.ts'
import type { Question } from './question.ts'

/** Throws OciError, or the reason of the signal. */
export interface ImageRegistry {
  /** In the order of the registry; empty for a repository that does not exist. */
  tags(question: Question, signal: AbortSignal): Promise<readonly string[]>
  /** Of what the tag names: for an image for several platforms that of its index. Undefined if there is no such tag. */
  digest(question: Question, tag: string, signal: AbortSignal): Promise<string | undefined>
  /** When the image with this digest was made, in milliseconds; undefined if it does not say. */
  created(question: Question, digest: string, signal: AbortSignal): Promise<number | undefined>
}

/** A list of tags, a digest, or the configuration of an image. */
const TIME_LIMIT_MS = 60_000
const LOOPBACK = /^(?:localhost|[^/]*\.localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/
const PRIVATE = /^(?:10(?:\.\d{1,3}){3}|192\.168(?:\.\d{1,3}){2}|172\.(?:1[6-9]|2\d|3[01])(?:\.\d{1,3}){2}|[^/]*\.local)(?::\d+)?$/

/**
 * Registries are spoken to by TLS. One on this machine or in a private network that does not know how is spoken to without, as docker does it;
 * but credentials leave this machine only by TLS.
 */
export function createImageRegistry(registries: Pick<Registries, 'repository'>): ImageRegistry {
  const plainHosts = new Set<string>()

  async function ask<T>({ repository, access }: Question, call: (repository: Repository) => Promise<T>): Promise<T> {
    const { host } = repository
    const mayBePlain = LOOPBACK.test(host) || (PRIVATE.test(host) && !access.credentials && !access.identityToken)
    const plain = (): Promise<T> => call(registries.repository(repository, { ...access, basicHttp: true }))
    if (mayBePlain && plainHosts.has(host)) return plain()
    try {
      return await call(registries.repository(repository, access))
    } catch (error) {
      if (!mayBePlain || !(error instanceof OciError) || error.kind !== 'protocol') throw error
      const answer = await plain()
      plainHosts.add(host)
      return answer
    }
  }

  async function within<T>(
    question: Question,
    signal: AbortSignal,
    call: (repository: Repository, limited: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const limited = AbortSignal.any([signal, AbortSignal.timeout(TIME_LIMIT_MS)])
    try {
      return await ask(question, (repository) => call(repository, limited))
    } catch (error) {
      signal.throwIfAborted()
      throw toOciError(error, question.canonical)
    }
  }

  return {
    tags: (question, signal) => within(question, signal, (repository, limited) => repository.tags(limited)),
    digest: (question, tag, signal) => within(question, signal, (repository, limited) => repository.head(tag, limited)),
    created: (question, digest, signal) =>
      within(question, signal, async (repository, limited) => (await imageInfo(repository, digest, limited)).created),
  }
}
