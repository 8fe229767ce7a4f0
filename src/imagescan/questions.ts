// Asks registries: once for all scans of the same image with the same credentials.
import type { Clock } from '../lib/controller/clock.ts'
import { unlessAborted } from '../lib/git/abort.ts'
import type { Question } from './question.ts'
import type { ImageRegistry } from './registry.ts'

/** What a registry answered. */
export type Answer = {
  /** when it was asked, in milliseconds */
  readonly at: number
  /** questions in a row that had no answer */
  readonly failures: number
  /** in [0, 1): the same for all who share the answer, so that they come back together */
  readonly jitter: number
} & ({ readonly tags: readonly string[] } | { readonly error: unknown })

export interface Questions {
  /** From now on `key` follows this question and no other. Returns the newest answer. */
  follow(key: string, question: Question): Answer | undefined
  /** Asks, or waits with who is asking. Throws only the reason of the signal. `key` has to follow a question. */
  ask(key: string, signal: AbortSignal): Promise<Answer>
  /** The digest of a tag, asked for once an answer; one that failed may be asked for again after a while. */
  digest(key: string, tag: string, signal: AbortSignal): Promise<string | undefined>
  /** When the image with this digest was made, in milliseconds; undefined if it does not say. Asked for once; a failure holds for a while. */
  created(key: string, digest: string, signal: AbortSignal): Promise<number | undefined>
  /** What nobody follows is forgotten. */
  forget(key: string): void
  /** Ends what is under way. */
  close(): void
}

export interface QuestionsOptions {
  readonly registry: ImageRegistry
  readonly clock: Clock
  /** in [0, 1) */
  readonly random: () => number
}

interface Entry {
  readonly question: Question
  readonly followers: Set<string>
  readonly abort: AbortController
  asking: Promise<Answer> | undefined
  answer: Answer | undefined
  /** by tag, of the newest answer */
  digests: Map<string, Kept<string | undefined>>
  /** by digest; what an image is never changes */
  readonly times: Map<string, Kept<number | undefined>>
}

interface Kept<T> {
  readonly at: number
  readonly found: Promise<T>
  hasFailed: boolean
}

/** How long the failure to get a digest, or a time, holds. */
export const DIGEST_RETRY_MS = 30_000
/** Times that are remembered for one repository: those of the images that ten scans look at. */
const MAX_TIMES = 2_000

export function createQuestions({ registry, clock, random }: QuestionsOptions): Questions {
  const entries = new Map<string, Entry>()
  const followed = new Map<string, Entry>()

  function open(question: Question): Entry {
    const entry: Entry = {
      question,
      followers: new Set(),
      abort: new AbortController(),
      asking: undefined,
      answer: undefined,
      digests: new Map(),
      times: new Map(),
    }
    entries.set(question.id, entry)
    return entry
  }

  function leave(key: string): void {
    const entry = followed.get(key)
    if (!entry) return
    followed.delete(key)
    entry.followers.delete(key)
    if (entry.followers.size > 0) return
    entries.delete(entry.question.id)
    entry.abort.abort(new Error('nobody asks this registry any more'))
  }

  async function listTags(entry: Entry): Promise<Answer> {
    const common = { at: clock.now(), jitter: random() }
    try {
      const tags = await registry.tags(entry.question, entry.abort.signal)
      entry.answer = { ...common, tags, failures: 0 }
    } catch (error) {
      entry.answer = { ...common, error, failures: (entry.answer?.failures ?? 0) + 1 }
    }
    entry.digests = new Map()
    entry.asking = undefined
    return entry.answer
  }

  function entryOf(key: string): Entry {
    const entry = followed.get(key)
    if (!entry) throw new Error(`${key} follows no question`)
    return entry
  }

  /** What was asked for already, or what is asked for now. */
  function kept<T>(map: Map<string, Kept<T>>, name: string, ask: () => Promise<T>): Promise<T> {
    const known = map.get(name)
    if (known && !(known.hasFailed && clock.now() - known.at >= DIGEST_RETRY_MS)) return known.found
    const asked = { at: clock.now(), found: ask(), hasFailed: false }
    map.set(name, asked)
    asked.found.catch(() => {
      asked.hasFailed = true
    })
    return asked.found
  }

  return {
    follow(key, question) {
      const entry = entries.get(question.id) ?? open(question)
      if (followed.get(key) !== entry) leave(key)
      followed.set(key, entry)
      entry.followers.add(key)
      return entry.answer
    },
    ask(key, signal) {
      const entry = entryOf(key)
      entry.asking ??= listTags(entry)
      return unlessAborted(signal, entry.asking)
    },
    async digest(key, tag, signal) {
      const { question, digests, abort } = entryOf(key)
      return unlessAborted(
        signal,
        kept(digests, tag, () => registry.digest(question, tag, abort.signal)),
      )
    },
    async created(key, digest, signal) {
      const { question, times, abort } = entryOf(key)
      const found = kept(times, digest, () => registry.created(question, digest, abort.signal))
      const newest = times.get(digest) as Kept<number | undefined>
      times.delete(digest)
      times.set(digest, newest)
      const [oldest] = times.keys()
      if (times.size > MAX_TIMES && oldest !== undefined) times.delete(oldest)
      return unlessAborted(signal, found)
    },
    forget: leave,
    close() {
      for (const key of [...followed.keys()]) leave(key)
    },
  }
}
