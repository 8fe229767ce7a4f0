// How a registry says what it wants to see: the header `www-authenticate` (RFC 9110, 11.6.1).

export interface Challenge {
  /** lower case: `basic`, `bearer` */
  readonly scheme: string
  /** names in lower case */
  readonly parameters: Readonly<Record<string, string>>
}

const MAX_LENGTH = 8_192
const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+"
const NAMED = new RegExp(`\\s*(${TOKEN})\\s*=\\s*(?:"((?:[^"\\\\]|\\\\.)*)"|(${TOKEN}|[^\\s,"]*))\\s*(?:,|$)`, 'y')
const SCHEME = new RegExp(`[\\s,]*(${TOKEN})(?=\\s|,|$)`, 'y')

/** The challenges in a header. What cannot be read is left out. */
export function parseChallenges(header: string | readonly string[] | undefined): Challenge[] {
  const text = (typeof header === 'string' ? header : (header ?? []).join(', ')).slice(0, MAX_LENGTH)
  const challenges: Challenge[] = []
  let at = 0
  for (;;) {
    SCHEME.lastIndex = at
    const scheme = SCHEME.exec(text)
    if (!scheme?.[1]) return challenges
    at = SCHEME.lastIndex
    const parameters = new Map<string, string>()
    for (;;) {
      NAMED.lastIndex = at
      const [whole, name = '', quoted, plain = ''] = NAMED.exec(text) ?? []
      if (whole === undefined) break
      at = NAMED.lastIndex
      const key = name.toLowerCase()
      if (!parameters.has(key)) parameters.set(key, quoted === undefined ? plain : quoted.replace(/\\(.)/gs, '$1'))
    }
    challenges.push({ scheme: scheme[1].toLowerCase(), parameters: Object.fromEntries(parameters) })
  }
}
