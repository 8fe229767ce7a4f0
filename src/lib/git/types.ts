// What the rest of the program knows about git: where a repository is, which commit a ref names, and how to get its files.
import type { WrittenFiles } from './written-files.ts'

/** Credentials. Those of http(s) servers are sent to the origin of the repository's URL and to no other. */
export type GitCredentials = HttpCredentials | SshKey | GitHubApp

/** What an http(s) server is shown. */
export type HttpCredentials =
  | { readonly kind: 'basic'; readonly username: string; readonly password: string }
  | { readonly kind: 'bearer'; readonly token: string }

/** A private key for ssh, in OpenSSH or PEM format, without passphrase. */
export interface SshKey {
  readonly kind: 'ssh'
  readonly privateKey: string
}

/** A GitHub App that is installed where the repository is: it is exchanged for tokens that are good for an hour. */
export interface GitHubApp {
  readonly kind: 'github-app'
  readonly appId: string
  readonly installationId: string
  /** RSA, PEM. */
  readonly privateKey: string
}

/** A text in the format of known_hosts, and how it is called in messages (`secret "x"`). */
export interface KnownHostsText {
  readonly name: string
  readonly text: string
}

/** How the keys of ssh servers are checked: the first text that knows the host decides; `unchecked` takes any key, and with it any man in the middle. */
export type HostKeys = { readonly known: readonly KnownHostsText[] } | 'unchecked'

/** Proxies as the environment names them: for http, https and ssh addresses, and the hosts (comma separated) that are reached directly; loopback always is. */
export interface GitProxy {
  readonly http?: string | undefined
  readonly https?: string | undefined
  /** ALL_PROXY, which only ssh heeds: socks5://, http:// or https://. */
  readonly all?: string | undefined
  readonly none?: string | undefined
}

/** A repository and how to reach it. */
export interface GitRemote {
  /**
   * http(s) URL; a user name and password inside it count as credentials unless `credentials` are given.
   * Or an address for ssh: `ssh://user@host:port/path`, `user@host:path`.
   */
  readonly url: string
  readonly credentials?: GitCredentials | undefined
  /** For ssh; default: the keys that large hosting services publish. */
  readonly hostKeys?: HostKeys | undefined
  /** PEM certificates that are trusted besides the usual ones. */
  readonly caBundle?: string | undefined
  readonly insecureSkipTLSVerify?: boolean | undefined
  readonly proxy?: GitProxy | undefined
  /** How long to wait for the server's answer to a question about refs, in milliseconds; default 30,000. */
  readonly timeoutMs?: number | undefined
}

/** What to look for in a repository. A `revision` is a commit id, else a tag, else a branch. */
export type GitRef = { readonly branch: string } | { readonly tag: string } | { readonly commit: string } | { readonly revision: string }

/** What a fetch may cost. */
export interface GitLimits {
  /** Compressed bytes on the wire. */
  readonly packBytes: number
  /** Bytes of all files that are written. */
  readonly bytes: number
  /** Bytes of a single file. */
  readonly fileBytes: number
  /** Files and links that are written, and folders. */
  readonly files: number
  /** Milliseconds from the first request to the last file. */
  readonly timeMs: number
}

/** Limits for whoever has no better ones: 256 MiB packed, 1 GiB unpacked, 128 MiB a file, 100,000 files, 10 minutes. */
export const DEFAULT_GIT_LIMITS: GitLimits = {
  packBytes: 256 * 2 ** 20,
  bytes: 2 ** 30,
  fileBytes: 128 * 2 ** 20,
  files: 100_000,
  timeMs: 600_000,
}

export interface FetchOptions {
  /** Folders or files to write; default: all. From the first component with a wildcard on, everything below is written. */
  readonly paths?: readonly string[] | undefined
  readonly limits: GitLimits
  /** Told what was written, once, before the fetch resolves. */
  readonly onWritten?: ((files: WrittenFiles) => void) | undefined
}

/** One way to talk to repositories. All errors are {@link GitError}, but for an aborted signal, whose reason is thrown. */
export interface GitBackend {
  /** The commit a ref names now, as hexadecimal digits. A commit id is returned as it is, without a request. */
  resolve(remote: GitRemote, ref: GitRef, signal: AbortSignal): Promise<string>
  /**
   * Writes the files of a commit, without history, into the folder `into`, which must not exist; after an error it does not exist either.
   * Modes are 0644 or 0755; links that lead out of the repository are written as links to nowhere; submodules are left out.
   */
  fetch(remote: GitRemote, commit: string, into: string, options: FetchOptions, signal: AbortSignal): Promise<void>
}
