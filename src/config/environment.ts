// Reads typed settings out of environment variables. Every refused value names its variable and what it should look like.
import { parseDurationMs } from '../lib/duration/duration.ts'

/** The environment a program was started with; passed in so that nothing else reads process.env. */
export type Environment = Readonly<Record<string, string | undefined>>

/** A setting that cannot be used. The message names the variable or flag and what it takes; a program prints it and exits 2. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

/** A duration such as `30s`, `1m30s` or `0` as milliseconds, as Go reads it. */
export function durationMs(env: Environment, name: string, fallback: number): number {
  const ms = signedDurationMs(env, name, fallback)
  if (ms < 0) throw noDuration(env, name)
  return ms
}

/** A duration that may be below zero, as milliseconds. */
export function signedDurationMs(env: Environment, name: string, fallback: number): number {
  const text = env[name]?.trim()
  if (!text) return fallback
  try {
    return parseDurationMs(text)
  } catch {
    throw noDuration(env, name)
  }
}

function noDuration(env: Environment, name: string): ConfigError {
  return new ConfigError(`${name}="${env[name]?.trim()}" is not a duration: write for example 30s, 1m30s or 250ms`)
}

/** A whole number from `min` on. */
export function integer(env: Environment, name: string, fallback: number, min = 0): number {
  const text = env[name]?.trim()
  if (!text) return fallback
  const value = Number(text)
  if (!Number.isInteger(value) || value < min) throw new ConfigError(`${name}="${text}" is not a whole number of at least ${min}`)
  return value
}

/** Workers of a controller: `NAME_RECONCILER_WORKERS`, where 0 counts as 1 (spec 10.3). */
export function workers(env: Environment, name: string, fallback: number): number {
  return Math.max(1, integer(env, `${name}_RECONCILER_WORKERS`, fallback))
}

/** `true` and `1`, `false` and `0`; anything else, and nothing, is the fallback (spec 10.3: an invalid OCI_STORAGE counts as enabled). */
export function flag(env: Environment, name: string, fallback: boolean): boolean {
  const text = env[name]?.trim().toLowerCase()
  if (text === 'true' || text === '1') return true
  if (text === 'false' || text === '0') return false
  return fallback
}

/** Where a server listens: `host:port` or `:port` (all addresses); `0` turns it off. */
export function bindAddress(env: Environment, name: string, fallback: string): BindAddress | undefined {
  const text = env[name]?.trim() || fallback
  if (text === '0') return undefined
  const match = /^(?:\[?([^[\]]*)\]?)?:(\d{1,5})$/.exec(text)
  const port = Number(match?.[2])
  if (!match || port > 65_535) throw new ConfigError(`${name}="${text}" is not an address: write host:port, :port, or 0 for none`)
  return { host: match[1] || undefined, port }
}

export interface BindAddress {
  readonly host: string | undefined
  readonly port: number
}
