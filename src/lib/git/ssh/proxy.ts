// Which proxy the way to an ssh server leads through: the one that is meant for everything (ALL_PROXY), as in Go Fleet. Those for http and https are for
// http and https: most of them refuse to let ssh through.
import { getCACertificates } from 'node:tls'
import { proxyFor } from '../../kube/proxy.ts'
import { GitError } from '../errors.ts'
import type { GitProxy, GitRemote } from '../types.ts'
import { redactUrl, type SshAddress } from '../url.ts'

/** A proxy, and what it takes to use it for one repository. */
export interface SshProxy {
  readonly kind: 'socks5' | 'http' | 'https'
  readonly host: string
  readonly port: number
  readonly credentials?: { readonly username: string; readonly password: string } | undefined
  /** For https. */
  readonly tls: { readonly ca?: string[]; readonly rejectUnauthorized?: boolean }
  /** Its address without credentials, for messages. */
  readonly shown: string
  /** The repository, for messages. */
  readonly repo: string
}

interface Settings extends GitProxy {
  readonly all?: string | undefined
}

const SCHEMES: Readonly<Record<string, { readonly kind: SshProxy['kind']; readonly port: number }>> = {
  'socks5:': { kind: 'socks5', port: 1_080 },
  'socks5h:': { kind: 'socks5', port: 1_080 },
  'http:': { kind: 'http', port: 80 },
  'https:': { kind: 'https', port: 443 },
}

/** Undefined: the server is reached directly. Throws GitError `unreachable` for a proxy that cannot be used. */
export function sshProxyFor(
  remote: Pick<GitRemote, 'url' | 'proxy' | 'caBundle' | 'insecureSkipTLSVerify'>,
  address: SshAddress,
): SshProxy | undefined {
  const { all, none }: Settings = remote.proxy ?? {}
  if (!all) return undefined
  const target = `ssh://${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}`
  const found = URL.canParse(target) ? proxyFor(target, { httpProxy: all, noProxy: none }) : all
  if (!found) return undefined
  const repo = redactUrl(remote.url)
  const url = URL.canParse(found) ? new URL(found) : undefined
  const scheme = url && SCHEMES[url.protocol]
  if (!url?.hostname || !scheme)
    throw new GitError(
      'unreachable',
      `the proxy for ${repo} (ALL_PROXY) has no address of use: write socks5://host:port, or http://host:port`,
    )
  const { caBundle, insecureSkipTLSVerify } = remote
  return {
    kind: scheme.kind,
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: Number(url.port || scheme.port),
    credentials: url.username || url.password ? { username: decode(url.username), password: decode(url.password) } : undefined,
    tls: {
      ...(caBundle ? { ca: [...getCACertificates('default'), caBundle] } : {}),
      ...(insecureSkipTLSVerify ? { rejectUnauthorized: false } : {}),
    },
    shown: `${url.protocol}//${url.hostname}:${url.port || scheme.port}`,
    repo,
  }
}

/** A stray percent sign stands for itself. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
