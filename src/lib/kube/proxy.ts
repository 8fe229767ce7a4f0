// Which proxy the way to an API server leads through, by the rules of HTTPS_PROXY, HTTP_PROXY and NO_PROXY.
import { BlockList, isIP } from 'node:net'

/** Values of the usual variables. */
export interface ProxySettings {
  httpsProxy?: string | undefined
  httpProxy?: string | undefined
  /** Host names, `.domains`, addresses and CIDRs that are reached directly, separated by commas; `*` for all. */
  noProxy?: string | undefined
}

/** The proxy for a URL, or undefined. */
export function proxyFor(server: string, { httpsProxy, httpProxy, noProxy }: ProxySettings): string | undefined {
  const url = new URL(server)
  const proxy = url.protocol === 'https:' ? httpsProxy : httpProxy
  if (!proxy) return undefined
  const host = url.hostname.replace(/^\[|\]$/g, '').toLowerCase()
  const port = url.port || (url.protocol === 'https:' ? '443' : '80')
  if (isLoopback(host) || (noProxy ?? '').split(',').some((rule) => bypasses(rule.trim().toLowerCase(), host, port))) return undefined
  return proxy.includes('://') ? proxy : `http://${proxy}`
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
}

function bypasses(rule: string, host: string, port: string): boolean {
  if (rule === '') return false
  if (rule === '*') return true
  if (rule.includes('/')) return isInNetwork(rule, host)
  if (isIP(rule) > 0) return rule === host
  const [name = '', wantedPort] = rule.split(':')
  if (wantedPort !== undefined && wantedPort !== port) return false
  if (isIP(host) > 0) return name === host
  const domain = name.replace(/^\*?\./, '')
  return host.endsWith(`.${domain}`) || (name === domain && host === name)
}

function isInNetwork(rule: string, host: string): boolean {
  const [address = '', bits = ''] = rule.split('/')
  const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
  const limit = family === 'ipv6' ? 128 : 32
  if (isIP(address) === 0 || !/^\d{1,3}$/.test(bits) || Number(bits) > limit) return false
  const list = new BlockList()
  list.addSubnet(address, Number(bits), family)
  return isIP(host) > 0 && list.check(host, isIP(host) === 6 ? 'ipv6' : 'ipv4')
}
