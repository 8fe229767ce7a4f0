// Whether the key that an ssh server shows is the right one, and what the user is told if it is not.
import { GitError } from '../errors.ts'
import { type HostKeyVerdict, judgeHostKey, type KnownHosts, knownTypes, nameOf, parseKnownHosts } from '../known-hosts.ts'
import { SSH_PORT } from '../known-hosts-patterns.ts'
import { PROVIDER_KEYS } from '../known-hosts-providers.ts'
import type { HostKeys } from '../types.ts'
import type { SshAddress } from '../url.ts'
import { CERTIFICATE_ALGORITHMS } from './certificate.ts'

/** What a server may show, best first; RSA keys sign with SHA-2 only. */
const ALGORITHMS: readonly (readonly [type: string, ...algorithms: string[]])[] = [
  ['ssh-ed25519', 'ssh-ed25519'],
  ['ecdsa-sha2-nistp256', 'ecdsa-sha2-nistp256'],
  ['ecdsa-sha2-nistp384', 'ecdsa-sha2-nistp384'],
  ['ecdsa-sha2-nistp521', 'ecdsa-sha2-nistp521'],
  ['ssh-rsa', 'rsa-sha2-512', 'rsa-sha2-256'],
]

/** The check for one server. */
export interface HostKeyCheck {
  /** Algorithms to ask the server for: first those of the keys it is known by. */
  readonly algorithms: readonly string[]
  /** Algorithms of certificates, to be asked for before all others; empty if no authority is known for the host. */
  readonly certificates: readonly string[]
  /** Throws GitError `host-key`; returns the key inside the certificate if that is what the server shows. */
  check(key: Buffer): { readonly certified?: Buffer }
}

interface Source {
  readonly name: string
  readonly file: KnownHosts
}

/** Default: the shipped keys of hosting services. */
export function createHostKeyCheck(hostKeys: HostKeys | undefined, address: SshAddress, now: () => number): HostKeyCheck {
  const { host, port } = address
  const anyOrder = ALGORITHMS.flatMap(([, ...algorithms]) => algorithms)
  if (hostKeys === 'unchecked') return { algorithms: anyOrder, certificates: [], check: () => ({}) }
  const sources = (hostKeys?.known ?? [PROVIDER_KEYS]).map(({ name, text }): Source => ({ name, file: parseKnownHosts(text) }))
  const found = sources.map(({ file }) => knownTypes(file, host, port)).find(({ types, isCertified }) => types.size > 0 || isCertified)
  const wanted = ALGORITHMS.filter(([type]) => found?.types.has(type)).flatMap(([, ...algorithms]) => algorithms)
  return {
    algorithms: [...new Set([...wanted, ...anyOrder])],
    certificates: found?.isCertified ? CERTIFICATE_ALGORITHMS : [],
    check(key) {
      for (const { name, file } of sources) {
        const verdict = judgeHostKey(file, { host, port, key, now: now() })
        if (verdict.kind === 'accepted') return {}
        if (verdict.kind === 'certified') return { certified: verdict.key }
        if (verdict.kind !== 'unknown') throw refused(verdict, name, address, key)
      }
      throw unknownHost(sources, address, key)
    },
  }
}

type Refusal = Exclude<HostKeyVerdict, { kind: 'accepted' | 'certified' | 'unknown' }>

function refused(verdict: Refusal, source: string, address: SshAddress, key: Buffer): GitError {
  const shown = `host key of ${shownHost(address)}: the server shows ${nameOf(key)}`
  if (verdict.kind === 'revoked')
    return failure(`revoked ${shown}, which ${source} revokes; give the server another key, or remove the line if that is a mistake`)
  if (verdict.kind === 'unsafe')
    return failure(`cannot check the ${shown}, and line ${verdict.line} of ${source} revokes a key but cannot be read; correct it`)
  const why = verdict.problem ? ` (${verdict.problem})` : ''
  return failure(
    `mismatch of the ${shown}${why}, but ${source} knows this host by ${verdict.known.join(', ')}; ` +
      'if the key was changed on purpose, put the new one in its place there, otherwise somebody may be in between',
  )
}

function unknownHost(sources: readonly Source[], address: SshAddress, key: Buffer): GitError {
  const names = sources.map(({ name }) => name)
  const where = names.length > 0 ? `it is not in the known_hosts of ${names.join(', nor in ')}` : 'there is no known_hosts'
  const faults = sources.flatMap(({ name, file }) =>
    file.faults.slice(0, 1).map(({ line, problem }) => `line ${line} of ${name}: ${problem}`),
  )
  const bad = faults.length > 0 ? ` (${faults.join('; ')})` : ''
  return failure(
    `unknown host key of ${shownHost(address)}: the server shows ${nameOf(key)}, but ${where}${bad}; ` +
      'compare the fingerprint with that of the server, then add the key to known_hosts of the secret, or of ConfigMap known-hosts',
  )
}

function shownHost({ host, port }: SshAddress): string {
  return port === SSH_PORT ? host : `[${host}]:${port}`
}

function failure(message: string): GitError {
  return new GitError('host-key', message)
}
