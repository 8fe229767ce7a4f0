// JSON with integers that a double cannot hold: they are bigint here, as the YAML reader makes them on request.

/** Not yet among the types of the compiler. */
const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown }

/** JSON of a value in which bigint stands for an integer. Without one it is as fast as JSON.stringify. */
export function encodeExactJson(value: unknown, indent = 0): string {
  try {
    return JSON.stringify(value, undefined, indent)
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    return JSON.stringify(value, (_key, inner: unknown) => (typeof inner === 'bigint' ? rawJSON(String(inner)) : inner), indent)
  }
}

/** The value of a JSON text; integers that a double cannot hold are bigint. Throws SyntaxError. */
export function parseExactJson(text: string): unknown {
  return JSON.parse(text, (_key: string, value: unknown, context?: { source?: string }) => {
    if (typeof value !== 'number' || Number.isSafeInteger(value)) return value
    const source = context?.source ?? ''
    return /^-?\d+$/.test(source) ? BigInt(source) : value
  })
}
