// The policy `newest`: the tag whose image was made last. The registry is asked for the digest of each tag, and for what an image says of itself once per digest.
import { TerminalError } from '../lib/controller/errors.ts'
import { compareUtf8 } from '../lib/json/utf8.ts'
import { OciError } from '../lib/oci/errors.ts'
import { compareVersions, parseVersion } from '../lib/semver/version.ts'

/** Who knows about images. Answers are remembered there: what failed is asked for again by the next look, what did not is not. */
export interface ImageTimes {
  /** Undefined if there is no such tag any more. */
  digest(tag: string, signal: AbortSignal): Promise<string | undefined>
  /** Milliseconds; undefined if the image does not say. */
  created(digest: string, signal: AbortSignal): Promise<number | undefined>
}

/** Tags of one scan. More have to be narrowed down by its filter: any choice of ours could leave out the newest. */
const MAX_IMAGES = 200
const AT_A_TIME = 4
/** One look at all of them; the next one goes on where it ended. */
const LOOK_MS = 120_000
/** Signatures and attestations under the digest of what they are about. */
const ATTACHMENT = /^sha256-[0-9a-f]{64}(?:\.\w+)?$/
/** Builds that give the same image every time put down 1970 or 1980: that is no time. */
const NO_TIME_BEFORE = Date.parse('1980-01-02T00:00:00Z')

/**
 * Of several tags with images of the same time the highest version, or else the last in the alphabet.
 * Throws TerminalError where the user has to help, OciError otherwise, or the reason of the signal; `image` is for messages.
 */
export async function newestImage(all: readonly string[], times: ImageTimes, image: string, signal: AbortSignal): Promise<string> {
  const tags = all.filter((tag) => !ATTACHMENT.test(tag))
  if (tags.length > MAX_IMAGES) {
    throw new TerminalError(
      `${image} has ${tags.length} tags, but policy.newest looks at ${MAX_IMAGES} images at most: let fewer through with filterTags.pattern, or choose another policy`,
    )
  }
  const limited = AbortSignal.any([signal, AbortSignal.timeout(LOOK_MS)])
  const known: { tag: string; created: number }[] = []
  let seen = 0
  try {
    await untilOneFails(tags, AT_A_TIME, async (tag) => {
      const created = await createdOf(tag, times, limited)
      seen++
      if (created !== undefined && created >= NO_TIME_BEFORE) known.push({ tag, created })
    })
  } catch (error) {
    signal.throwIfAborted()
    if (!limited.aborted) throw error
    const seconds = LOOK_MS / 1_000
    throw new OciError(
      'timeout',
      `the registry told of ${seen} of ${tags.length} images of ${image} in ${seconds} s: it is asked for the rest`,
    )
  }
  if (known.length > 0) return known.reduce((best, one) => (isAfter(one, best) ? one : best)).tag
  throw new TerminalError(
    `none of the ${tags.length} images of ${image} says when it was made, as builds that give the same image every time do not: choose another policy`,
  )
}

async function createdOf(tag: string, times: ImageTimes, signal: AbortSignal): Promise<number | undefined> {
  const digest = await times.digest(tag, signal)
  if (digest === undefined) return undefined
  try {
    return await times.created(digest, signal)
  } catch (error) {
    if (!(error instanceof OciError)) throw error
    if (error.kind === 'not-found') return undefined // it was deleted a moment ago
    throw new OciError(error.kind, `tag ${tag}: ${error.message}`, error.retryAfterMs)
  }
}

function isAfter(one: { tag: string; created: number }, other: { tag: string; created: number }): boolean {
  return (one.created - other.created || compareTags(one.tag, other.tag)) > 0
}

function compareTags(one: string, other: string): number {
  const [a, b] = [parseVersion(one), parseVersion(other)]
  if (a && b) return compareVersions(a, b) || compareUtf8(one, other)
  return a ? 1 : b ? -1 : compareUtf8(one, other)
}

/** Starts nothing more after an error, which it throws at once: a registry that has had enough is left alone. */
async function untilOneFails<T>(items: readonly T[], limit: number, call: (item: T) => Promise<void>): Promise<void> {
  let next = 0
  let hasFailed = false
  async function work(): Promise<void> {
    while (!hasFailed && next < items.length) {
      try {
        await call(items[next++] as T)
      } catch (error) {
        hasFailed = true
        throw error
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, work))
}
