import { TerminalError } from '../lib/controller/errors.ts'

/** A number or a text such as `25%`, as in the fields of a rollout strategy. */
export type IntOrPercent = number | string | null | undefined

/**
 * How many of `count` a limit allows: the first of `limits` that is given, else 100 % (spec 5.1, 12).
 * Numbers are cut to 0…count, but not numbers given as text; percentages are rounded down, but to no less than 1. Of none, 1 is allowed.
 * Throws TerminalError for texts that are neither a positive number nor a percentage.
 */
export function limit(count: number, ...limits: IntOrPercent[]): number {
  if (count <= 0) return 1
  const given = limits.find((value) => value !== null && value !== undefined) ?? '100%'
  if (typeof given === 'number') return Math.min(Math.max(Math.trunc(given), 0), count)
  if (/^\+?0*[1-9]\d*$/.test(given)) return Math.min(Number(given), Number.MAX_SAFE_INTEGER)
  const percent = percentage(given)
  return Math.min(Math.max(Math.floor(Math.trunc(count * percent) / 100), 1), count)
}

function percentage(text: string): number {
  const digits = /^([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)%$/.exec(text)?.[1]
  if (digits === undefined) throw new TerminalError(`invalid maxUnavailable, must be int or percentage (ending with %): ${text}`)
  return Math.max(Number(digits), 0)
}
