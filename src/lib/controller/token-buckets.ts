import type { Clock } from './clock.ts'

/** A token bucket for each key. */
export interface TokenBuckets {
  /** Takes a token of the key's bucket; false if it is empty. */
  take(key: string): boolean
}

export interface TokenBucketsOptions {
  clock: Clock
  /** Size of a bucket; it starts full. */
  burst: number
  /** A token comes back after this many milliseconds. */
  refillMs: number
  /** Buckets remembered; the one unused for longest is forgotten (is full again) beyond. */
  maxKeys: number
}

/** Buckets that cost nothing until their key is used. */
export function createTokenBuckets(options: TokenBucketsOptions): TokenBuckets {
  const { clock, burst, refillMs, maxKeys } = options
  const buckets = new Map<string, { tokens: number; at: number }>()

  function take(key: string): boolean {
    const now = clock.now()
    const old = buckets.get(key) ?? { tokens: burst, at: now }
    const tokens = Math.min(burst, old.tokens + (now - old.at) / refillMs)
    buckets.delete(key)
    buckets.set(key, { tokens: tokens >= 1 ? tokens - 1 : tokens, at: now })
    const oldest = buckets.size > maxKeys ? buckets.keys().next().value : undefined
    if (oldest !== undefined) buckets.delete(oldest)
    return tokens >= 1
  }

  return { take }
}
