// URLs in parts, as Go's net/url sees them.

import { isIPv6 } from 'node:net'
import { fail } from '../errors.ts'
import { GoMap, kindName, type Value } from '../values/value.ts'
import { define, type FunctionTable } from './define.ts'
import { escapePart, unescapeHost, unescapePart } from './url-escape.ts'

/** Functions of URLs. */
export const URLS: FunctionTable = {
  urlParse: define(['string'], (text) => {
    const { scheme, host, path, query, opaque, fragment, user } = parseUrl(text)
    const entries = {
      scheme,
      host,
      hostname: hostName(host),
      path,
      query,
      opaque,
      fragment,
      userinfo: user === undefined ? '' : userText(user),
    }
    return new GoMap(new Map<string, Value>(Object.entries(entries)))
  }),
  urlJoin: define(['dict'], joinUrl),
}

interface User {
  readonly name: string
  readonly password: string | undefined
}

interface ParsedUrl {
  readonly scheme: string
  readonly opaque: string
  readonly user: User | undefined
  readonly host: string
  readonly path: string
  readonly query: string
  readonly fragment: string
}

/** Messages name the trouble, not the URL: it may carry a password. */
function wrong(problem: string): never {
  return fail(`unable to parse url: ${problem}`)
}

function parseUrl(text: string): ParsedUrl {
  const [main, hash] = cut(text, '#')
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
  if (/[\0-\x1f\x7f]/.test(main)) wrong('invalid control character in URL')
  const fragment = decoded(hash)
  const empty = { scheme: '', opaque: '', user: undefined, host: '', path: '', query: '', fragment }
  if (main === '*') return { ...empty, path: '*' }
  const [scheme, afterScheme] = splitScheme(main)
  const [rest, query] = cut(afterScheme, '?')
  if (!rest.startsWith('/')) {
    if (scheme !== '') return { ...empty, scheme, opaque: rest, query }
    if (cut(rest, '/')[0].includes(':')) wrong('first path segment in URL cannot contain colon')
  }
  const hasAuthority = rest.startsWith('//') && (scheme !== '' || !rest.startsWith('///'))
  if (!hasAuthority) return { ...empty, scheme, path: decoded(rest), query }
  const slash = rest.indexOf('/', 2)
  const authority = slash < 0 ? rest.slice(2) : rest.slice(2, slash)
  return { ...empty, scheme, ...parseAuthority(scheme, authority), path: decoded(slash < 0 ? '' : rest.slice(slash)), query }
}

function cut(text: string, separator: string): [before: string, after: string] {
  const at = text.indexOf(separator)
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + separator.length)]
}

function decoded(text: string): string {
  return unescapePart(text) ?? wrong('invalid URL escape')
}

function splitScheme(text: string): [scheme: string, rest: string] {
  if (text.startsWith(':')) wrong('missing protocol scheme')
  const scheme = /^([a-zA-Z][a-zA-Z0-9+.-]*):/.exec(text)?.[1]
  return scheme === undefined ? ['', text] : [scheme.toLowerCase(), text.slice(scheme.length + 1)]
}

function parseAuthority(scheme: string, authority: string): { user: User | undefined; host: string } {
  const at = authority.lastIndexOf('@')
  const host = parseHost(scheme, authority.slice(at + 1))
  if (at < 0) return { user: undefined, host }
  const userinfo = authority.slice(0, at)
  if (!/^[\w.:~!$&'()*+,;=%@-]*$/.test(userinfo)) wrong('invalid userinfo')
  if (!userinfo.includes(':')) return { user: { name: decoded(userinfo), password: undefined }, host }
  const [name, password] = cut(userinfo, ':')
  return { user: { name: decoded(name), password: decoded(password) }, host }
}

function parseHost(scheme: string, host: string): string {
  const bracket = host.lastIndexOf('[')
  if (bracket > 0) wrong('invalid IP-literal')
  if (bracket === 0) return parseLiteral(host)
  const colon = scheme === 'http' || scheme === 'https' ? host.indexOf(':') : host.lastIndexOf(':')
  if (colon >= 0 && !isPort(host.slice(colon))) wrong('invalid port after host')
  return unescapeHost(host, 'host') ?? wrong('invalid character or escape in host name')
}

function parseLiteral(host: string): string {
  const close = host.lastIndexOf(']')
  if (close < 0) wrong("missing ']' in host")
  const port = host.slice(close + 1)
  if (!isPort(port)) wrong('invalid port after host')
  const inner = host.slice(1, close)
  const zone = inner.indexOf('%25')
  const address = unescapeHost(zone < 0 ? inner : inner.slice(0, zone), 'host')
  const scope = zone < 0 ? '' : unescapeHost(inner.slice(zone), 'zone')
  if (address === undefined || scope === undefined || !isIPv6(address) || scope === '%') wrong('invalid IP-literal')
  return `[${address}${scope}]${port}`
}

function isPort(text: string): boolean {
  return text === '' || /^:\d*$/.test(text)
}

function hostName(host: string): string {
  const colon = host.lastIndexOf(':')
  const name = colon >= 0 && isPort(host.slice(colon)) ? host.slice(0, colon) : host
  return name.startsWith('[') && name.endsWith(']') ? name.slice(1, -1) : name
}

function userText({ name, password }: User): string {
  return escapePart(name, 'user') + (password === undefined ? '' : `:${escapePart(password, 'user')}`)
}

function joinUrl(dict: GoMap): string {
  const part = (key: string): string => {
    const value = dict.entries.get(key) ?? (dict.entries.has(key) ? null : '')
    return typeof value === 'string' ? value : fail(`unable to parse ${key} key, must be of type string, but ${kindName(value)} found`)
  }
  const [scheme, host, path, query, opaque, fragment, userinfo] = [
    part('scheme'),
    part('host'),
    part('path'),
    part('query'),
    part('opaque'),
    part('fragment'),
    part('userinfo'),
  ]
  const user = userinfo === '' ? undefined : parseUrl(`proto://${userinfo}@host`).user
  const start = scheme === '' ? '' : `${scheme}:`
  const end = (query === '' ? '' : `?${query}`) + (fragment === '' ? '' : `#${escapePart(fragment, 'fragment')}`)
  if (opaque !== '') return start + opaque + end
  const authority = host !== '' || user !== undefined || (scheme !== '' && path !== '')
  const escaped = path === '*' ? path : escapePart(path, 'path')
  const before = start + (authority ? `//${user ? `${userText(user)}@` : ''}${escapePart(host, 'host')}` : '')
  return before + pathAfter(before, host, escaped) + end
}

function pathAfter(before: string, host: string, path: string): string {
  if (path !== '' && !path.startsWith('/') && host !== '') return `/${path}`
  return before === '' && cut(path, '/')[0].includes(':') ? `./${path}` : path
}
