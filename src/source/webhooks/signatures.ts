// Comparing secrets in constant time.
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { Verification, WebhookKeys, WebhookRequest } from './types.ts'

/** The value of a key; an empty one is as good as none: it would let everybody in. */
export function keyOf(keys: WebhookKeys, name: string): Buffer | undefined {
  const key = Object.hasOwn(keys, name) ? keys[name] : undefined
  return key && key.length > 0 ? key : undefined
}

/** Whether a header is the HMAC-SHA256 of the body, in hexadecimal digits behind `prefix`. */
export function verifyHmac(
  { body }: Pick<WebhookRequest, 'body'>,
  signature: string,
  prefix: string,
  key: Buffer | undefined,
): Verification {
  if (!key) return 'no key'
  const digits = signature.startsWith(prefix) ? signature.slice(prefix.length) : ''
  if (!/^[0-9a-f]{64}$/i.test(digits)) return 'wrong'
  const expected = createHmac('sha256', key).update(body).digest()
  return timingSafeEqual(expected, Buffer.from(digits, 'hex')) ? 'valid' : 'wrong'
}

/** Whether a header is the secret itself. */
export function verifyToken(token: string, key: Buffer | string | undefined): Verification {
  if (!key) return 'no key'
  return timingSafeEqual(digest(token), digest(key)) ? 'valid' : 'wrong'
}

/** Makes texts of any length equally long. */
function digest(value: Buffer | string): Buffer {
  return createHash('sha256').update(value).digest()
}
