// What can go wrong with a template. Messages have the form of Go's, without the values that a template works on: those may be secret.

/** A text that is no template. `line` counts from 1, `column` counts characters from 0, as Go does. */
export class TemplateSyntaxError extends Error {
  override readonly name = 'TemplateSyntaxError'
  readonly line: number
  readonly column: number

  constructor(message: string, place: { readonly line: number; readonly column: number }) {
    super(message)
    this.line = place.line
    this.column = place.column
  }
}

/** A template that failed while it was rendered. `line` counts from 1, `column` counts characters from 0, as Go does. */
export class TemplateExecError extends Error {
  override readonly name = 'TemplateExecError'
  readonly line: number
  readonly column: number

  constructor(message: string, place: { readonly line: number; readonly column: number }, options?: ErrorOptions) {
    super(message, options)
    this.line = place.line
    this.column = place.column
  }
}

/** A template that asks for more work or memory than its limits allow. */
export class TemplateLimitError extends Error {
  override readonly name = 'TemplateLimitError'
}

/** Thrown by functions of templates; becomes a `TemplateExecError` that names the function and its place. */
export class FunctionError extends Error {
  override readonly name = 'FunctionError'
}

/** The beginning of a text that goes into a message. */
export function shortened(text: string, length = 100): string {
  return text.length > length ? `${text.slice(0, length)}…` : text
}

/** Ends a function of a template with an error. */
export function fail(message: string): never {
  throw new FunctionError(message)
}
