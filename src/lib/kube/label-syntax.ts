// What Kubernetes allows as label keys and values (apimachinery validation: qualified names).

const NAME = /^(?:[A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/
const DNS_SUBDOMAIN = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/
const MAX_NAME_LENGTH = 63
const MAX_PREFIX_LENGTH = 253

/** What is wrong with a label key (`name` or `prefix/name`), or undefined. */
export function labelKeyProblem(key: string): string | undefined {
  const parts = key.split('/')
  const name = parts.at(-1) ?? ''
  if (parts.length > 2) return 'a key has at most one "/"'
  if (parts.length === 2 && !isSubdomain(parts[0] ?? ''))
    return 'the part before "/" must be a lower case DNS name of at most 253 characters'
  if (name === '') return 'the name must not be empty'
  if (name.length > MAX_NAME_LENGTH) return 'the name must be no more than 63 characters'
  if (!NAME.test(name)) return 'the name must consist of letters, digits, "-", "_" or ".", and begin and end with a letter or digit'
  return undefined
}

/** What is wrong with a label value, or undefined. */
export function labelValueProblem(value: string): string | undefined {
  if (value.length > MAX_NAME_LENGTH) return 'a value must be no more than 63 characters'
  if (value !== '' && !NAME.test(value))
    return 'a value must consist of letters, digits, "-", "_" or ".", and begin and end with a letter or digit'
  return undefined
}

function isSubdomain(text: string): boolean {
  return text.length <= MAX_PREFIX_LENGTH && DNS_SUBDOMAIN.test(text)
}
