import type { ProxySettings } from '../lib/kube/proxy.ts'
import type { Environment } from './environment.ts'

export type { ProxySettings }

/** HTTP_PROXY, HTTPS_PROXY and NO_PROXY, in capitals or not, as curl and Go read them. */
export function proxySettings(env: Environment): ProxySettings {
  return {
    httpProxy: env.HTTP_PROXY || env.http_proxy,
    httpsProxy: env.HTTPS_PROXY || env.https_proxy,
    noProxy: env.NO_PROXY || env.no_proxy,
  }
}
