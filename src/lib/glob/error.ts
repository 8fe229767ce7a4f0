/** A pattern that means nothing: an open bracket, an empty class, a lone backslash. */
export class BadPatternError extends Error {
  override readonly name = 'BadPatternError'

  constructor(pattern: string, reason: string) {
    super(`bad pattern ${JSON.stringify(pattern)}: ${reason}`)
  }
}
