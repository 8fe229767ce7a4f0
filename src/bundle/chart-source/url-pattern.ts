// helmRepoURLRegex: to which addresses credentials may go. It matches from the start of the address (spec 6.4).
import { runInNewContext } from 'node:vm'
import { ChartError } from '../../lib/charts/errors.ts'
import { TerminalError } from '../../lib/controller/errors.ts'

/** Whether an address is one of those the user means. Throws ChartError when that takes too long to find out. */
export type UrlPattern = (address: string) => boolean

const MAX_PATTERN = 1_000
const MAX_ADDRESS = 2_048
/** The expression comes from one user and the address from another: together they must not stop everybody else. Far more than a match takes on a busy machine. */
const TIME_LIMIT_MS = 500
const TEST = 'addresses.some((address) => expression.test(address))'

/** Compiles the expression, which is written as for Go. Throws TerminalError when it cannot be read. */
export function compileUrlPattern(expression: string): UrlPattern {
  const compiled = compile(expression)
  let isSlow = false

  function test(addresses: readonly string[]): boolean {
    if (!isSlow) {
      try {
        return runInNewContext(TEST, { expression: compiled, addresses }, { timeout: TIME_LIMIT_MS }) === true
      } catch (error) {
        // the error belongs to the other context, so it is no instance of our Error
        if ((error as { code?: unknown } | null)?.code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error
        isSlow = true // once is enough
      }
    }
    throw new ChartError(`helmRepoURLRegex ${JSON.stringify(expression)} takes too long to match: write it without nested repetitions`)
  }

  return (address) => {
    const addresses = namesOf(address)
    return addresses.length > 0 && test(addresses)
  }
}

function compile(expression: string): RegExp {
  if (expression.length > MAX_PATTERN) throw new TerminalError(`helmRepoURLRegex is longer than ${MAX_PATTERN} characters`)
  const [, flags = '', rest = ''] = /^(?:\(\?([ims]+)\))?(.*)$/s.exec(expression) ?? []
  // named groups and the ends of a text are written differently in Go
  const translated = rest.replaceAll('(?P<', '(?<').replaceAll(/(\\[\s\S])/g, (escaped) => ENDS[escaped] ?? escaped)
  try {
    return new RegExp(`^(?:${translated})`, [...new Set(flags)].join(''))
  } catch {
    throw new TerminalError(`helmRepoURLRegex ${JSON.stringify(expression)} is no regular expression: correct it`)
  }
}

const ENDS: Readonly<Record<string, string>> = { '\\z': '$', '\\A': '^' }

/**
 * The ways to write an address by which it may be known. What stands before the host is never part of them: `https://good@evil` is an address of `evil`.
 * The address as it is written counts only if no other host can hide in it.
 */
function namesOf(address: string): string[] {
  const plain = address.replace(/^(?:git|https?)::/, '')
  if (plain.length > MAX_ADDRESS || /[\\\s\p{Cc}]/u.test(plain)) return []
  if (!URL.canParse(plain)) return /^[a-z.]+\/[^@:]*$/.test(plain) ? [plain] : []
  const url = new URL(plain)
  const canonical = `${url.protocol}//${url.host}${url.pathname}${url.search}`
  const hasUser = /^[^/]*\/\/[^/?#]*@/.test(plain)
  return hasUser ? [canonical] : [plain, address, canonical]
}
