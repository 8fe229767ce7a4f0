// How git reaches a repository by ssh: through OpenSSH, which gets one key, the known keys of one host, and no settings.
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { GitError } from '../errors.ts'
import { type KnownHosts, knownTypes, parseKnownHosts } from '../known-hosts.ts'
import { SSH_PORT } from '../known-hosts-patterns.ts'
import { PROVIDER_KEYS } from '../known-hosts-providers.ts'
import { sshProxyFor } from '../ssh/proxy.ts'
import { createSshTransport } from '../ssh/transport.ts'
import type { GitRemote } from '../types.ts'
import { parseSshUrl, redactUrl, type SshAddress } from '../url.ts'
import { openSshForwarder } from './ssh-forwarder.ts'

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
  /** Aborted with a GitError when the proxy does not lead to the server; undefined without a proxy. */
  readonly failed: AbortSignal | undefined
  close(): Promise<void>
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
/** A silent proxy is given up before the time for all is over, so that it can be named. */
const PROXY_SHARE = 0.8

/** What decides about the host's key. */
interface Known {
  readonly name: string
  /** In the format of known_hosts. */
  readonly text: string
  /** The same for whoever does not tell the port: the lines about this host and port only. */
  readonly aliased: string
}

/** Through the proxy that is meant for everything, if there is one. The caller closes it. Throws GitError `invalid-url`, `authentication` and `host-key` before anything is sent, with the words of the other backend. */
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
  const connectMs = Math.min(CONNECT_S * 1_000, idleMs)
  // Relative to the folder, since OpenSSH has meanings of its own for some letters of a path.
  const [keyFile, knownFile] = ['ssh/key', 'ssh/known_hosts']
  const proxy = sshProxyFor(remote, address)
  await mkdir(join(dir, 'ssh'), { recursive: true, mode: 0o700 })
  await writeFile(join(dir, keyFile), `${key.replaceAll('\r', '').trim()}\n`, { mode: 0o600 })
  await writeFile(join(dir, knownFile), (proxy ? known?.aliased : known?.text) ?? '', { mode: 0o600 })
  const forwarder = proxy && (await openSshForwarder({ address, proxy, timeoutMs: PROXY_SHARE * connectMs, signal }))
  const options = {
    ...optionsFor(keyFile, known ? knownFile : undefined, { idleMs, connectMs }),
    ...(forwarder && by(forwarder.port, address)),
  }
  const command = [ssh, '-F', 'none', '-T', ...Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`])]
  return {
    url: urlFor(address),
    command,
    address,
    variables: { GIT_SSH_COMMAND: command.map(quote).join(' '), GIT_SSH_VARIANT: 'ssh' },
    knownBy: known?.name ?? 'nothing',
    failed: forwarder?.failed,
    close: async () => forwarder?.close(),
  }
}

/** OpenSSH takes the first value it hears, and git names host and port after ours. Keys and certificates are checked for the host that is meant. */
function by(port: number, { host }: SshAddress): Record<string, string> {
  return { HostName: '127.0.0.1', Port: String(port), HostKeyAlias: host }
}

function optionsFor(
  keyFile: string,
  knownFile: string | undefined,
  { idleMs, connectMs }: { readonly idleMs: number; readonly connectMs: number },
): Record<string, string> {
  return {
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
    ConnectTimeout: String(Math.max(1, Math.ceil(connectMs / 1_000))),
    ServerAliveInterval: String(Math.max(1, Math.ceil(idleMs / 4_000))),
    ServerAliveCountMax: '4',
    LogLevel: 'ERROR',
  }
}

/** The text to check the host's key with; undefined: any key will do. As in the other backend, the first text that knows the host decides. */
function decisive({ hostKeys }: GitRemote, { host, port }: SshAddress): Known | undefined {
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
  if (source) {
    const heard = sources.slice(0, index + 1)
    const text = heard.map((one) => one.text).join('\n')
    return { name: source.name, text, aliased: linesFor(files.slice(0, index + 1), host, port) }
  }
  const names = sources.map(({ name }) => name)
  const where = names.length > 0 ? `it is not in the known_hosts of ${names.join(', nor in ')}` : 'there is no known_hosts'
  throw hostKeyError(
    `unknown host key of ${shownHost(host, port)}: ${where}; add the key to known_hosts of the secret, or of ConfigMap known-hosts`,
  )
}

function linesFor(files: readonly KnownHosts[], host: string, port: number): string {
  const entries = files.flatMap((file) => file.entries).filter(({ covers }) => covers(host, port))
  return entries.map(({ marker, type, key }) => `${marker ? `@${marker} ` : ''}${host} ${type} ${key.toString('base64')}\n`).join('')
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
