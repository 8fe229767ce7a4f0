// Files of the format of known_hosts: which keys belong to a host, which authorities speak for it, and which keys nobody is to trust any more.
import { compileHosts, type HostMatcher } from './known-hosts-patterns.ts'
import { checkHostCertificate, isCertificate } from './ssh/certificate.ts'
import { fingerprintOf, keyTypeOf } from './ssh/public-key.ts'

type Marker = 'cert-authority' | 'revoked'

interface HostKeyEntry {
  readonly marker: Marker | undefined
  readonly covers: HostMatcher
  readonly type: string
  readonly key: Buffer
}

/** A line that cannot be used. */
interface KnownHostsFault {
  /** From 1. */
  readonly line: number
  readonly problem: string
  /** It would have revoked a key of these hosts. */
  readonly revokes?: HostMatcher
}

/** A parsed file. A bad line takes nothing from the others. */
export interface KnownHosts {
  readonly entries: readonly HostKeyEntry[]
  readonly faults: readonly KnownHostsFault[]
}

/** A host, and the key (or the certificate) it shows. */
export interface ShownKey {
  readonly host: string
  readonly port: number
  readonly key: Buffer
  /** Milliseconds, for certificates. */
  readonly now: number
}

/** What a file says of a key. */
export type HostKeyVerdict =
  | { readonly kind: 'accepted' }
  /** The key was taken because of a certificate; this is the key inside. */
  | { readonly kind: 'certified'; readonly key: Buffer }
  /** Nothing is known of the host. */
  | { readonly kind: 'unknown' }
  /** The host has these keys, or a certificate of an authority. */
  | { readonly kind: 'mismatch'; readonly known: readonly string[]; readonly problem?: string }
  | { readonly kind: 'revoked' }
  /** A line that revokes a key of this host cannot be read, and it may be this key. */
  | { readonly kind: 'unsafe'; readonly line: number }

const MAX_LENGTH = 2 ** 20
const MAX_LINES = 20_000
const MARKERS: Readonly<Record<string, Marker>> = { '@cert-authority': 'cert-authority', '@revoked': 'revoked' }
const MAX_SHOWN_KEYS = 4

/** Reads a file of at most 1 MiB and 20,000 lines; the rest counts as one bad line. */
export function parseKnownHosts(text: string): KnownHosts {
  const entries: HostKeyEntry[] = []
  const faults: KnownHostsFault[] = []
  const lines = text.slice(0, MAX_LENGTH).split('\n', MAX_LINES)
  for (const [index, raw] of lines.entries()) {
    const line = raw.trim()
    if (line === '' || line.startsWith('#')) continue
    const parsed = parseLine(line)
    if ('problem' in parsed) faults.push({ line: index + 1, ...parsed })
    else entries.push(parsed)
  }
  if (text.length > MAX_LENGTH || lines.length === MAX_LINES) faults.push({ line: lines.length, problem: 'the file is too long' })
  return { entries, faults }
}

function parseLine(line: string): HostKeyEntry | Omit<KnownHostsFault, 'line'> {
  const fields = line.split(/\s+/)
  const isMarked = fields[0]?.startsWith('@') ?? false
  const marker = isMarked ? MARKERS[fields.shift() ?? ''] : undefined
  if (isMarked && !marker) return { problem: 'its marker is neither @cert-authority nor @revoked' }
  const [hosts = '', type = '', base64 = ''] = fields
  const covers = compileHosts(hosts)
  const bad = (problem: string): Omit<KnownHostsFault, 'line'> =>
    marker === 'revoked' ? { problem, revokes: covers ?? (() => true) } : { problem }
  if (!covers) return bad('its hosts are no list of names and patterns')
  if (base64 === '') return bad('it has no key')
  const key = /^[A-Za-z0-9+/]+={0,2}$/.test(base64) ? Buffer.from(base64, 'base64') : Buffer.alloc(0)
  if (keyTypeOf(key) !== type) return bad(`its key is no ${type.slice(0, 50)} key in base64`)
  return { marker, covers, type, key }
}

/** What the file says of the key that a host shows. */
export function judgeHostKey({ entries, faults }: KnownHosts, { host: anyCase, port, key, now }: ShownKey): HostKeyVerdict {
  const host = anyCase.toLowerCase()
  const here = entries.filter(({ covers }) => covers(host, port))
  const keysOf = (marker: Marker | undefined): Buffer[] => here.filter((entry) => entry.marker === marker).map((entry) => entry.key)
  const unsafe = faults.find(({ revokes }) => revokes?.(host, port))
  if (unsafe) return { kind: 'unsafe', line: unsafe.line }
  const revoked = keysOf('revoked')
  if (revoked.some((one) => one.equals(key))) return { kind: 'revoked' }
  const [plain, authorities] = [keysOf(undefined), keysOf('cert-authority')]
  const known = [...plain.map(nameOf), ...authorities.map((one) => `a certificate signed by ${nameOf(one)}`)].slice(0, MAX_SHOWN_KEYS)
  if (known.length === 0) return { kind: 'unknown' }
  if (plain.some((one) => one.equals(key))) return { kind: 'accepted' }
  if (!isCertificate(key)) return { kind: 'mismatch', known }
  const checked = checkHostCertificate(key, { host, authorities, revoked, now })
  if ('key' in checked) return { kind: 'certified', key: checked.key }
  return checked.isRevoked ? { kind: 'revoked' } : { kind: 'mismatch', known, problem: checked.problem }
}

/** How a key is told to people: type and fingerprint. */
export function nameOf(key: Buffer): string {
  return `${keyTypeOf(key) ?? 'unknown'} ${fingerprintOf(key)}`
}

/** The types of the keys that a host is known by, and whether an authority speaks for it: what to ask the server for first. */
export function knownTypes({ entries }: KnownHosts, host: string, port: number): { types: ReadonlySet<string>; isCertified: boolean } {
  const here = entries.filter(({ covers, marker }) => marker !== 'revoked' && covers(host.toLowerCase(), port))
  return {
    types: new Set(here.filter(({ marker }) => !marker).map(({ type }) => type)),
    isCertified: here.some(({ marker }) => marker === 'cert-authority'),
  }
}
