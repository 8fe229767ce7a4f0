// The key under which an object travels through queues: `namespace/name`, or `name` for what lives in no namespace.

/** The queue key of an object or of a reference to one. */
export function keyOf(
  target: { metadata: { namespace?: string | undefined; name: string } } | { namespace?: string | undefined; name: string },
): string {
  const { namespace, name } = 'metadata' in target ? target.metadata : target
  return namespace ? `${namespace}/${name}` : name
}

/** The inverse of {@link keyOf}. */
export function parseKey(key: string): { namespace?: string; name: string } {
  const slash = key.indexOf('/')
  if (slash < 0) return { name: key }
  return { namespace: key.slice(0, slash), name: key.slice(slash + 1) }
}
