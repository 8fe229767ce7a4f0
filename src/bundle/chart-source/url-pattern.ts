// helmRepoURLRegex: to which addresses credentials may go. It matches from the start of the address (spec 6.4).
import { TerminalError } from '../../lib/controller/errors.ts'
import { isSshUrl } from '../../lib/git/url.ts'
import { FunctionError, TemplateLimitError } from '../../lib/gotemplate/errors.ts'
import { compilePattern, type Pattern } from '../../lib/gotemplate/pattern.ts'

/** Whether an address is one of those the user means. */
export type UrlPattern = (address: string) => boolean

const MAX_PATTERN = 1_000
const MAX_ADDRESS = 2_048

/** Compiles the expression, which is written as for Go and matched in linear time. Throws TerminalError when it cannot be read. */
export function compileUrlPattern(expression: string): UrlPattern {
  const matches = compile(expression)
  return (address) => namesOf(address).some(matches)
}

function compile(expression: string): Pattern {
  if (expression.length > MAX_PATTERN) throw new TerminalError(`helmRepoURLRegex is longer than ${MAX_PATTERN} characters`)
  try {
    return compilePattern(`^(?:${expression})`)
  } catch (error) {
    if (!(error instanceof FunctionError || error instanceof TemplateLimitError)) throw error
    throw new TerminalError(`helmRepoURLRegex ${JSON.stringify(expression)} is no regular expression: correct it`)
  }
}

/**
 * The ways to write an address by which it may be known. What stands before the host is never part of them: `https://good@evil` is an address of `evil`.
 * The address as it is written counts only if no other host can hide in it.
 */
function namesOf(address: string): string[] {
  const plain = address.replace(/^(?:git|ssh|https?)::/, '')
  if (plain.length > MAX_ADDRESS || /[\\\s\p{Cc}]/u.test(plain)) return []
  if (isSshUrl(plain) && !URL.canParse(plain)) return [plain, address]
  if (!URL.canParse(plain)) return /^[a-z.]+\/[^@:]*$/.test(plain) ? [plain] : []
  const url = new URL(plain)
  const canonical = `${url.protocol}//${url.host}${url.pathname}${url.search}`
  const hasUser = /^[^/]*\/\/[^/?#]*@/.test(plain)
  return hasUser ? [canonical] : [plain, address, canonical]
}
