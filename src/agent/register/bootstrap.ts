import { type Secret, secretText } from './secrets.ts'

/** With what an agent knocks at its hub. Holds a token: not for logs. */
export interface Bootstrap {
  /** URL of the hub's API server. */
  readonly server: string
  /** PEM; empty if there is none. */
  readonly ca: string
  /** Of the account that may ask for a registration. */
  readonly token: string
  /** The ClusterRegistrationToken; empty with hubs that do not tell. */
  readonly tokenName: string
  /** Where the request goes. */
  readonly clusterNamespace: string
  /** Where the hub puts the answer. */
  readonly registrationNamespace: string
}

const NEEDED = ['apiServerURL', 'token', 'clusterNamespace', 'systemRegistrationNamespace'] as const

/** What the bootstrap secret says. Throws when something is missing. */
export function readBootstrap(secret: Secret): Bootstrap {
  const read = (key: string): string => secretText(secret, key).trim()
  const missing = NEEDED.filter((key) => !read(key))
  const name = `${secret.metadata.namespace}/${secret.metadata.name}`
  if (missing.length > 0)
    throw new Error(`secret ${name} lacks ${missing.join(', ')}: import the cluster again or correct the values of chart fleet-agent`)
  return {
    server: read('apiServerURL'),
    ca: secretText(secret, 'apiServerCA'),
    token: read('token'),
    tokenName: read('tokenName'),
    clusterNamespace: read('clusterNamespace'),
    registrationNamespace: read('systemRegistrationNamespace'),
  }
}
