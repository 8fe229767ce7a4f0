// Which repositories a repository has inside, and where they are.

import type { GitRemote } from '../types.ts'
import { isSshUrl, parseHttpUrl, parseSshUrl } from '../url.ts'

export interface Submodule {
  /** Relative to the top of the repository, with `/`. */
  readonly path: string
  /** As written: absolute, or relative to the repository's own. */
  readonly url: string
}

/** The pattern of the keys that count in a file .gitmodules. */
export const SUBMODULE_KEYS = '^submodule\\..*\\.(path|url)$'

/** Submodules by the settings of a file .gitmodules; those without path or URL are left out, and of several for one path the last one counts, as in git. */
export function submodulesOf(settings: readonly (readonly [key: string, value: string])[]): Submodule[] {
  const named = new Map<string, { path?: string; url?: string }>()
  for (const [key, value] of settings) {
    const end = key.lastIndexOf('.')
    const name = key.slice(0, end)
    named.set(name, { ...named.get(name), [key.slice(end + 1)]: value })
  }
  const byPath = new Map<string, Submodule>()
  for (const { path, url } of named.values()) if (path && url) byPath.set(path, { path, url })
  return [...byPath.values()]
}

/** `./x` and `../x` are relative to the repository's own address, component by component; anything else is returned as it is. */
export function resolveSubmoduleUrl(parent: string, url: string): string {
  if (!/^\.\.?\//.test(url)) return url
  let base = parent.replace(/\/+$/, '')
  let rest = url
  for (;;) {
    if (rest.startsWith('./')) rest = rest.slice(2)
    else if (rest.startsWith('../')) {
      rest = rest.slice(3)
      base = withoutLast(base)
    } else break
  }
  return base.endsWith(':') ? `${base}${rest}` : `${base}/${rest}`
}

/** Never takes the host away: what is left then is no address, which is said when it is used. */
function withoutLast(base: string): string {
  const slash = base.lastIndexOf('/')
  if (slash > 0 && base[slash - 1] !== '/') return base.slice(0, slash)
  const colon = base.lastIndexOf(':')
  return slash < 0 && colon > 0 ? base.slice(0, colon + 1) : base
}

/** How to reach a submodule. Credentials, and certificates that go unchecked, are for the repository's own server and for no other. */
export function submoduleRemote(parent: GitRemote, url: string): GitRemote {
  const { hostKeys, caBundle, proxy, timeoutMs } = parent
  const common = { url, caBundle, proxy, timeoutMs }
  if (originOf(parent.url) !== originOf(url)) return isSshUrl(url) && hostKeys !== 'unchecked' ? { ...common, hostKeys } : common
  const credentials = parent.credentials ?? (isSshUrl(url) ? undefined : parseHttpUrl(parent.url).credentials)
  return { ...common, hostKeys, credentials, insecureSkipTLSVerify: parent.insecureSkipTLSVerify }
}

/** Throws GitError `invalid-url` for what is no address. */
function originOf(url: string): string {
  if (!isSshUrl(url)) return parseHttpUrl(url).origin
  const { user, host, port } = parseSshUrl(url)
  return `ssh://${user}@${host}:${port}`
}
