// The first column of known_hosts: which hosts a line is about (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT).
import { createHmac, timingSafeEqual } from 'node:crypto'

/** Whether a line is about a host (lower case) and a port. */
export type HostMatcher = (host: string, port: number) => boolean

export const SSH_PORT = 22
const MAX_PATTERNS = 1_000
const HASHED = /^\|1\|([A-Za-z0-9+/]+={0,2})\|([A-Za-z0-9+/]+={0,2})$/
const HASH_BYTES = 20

interface Pattern {
  readonly isNegated: boolean
  readonly host: string
  /** Undefined: not said. */
  readonly port: number | undefined
}

/** Undefined for what is neither a list of patterns nor a hashed name. */
export function compileHosts(text: string): HostMatcher | undefined {
  if (text.startsWith('|')) return compileHashed(text)
  const patterns = text.split(',').map(parsePattern)
  if (patterns.length > MAX_PATTERNS || patterns.some(({ host }) => host === '')) return undefined
  return (host, port) => {
    const matching = patterns.filter((pattern) => covers(pattern, host, port))
    return matching.length > 0 && !matching.some(({ isNegated }) => isNegated)
  }
}

function parsePattern(text: string): Pattern {
  const isNegated = text.startsWith('!')
  const body = (isNegated ? text.slice(1) : text).toLowerCase()
  const [, host, port] = /^\[([^\]]+)\](?::(\d{1,5}))?$/.exec(body) ?? []
  return { isNegated, host: host ?? body, port: port === undefined ? undefined : Number(port) }
}

/** A plain name stands for the usual port; a pattern without a port, and a negation, for all ports. */
function covers({ host, port, isNegated }: Pattern, wantedHost: string, wantedPort: number): boolean {
  const isAnyPort = port === undefined && (isNegated || /[*?]/.test(host))
  return (isAnyPort || (port ?? SSH_PORT) === wantedPort) && matchesWildcards(host, wantedHost)
}

/** `*` for any letters, `?` for one. Goes back to the last star only, so that no pattern takes long. */
function matchesWildcards(pattern: string, text: string): boolean {
  let [at, inText, star, marked] = [0, 0, -1, 0]
  while (inText < text.length) {
    if (pattern[at] === '*') {
      star = at++
      marked = inText
    } else if (at < pattern.length && (pattern[at] === '?' || pattern[at] === text[inText])) {
      at++
      inText++
    } else if (star >= 0) {
      at = star + 1
      inText = ++marked
    } else return false
  }
  while (pattern[at] === '*') at++
  return at === pattern.length
}

function compileHashed(text: string): HostMatcher | undefined {
  const [salt, hash] = (HASHED.exec(text) ?? []).slice(1).map((part) => Buffer.from(part, 'base64'))
  if (!salt || hash?.length !== HASH_BYTES) return undefined
  return (host, port) => namesOf(host, port).some((name) => timingSafeEqual(createHmac('sha1', salt).update(name).digest(), hash))
}

function namesOf(host: string, port: number): string[] {
  return port === SSH_PORT ? [host, `[${host}]:${port}`] : [`[${host}]:${port}`]
}
