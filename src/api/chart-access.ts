// How the charts of a HelmOp are reached: the same on the hub, which looks for versions, and on agents, which download them (spec 8.7).
import { originOf } from '../lib/charts/downloads.ts'
import type { ChartAccess } from '../lib/charts/types.ts'
import type { ChartCredentials } from './chart-secret.ts'

/** What a HelmOp says beside its secret. */
export interface ChartAccessOptions {
  readonly insecureSkipTLSVerify?: boolean | undefined
  /** PEM certificates for when the secret has none */
  readonly caBundle?: string | undefined
}

/** The access for an address, to whose origin alone the login goes. Throws TerminalError for addresses that cannot be asked. */
export function chartAccess(address: string, own: ChartCredentials, options: ChartAccessOptions = {}): ChartAccess {
  const { username, password, basicHTTP } = own
  const origin = username && password ? originOf(address) : undefined
  return {
    caBundle: own.caBundle || options.caBundle || undefined,
    insecureSkipTLSVerify: (options.insecureSkipTLSVerify ?? false) || (own.insecureSkipTLSVerify ?? false),
    plainHttp: basicHTTP ?? false,
    ...(origin !== undefined && username && password ? { credentials: { origin, username, password } } : {}),
  }
}
