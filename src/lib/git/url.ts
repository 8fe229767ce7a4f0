// Addresses of repositories: which are taken, and how they appear in messages.
import { GitError } from './errors.ts'
import type { HttpCredentials } from './types.ts'

/** A repository on an http(s) server. */
export interface HttpAddress {
  /** Without user name, password and slashes at the end. */
  readonly url: string
  /** Scheme, host and port: the only place credentials go to. */
  readonly origin: string
  /** Those inside the given URL. */
  readonly credentials?: HttpCredentials
}

/** A repository on an ssh server. */
export interface SshAddress {
  readonly user: string
  /** Lower case; an IPv6 address without brackets. */
  readonly host: string
  readonly port: number
  /** As the server gets it: absolute, relative to the user's home, or starting with `~`. */
  readonly path: string
}

const MAX_LENGTH = 2_048
const MAX_SHOWN = 200
const SSH = /^(?:ssh|git\+ssh|ssh\+git):\/\//i
/** `user@host:path` and `host:path`: no scheme, and no slash before the colon. */
const SCP = /^(?:[^/@\s]+@)?(?:\[[0-9a-f:.]+\]|[^/:@[\]\s]+):(?!\/\/)/i
/** Words before a colon that are schemes with too few slashes rather than hosts. */
const SCHEMES = new Set(['http', 'https', 'ssh', 'git', 'file', 'ftp', 'ext'])
const DEFAULT_USER = 'git'
const DEFAULT_SSH_PORT = 22

/** Whether git would reach this address by ssh. */
export function isSshUrl(text: string): boolean {
  return SSH.test(text) || SCP.test(text)
}

/** Understands the address of a repository; throws GitError `invalid-url` for whatever is not http or https. */
export function parseHttpUrl(text: string): HttpAddress {
  if (text.length > MAX_LENGTH) throw invalid(`repository URL is longer than ${MAX_LENGTH} characters`)
  if (isSshUrl(text)) throw invalid(`repository ${redactUrl(text)} needs an SSH private key, and none is used here: name its https address`)
  const url = URL.canParse(text) && !/[\s\p{Cc}]/u.test(text) ? new URL(text) : undefined
  if (!url) throw invalid(`repository ${redactUrl(text)} is not a URL: write https://host/path`)
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    throw invalid(`repository ${redactUrl(text)} cannot be reached by ${url.protocol.slice(0, -1)}: use https or http`)
  if (url.search || url.hash) throw invalid(`repository ${redactUrl(text)} has a query or a fragment: name only host and path`)
  const credentials = credentialsOf(url)
  return {
    url: `${url.origin}${url.pathname.replace(/\/+$/, '')}`,
    origin: url.origin,
    ...(credentials ? { credentials } : {}),
  }
}

/** Understands an address of which {@link isSshUrl} is true; throws GitError `invalid-url` for what ssh or git would take for an option, or not at all. */
export function parseSshUrl(text: string): SshAddress {
  if (text.length > MAX_LENGTH) throw invalid(`repository URL is longer than ${MAX_LENGTH} characters`)
  const address = SSH.test(text) ? fromSshUrl(text) : fromScp(text)
  if (!address) throw invalid(`repository ${redactUrl(text)} is not a URL: write ssh://user@host/path, or user@host:path`)
  const { user, host, path } = address
  if ([user, host, path].some((part) => part === '' || part.startsWith('-') || /\p{Cc}/u.test(part)))
    throw invalid(`repository ${redactUrl(text)} has a user, host or path that is empty, starts with a hyphen or has control characters`)
  return address
}

/** As git does it: the path is decoded, and a slash before a tilde is dropped. A password is of no use with a key, and is ignored. */
function fromSshUrl(text: string): SshAddress | undefined {
  const url = URL.canParse(text) && !/[\s\p{Cc}]/u.test(text) ? new URL(text) : undefined
  if (!url?.hostname || url.search || url.hash) return undefined
  const path = decode(url.pathname.replace(/\/+$/, ''))
  return {
    user: decode(url.username) || DEFAULT_USER,
    host: decode(url.hostname)
      .replace(/^\[(.*)\]$/, '$1')
      .toLowerCase(),
    port: Number(url.port || DEFAULT_SSH_PORT),
    path: path.startsWith('/~') ? path.slice(1) : path,
  }
}

function fromScp(text: string): SshAddress | undefined {
  const [, user, host = '', path = ''] = /^(?:([^/@\s]+)@)?(\[[^\]]+\]|[^:]+):(.*)$/s.exec(text) ?? []
  if (path.startsWith(':') || (user === undefined && SCHEMES.has(host.toLowerCase()))) return undefined
  return {
    user: user?.split(':')[0] || DEFAULT_USER,
    host: host.replace(/^\[(.*)\]$/, '$1').toLowerCase(),
    port: DEFAULT_SSH_PORT,
    path: path.replace(/\/+$/, ''),
  }
}

/** The host of a repository's address, in lower case; empty for what is no address. Only for telling hosts apart. */
export function hostOf(text: string): string {
  const [, host = ''] = /^(?:[a-z+]+:\/\/)?(?:[^/@]*@)?(\[[^\]]*\]|[^/:]*)/i.exec(redactUrl(text)) ?? []
  return host.toLowerCase()
}

/** A URL (or what was meant to be one) without user name, password, query and fragment, short enough for a message. */
export function redactUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const plain = url?.host ? `${url.protocol}//${url.host}${safePath(text, url)}` : withoutSecret(text)
  return plain.length <= MAX_SHOWN ? plain : `${plain.slice(0, MAX_SHOWN - 1).toWellFormed()}…`
}

/** A password with a slash in it makes `user:password@host` look like a host, a port and a path. */
function safePath(text: string, { pathname }: URL): string {
  const isDoubtful = /^[^:]*:\/*[^/]*:/.test(text) || /:.*@/.test(pathname)
  return isDoubtful && pathname.includes('@') ? `/***${pathname.slice(pathname.lastIndexOf('@'))}` : pathname
}

/** What cannot be parsed may have its password anywhere before the last at sign; only the bare user of `user@host:path` is shown. */
function withoutSecret(text: string): string {
  const line = text.replace(/[?#].*$/s, '').replace(/[\s\p{Cc}]+/gu, ' ')
  return /^[^/:@]+@[^@]*$/.test(line) ? line : line.slice(line.lastIndexOf('@') + 1)
}

function credentialsOf(url: URL): HttpCredentials | undefined {
  if (!url.username && !url.password) return undefined
  return { kind: 'basic', username: decode(url.username), password: decode(url.password) }
}

/** A stray percent sign stands for itself. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function invalid(message: string): GitError {
  return new GitError('invalid-url', message)
}
