// The ways to write where a chart lies when there is no repository (spec 6.4): forced schemes, folders behind `//`, abbreviations of well-known hosts.
import { messageOf, TerminalError } from '../controller/errors.ts'
import { isSshUrl, parseSshUrl, redactUrl } from '../git/url.ts'
import { parseAddress } from './http.ts'

/** An archive on an http(s) server. */
export interface ArchiveSource {
  readonly kind: 'archive'
  readonly url: string
  readonly folder: string
  readonly checksum: { readonly algorithm: string; readonly digest: string } | undefined
}

/** A folder in a git repository. */
export interface GitSource {
  readonly kind: 'git'
  readonly url: string
  readonly folder: string
  /** branch, tag or commit; empty for the default branch */
  readonly ref: string
}

const GIT_HOSTS = /^(github\.com|gitlab\.com|bitbucket\.org)\/([^/]+)\/([^/]+)(?:\/(.*))?$/s
const DIGEST_LENGTHS: Readonly<Record<string, number>> = { md5: 32, sha1: 40, sha256: 64, sha512: 128 }

/** Understands `helm.chart`; undefined for what can only be a path. Throws TerminalError for addresses nobody can be asked for. */
export function parseChartAddress(text: string): ArchiveSource | GitSource | undefined {
  const [forced, rest] = splitScheme(text)
  const { address, folder, query } = splitAddress(rest)
  if (forced === 'http' || forced === 'https') return archive(address, folder, query)
  if (forced === 'git' || forced === 'ssh') return git(address, folder, query)
  if (/^https?:\/\//i.test(address)) return archive(address, folder, query)
  if (/^(?:git|ssh):\/\//i.test(address)) return git(address, folder, query)
  const known = GIT_HOSTS.exec(address)
  if (known) {
    const [, host, owner, name = '', below = ''] = known
    const url = `https://${host}/${owner}/${name.endsWith('.git') ? name : `${name}.git`}`
    return git(url, [below, folder].filter((part) => part !== '').join('/'), query)
  }
  return isSshUrl(address) && address.includes('@') ? git(address, folder, query) : undefined
}

function splitScheme(text: string): [scheme: string | undefined, rest: string] {
  const match = /^(git|ssh|https?)::(.*)$/s.exec(text)
  return match ? [match[1], match[2] ?? ''] : [undefined, text]
}

interface Parts {
  readonly address: string
  readonly folder: string
  /** as it was written: signed addresses must not change by a byte */
  readonly query: readonly string[]
}

function splitAddress(text: string): Parts {
  const [path = '', ...queries] = text.split('?')
  const scheme = /^[a-z][a-z0-9+.-]*:\/\//i.exec(path)?.[0] ?? ''
  const at = path.indexOf('//', scheme.length)
  const address = at < 0 ? path : path.slice(0, at)
  return {
    address,
    folder: at < 0 ? '' : path.slice(at + 2),
    query: queries
      .join('?')
      .split('&')
      .filter((pair) => pair !== ''),
  }
}

function archive(address: string, folder: string, query: readonly string[]): ArchiveSource {
  const checksum = param(query, 'checksum')
  const url = parseAddress(address)
  // the first bytes of an archive tell what it is, so `archive` has nothing to add
  url.search = without(query, ['checksum', 'archive']).join('&')
  url.hash = ''
  return {
    kind: 'archive',
    url: url.href,
    folder: cleanFolder(folder, address),
    checksum: checksum ? parseChecksum(checksum, address) : undefined,
  }
}

function git(address: string, folder: string, query: readonly string[]): GitSource {
  const shown = redactUrl(address)
  if (param(query, 'sshkey') !== '')
    throw new TerminalError(`${shown}: a key has no place in an address: put it into the secret, under ssh-privatekey`)
  const url = isSshUrl(address) ? sshAddress(address) : parseAddress(address).href
  if (without(query, ['ref', 'depth', 'sshkey']).length > 0)
    // depth: history is never fetched
    throw new TerminalError(`${shown}: of the parameters behind the question mark only ref means something to git`)
  return { kind: 'git', url, folder: cleanFolder(folder, address), ref: param(query, 'ref') }
}

/** As it is written, when it is the address of a repository. */
function sshAddress(address: string): string {
  try {
    parseSshUrl(address)
    return address
  } catch (error) {
    throw new TerminalError(messageOf(error))
  }
}

function param(query: readonly string[], name: string): string {
  return new URLSearchParams(query.join('&')).get(name) ?? ''
}

function without(query: readonly string[], names: readonly string[]): string[] {
  return query.filter((pair) => !names.includes(pair.split('=', 1)[0] ?? ''))
}

/** A folder as it is written, without slashes and dots that mean nothing. */
function cleanFolder(folder: string, address: string): string {
  const parts = folder.split('/').filter((part) => part !== '' && part !== '.')
  if (parts.includes('..')) throw new TerminalError(`${redactUrl(address)}: the folder //${folder} leads out of it`)
  return parts.join('/')
}

function parseChecksum(text: string, address: string): { algorithm: string; digest: string } {
  const shown = redactUrl(address)
  const [algorithm = '', digest = ''] = text.toLowerCase().split(':')
  const length = Object.hasOwn(DIGEST_LENGTHS, algorithm) ? DIGEST_LENGTHS[algorithm] : undefined
  if (length === undefined) throw new TerminalError(`${shown}: the checksum must be written as sha256:<hexadecimal digits>`)
  if (digest.length !== length || !/^[0-9a-f]+$/.test(digest))
    throw new TerminalError(`${shown}: a checksum of ${algorithm} has ${length} hexadecimal digits`)
  return { algorithm, digest }
}
