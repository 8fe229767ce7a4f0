import { isMap } from '../../lib/json/is-map.ts'
import { parseYaml } from '../../lib/yaml/parse.ts'
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
  const field = fieldsOf(secret)
  const read = (key: string): string => field(key).trim()
  const missing = NEEDED.filter((key) => !read(key))
  const name = `${secret.metadata.namespace}/${secret.metadata.name}`
  if (missing.length > 0)
    throw new Error(`secret ${name} lacks ${missing.join(', ')}: import the cluster again or correct the values of chart fleet-agent`)
  return {
    server: read('apiServerURL'),
    ca: field('apiServerCA'),
    token: read('token'),
    tokenName: read('tokenName'),
    clusterNamespace: read('clusterNamespace'),
    registrationNamespace: read('systemRegistrationNamespace'),
  }
}

/** Field by field, or as the values secret of a token has them: all in YAML under the key `values`. */
function fieldsOf(secret: Secret): (key: string) => string {
  const values = nestedValues(secretText(secret, 'values'))
  if (!values) return (key) => secretText(secret, key)
  return (key) => {
    const value = values[key]
    return typeof value === 'string' ? value : ''
  }
}

function nestedValues(text: string): Record<string, unknown> | undefined {
  if (!text) return undefined
  try {
    const values = parseYaml(text)
    return isMap(values) ? values : undefined
  } catch {
    return undefined // whatever it is, it is not what a token gives: the other keys count
  }
}
