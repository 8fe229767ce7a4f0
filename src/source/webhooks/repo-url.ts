// Whether a GitRepo names the repository that a payload speaks of, whichever way it is reached (spec 8.4).
import { PayloadError } from './types.ts'

interface Place {
  readonly host: string
  /** Without the first slash. */
  readonly path: string
}

const URL_PARTS = /^[a-z][a-z0-9+.-]*:\/\/(?:[^/@]*@)?(\[[0-9a-f:.]+\]|[^/:?#@[\]\s]+)(?::\d*)?(?:\/([^?#\s]*))?(?:[?#]|$)/i
const SSH_PARTS = /^(?:ssh:\/\/)?(?:[^/@\s]*@)?(\[[0-9a-f:.]+\]|[^/:@[\]\s]+)(?::\d+(?=\/))?[:/]([^\s]+)$/i
const BAD_ESCAPE = /%(?![0-9a-f]{2})/i
const CONTROL = /\p{Cc}/u
const MAX_REPO = 2_048

/** The address in an SSH field of a payload as a URL, without `.git`; empty if it has no host or no path. */
export function sshToUrl(text: string): string {
  const [, host, path] = SSH_PARTS.exec(text) ?? []
  return host && path ? `ssh://${host}/${path.replace(/^\/+/, '').replace(/\.git$/, '')}` : ''
}

/**
 * A test for the field `repo` of GitRepos: http, https, ssh and `user@host:path` forms of one of the URLs, with any port, with or without `.git`.
 * Throws {@link PayloadError} for a URL that is none.
 */
export function createRepoMatcher(urls: readonly string[]): (repo: string) => boolean {
  const patterns = urls.flatMap((url) => {
    const place = placeOf(url)
    return place ? [patternOf(place)] : []
  })
  return (repo) => repo.length <= MAX_REPO && patterns.some((pattern) => pattern.test(repo))
}

function placeOf(url: string): Place | undefined {
  if (url === '') return undefined
  if (CONTROL.test(url) || BAD_ESCAPE.test(url)) throw new PayloadError('the URL of the repository is not one')
  const [matched, host, path] = URL_PARTS.exec(url) ?? []
  if (matched === undefined && url.includes(':')) throw new PayloadError('the URL of the repository is not one')
  return host && path ? { host, path } : undefined
}

/** Azure leaves `_git` out and puts `v3` in when it speaks ssh. */
function patternOf({ host, path }: Place): RegExp {
  const user = String.raw`[^/@\s]*@`
  const start = String.raw`(?:https?://(?:${user})?|(?:git\+)?ssh(?:\+git)?://(?:${user})?|[^/@:\s]+@)(?:(?<=git@)ssh\.)?`
  const end = literally(path).replace('/_git/', '(?:/_git)?/')
  return new RegExp(String.raw`^${start}${literally(host)}(?::\d+)?[:/](?:v\d/)?${end}(?:\.git)?$`, 'iu')
}

function literally(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`)
}
