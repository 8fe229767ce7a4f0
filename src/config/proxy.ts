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

const CHILD_VARIABLES = [
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'http_proxy',
  'https_proxy',
  'no_proxy',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
] as const

/** The variables that helm and kubectl get from our environment: proxies and certificates, and nothing else. */
export function childEnvironment(env: Environment): Record<string, string> {
  return Object.fromEntries(CHILD_VARIABLES.flatMap((name) => (env[name] ? [[name, env[name]]] : [])))
}
