/** A chart cannot be had as things are now on the server: the next try may fare better. The message is for the user and names the address. */
export class ChartError extends Error {
  override readonly name = 'ChartError'
  /** How long the server asks us to stay away, in milliseconds. */
  readonly retryAfterMs?: number

  constructor(message: string, options: { cause?: unknown; retryAfterMs?: number | undefined } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    if (options.retryAfterMs !== undefined) this.retryAfterMs = options.retryAfterMs
  }
}
