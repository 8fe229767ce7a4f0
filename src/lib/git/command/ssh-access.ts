// How git reaches a repository by ssh: through OpenSSH, which gets one key, the known keys of one host, and no settings.
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { GitError } from '../errors.ts'
import { type KnownHosts, knownTypes, parseKnownHosts } from '../known-hosts.ts'
import { SSH_PORT } from '../known-hosts-patterns.ts'
import { PROVIDER_KEYS } from '../known-hosts-providers.ts'
import { createSshTransport } from '../ssh/transport.ts'
import type { GitRemote, KnownHostsText } from '../types.ts'
import { parseSshUrl, redactUrl, type SshAddress } from '../url.ts'

export interface SshAccess {
  /** As git gets it. */
  readonly url: string
  /** Program and arguments up to the host, for whoever has another question than git. */
  readonly command: readonly string[]
  readonly address: SshAddress
  /** For git. */
  readonly variables: Readonly<Record<string, string>>
  /** What decides about the host's key, for messages. */
  readonly knownBy: string
}

export interface SshAccessOptions {
  /** OpenSSH's client. */
  readonly ssh: string | undefined
  /** A private folder; the key is written into it, and the command must be started there. */
  readonly dir: string
  readonly idleMs: number
  readonly signal: AbortSignal
}

const CONNECT_S = 20

/** Throws GitError `invalid-url`, `authentication` and `host-key` before anything is sent, with the words of the other backend. */
export async function openSshAccess(remote: GitRemote, { ssh, dir, idleMs, signal }: SshAccessOptions): Promise<SshAccess> {
  createSshTransport(remote, { idleMs, maxBytes: 0, signal, now: Date.now }).close()
  const address = parseSshUrl(remote.url)
  const key = remote.credentials?.kind === 'ssh' ? remote.credentials.privateKey : ''
  if (!ssh)
    throw new GitError(
      'other',
      `reading ${redactUrl(remote.url)} needs the ssh program, which is not on the PATH; install OpenSSH's client`,
    )
  const known = decisive(remote, address)
  // Relative to the folder, since OpenSSH has meanings of its own for some letters of a path.
  const [keyFile, knownFile] = ['ssh/key', 'ssh/known_hosts']
  await mkdir(join(dir, 'ssh'), { recursive: true, mode: 0o700 })
  await writeFile(join(dir, keyFile), `${key.replaceAll('\r', '').trim()}\n`, { mode: 0o600 })
  await writeFile(join(dir, knownFile), known?.text ?? '', { mode: 0o600 })
  const command = [ssh, ...optionsFor(keyFile, known ? knownFile : undefined, idleMs)]
  return {
    url: urlFor(address),
    command,
    address,
    variables: { GIT_SSH_COMMAND: command.map(quote).join(' '), GIT_SSH_VARIANT: 'ssh' },
    knownBy: known?.name ?? 'nothing',
  }
}

function optionsFor(keyFile: string, knownFile: string | undefined, idleMs: number): string[] {
  const options = {
    BatchMode: 'yes',
    IdentitiesOnly: 'yes',
    IdentityAgent: 'none',
    IdentityFile: keyFile,
    PreferredAuthentications: 'publickey',
    StrictHostKeyChecking: knownFile ? 'yes' : 'no',
    UserKnownHostsFile: knownFile ?? '/dev/null',
    GlobalKnownHostsFile: '/dev/null',
    UpdateHostKeys: 'no',
    CheckHostIP: 'no',
    VerifyHostKeyDNS: 'no',
    CanonicalizeHostname: 'no',
    ClearAllForwardings: 'yes',
    ForwardAgent: 'no',
    ForwardX11: 'no',
    PermitLocalCommand: 'no',
    ProxyCommand: 'none',
    ControlMaster: 'no',
    ControlPath: 'none',
    ConnectTimeout: String(Math.max(1, Math.min(CONNECT_S, Math.ceil(idleMs / 1_000)))),
    ServerAliveInterval: String(Math.max(1, Math.ceil(idleMs / 4_000))),
    ServerAliveCountMax: '4',
    LogLevel: 'ERROR',
  }
  return ['-F', 'none', '-T', ...Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`])]
}

/** The text to check the host's key with; undefined: any key will do. As in the other backend, the first text that knows the host decides. */
function decisive({ hostKeys }: GitRemote, { host, port }: SshAddress): KnownHostsText | undefined {
  if (hostKeys === 'unchecked') return undefined
  const sources = hostKeys?.known ?? [PROVIDER_KEYS]
  const files = sources.map(({ text }) => parseKnownHosts(text))
  const index = files.findIndex((file) => knows(file, host, port))
  // A text that only revokes keys of the host is heard too; a line of it that cannot be read must not let a revoked key pass.
  for (const [at, file] of files.slice(0, index + 1).entries()) {
    const unsafe = file.faults.find(({ revokes }) => revokes?.(host, port))
    if (unsafe)
      throw hostKeyError(
        `cannot check the host key of ${shownHost(host, port)}: line ${unsafe.line} of ${sources[at]?.name} revokes a key but cannot be read; correct it`,
      )
  }
  const source = sources[index]
  if (source)
    return {
      name: source.name,
      text: sources
        .slice(0, index + 1)
        .map(({ text }) => text)
        .join('\n'),
    }
  const names = sources.map(({ name }) => name)
  const where = names.length > 0 ? `it is not in the known_hosts of ${names.join(', nor in ')}` : 'there is no known_hosts'
  throw hostKeyError(
    `unknown host key of ${shownHost(host, port)}: ${where}; add the key to known_hosts of the secret, or of ConfigMap known-hosts`,
  )
}

function knows(file: KnownHosts, host: string, port: number): boolean {
  const { types, isCertified } = knownTypes(file, host, port)
  return types.size > 0 || isCertified
}

function hostKeyError(message: string): GitError {
  return new GitError('host-key', message)
}

function shownHost(host: string, port: number): string {
  return port === SSH_PORT ? host : `[${host}]:${port}`
}

/** A path relative to the user's home can only be written in the short form, which knows no port. */
function urlFor({ user, host, port, path: place }: SshAddress): string {
  const shown = host.includes(':') ? `[${host}]` : host
  const isShort = !place.startsWith('/') && !place.startsWith('~')
  if (isShort) return `${user}@${shown}:${place}`
  const encoded = place.split('/').map(encodeURIComponent).join('/')
  return `ssh://${encodeURIComponent(user)}@${shown}:${port}${place.startsWith('~') ? '/' : ''}${encoded.replace('%7E', '~')}`
}

/** As one word for the shell. */
function quote(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`
}
