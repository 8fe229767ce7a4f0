// What the services have in common: three functions each.

/** A request as it came in. */
export interface WebhookRequest {
  readonly method: string
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly body: Buffer
}

export type Headers = WebhookRequest['headers']

/** What a service says about a push. All texts may be empty. */
export interface Push {
  /** Addresses of the repository. */
  readonly urls: readonly string[]
  /** Empty if it was none, such as a tag. */
  readonly branch: string
  readonly commit: string
}

/** The values of a secret for webhooks, decoded. */
export type WebhookKeys = Readonly<Record<string, Buffer>>

/** `no key`: the secret says nothing about this service. */
export type Verification = 'valid' | 'wrong' | 'no key'

/** A git hosting service. None of the functions throws anything but {@link PayloadError}. */
export interface Provider {
  readonly name: string
  /** What the headers announce; undefined: the request comes from another service. */
  detect(headers: Headers): 'push' | 'ping' | 'unsupported' | undefined
  /** Whether the sender knows the secret. Takes the same time wherever a wrong one differs. */
  verify(request: WebhookRequest, keys: WebhookKeys): Verification
  /** The push that a parsed body tells of; undefined if it tells of something else. */
  parse(body: unknown): Push | undefined
}

/** A body that cannot be understood. */
export class PayloadError extends Error {
  override readonly name = 'PayloadError'
}

/** A header; of several with one name none counts. */
export function header(headers: Headers, name: string): string {
  const value = Object.hasOwn(headers, name) ? headers[name] : undefined
  return typeof value === 'string' ? value : ''
}
