/** A text that is no YAML, or breaks a limit. `line` and `column` count from 1; both are 0 when the trouble has no place (a limit of the whole text). */
export class YamlError extends Error {
  override readonly name = 'YamlError'
  readonly reason: string
  readonly line: number
  readonly column: number

  constructor(reason: string, place: { line: number; column: number } = { line: 0, column: 0 }) {
    super(place.line > 0 ? `${reason} (line ${place.line}, column ${place.column})` : reason)
    this.reason = reason
    this.line = place.line
    this.column = place.column
  }
}
