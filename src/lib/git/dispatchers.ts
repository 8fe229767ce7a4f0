// Connections to git servers, kept between polls: one pool for each combination of certificates and proxies.
import { createHash } from 'node:crypto'
import { getCACertificates } from 'node:tls'
import { Agent, type Dispatcher, ProxyAgent } from 'undici'
import { proxyFor } from '../kube/proxy.ts'
import { GitError } from './errors.ts'
import type { GitRemote } from './types.ts'
import { redactUrl } from './url.ts'

/** Pools by settings. The least recently used one is closed when there are too many. */
export interface Dispatchers {
  /** The pool for a request to `target` on behalf of a remote; throws GitError `certificate` if its caBundle holds no certificate. */
  for(remote: GitRemote, target: string): Dispatcher
  close(): Promise<void>
}

const CONNECT_TIMEOUT_MS = 10_000
/** Longer than the usual polling interval, so that a poll finds the connection of the one before. */
const KEEP_ALIVE_MS = 20_000
const MAX_HEADER_BYTES = 64 * 1_024

export function createDispatchers(maxPools = 32): Dispatchers {
  const pools = new Map<string, Dispatcher>()

  function find(remote: GitRemote, target: string): Dispatcher {
    const { http, https, none } = remote.proxy ?? {}
    const proxy = proxyFor(target, { httpProxy: http, httpsProxy: https, noProxy: none })
    const id = idOf(remote, proxy)
    const pool = pools.get(id) ?? createPool(remote, proxy)
    pools.delete(id)
    pools.set(id, pool)
    const [oldest] = pools
    if (pools.size > maxPools && oldest) retire(oldest)
    return pool
  }

  /** Requests under way finish; nothing waits for it. */
  function retire([id, pool]: [string, Dispatcher]): void {
    pools.delete(id)
    void pool.close().catch(() => {}) // closing twice is the only way this fails
  }

  return {
    for: find,
    async close() {
      const all = [...pools.values()]
      pools.clear()
      await Promise.all(all.map((pool) => pool.destroy()))
    },
  }
}

function idOf({ caBundle, insecureSkipTLSVerify }: GitRemote, proxy: string | undefined): string {
  return createHash('sha256')
    .update(JSON.stringify([caBundle ?? '', insecureSkipTLSVerify ?? false, proxy ?? '']))
    .digest('base64')
}

function createPool(remote: GitRemote, proxy: string | undefined): Dispatcher {
  const tls = { timeout: CONNECT_TIMEOUT_MS, ...tlsOptions(remote) }
  const common = { keepAliveTimeout: KEEP_ALIVE_MS, keepAliveMaxTimeout: KEEP_ALIVE_MS, maxHeaderSize: MAX_HEADER_BYTES }
  if (!proxy) return new Agent({ ...common, connect: tls })
  if (!URL.canParse(proxy)) throw new GitError('unreachable', `the proxy for ${redactUrl(remote.url)} has no valid address; correct it`)
  return new ProxyAgent({ ...common, uri: proxy, requestTls: tls, proxyTls: tls })
}

function tlsOptions({ url, caBundle, insecureSkipTLSVerify }: GitRemote): { ca?: string[]; rejectUnauthorized?: false } {
  if (insecureSkipTLSVerify) return { rejectUnauthorized: false }
  if (!caBundle) return {}
  if (!caBundle.includes('-----BEGIN CERTIFICATE-----'))
    throw new GitError('certificate', `the certificates given for ${redactUrl(url)} (caBundle) are no PEM certificates; correct them`)
  return { ca: [...getCACertificates('default'), caBundle] }
}
