// The login for a registry out of a secret of type kubernetes.io/dockerconfigjson, as `kubectl create secret docker-registry` and `docker login` write it.

import { TerminalError } from '../lib/controller/errors.ts'
import { isMap } from '../lib/json/is-map.ts'
import type { RepositoryName } from '../lib/oci/reference.ts'
import type { RegistryAccess } from '../lib/oci/types.ts'
import { registryHost, shownHost } from './hub-names.ts'

/** What a registry is shown. */
export type Login = Pick<RegistryAccess, 'credentials' | 'identityToken'>

interface Config {
  readonly auths: Readonly<Record<string, unknown>>
  /** programs of the machine where the file was made, by registry */
  readonly credHelpers: Readonly<Record<string, unknown>>
  /** the one for all others */
  readonly credsStore: unknown
}

export const CONFIG_KEY = '.dockerconfigjson'
/** What stands for the user name where an identity token stands for the password. */
const TOKEN_USER = '<token>'

/** The login of the entry with the closest path. Throws TerminalError, which names the secret and nothing that is in it, if there is none that could be used here. */
export function loginIn(text: string, secret: string, { host, path: wanted }: RepositoryName): Login {
  const { auths, credHelpers, credsStore } = configIn(text, secret)
  const entries = Object.entries(auths)
    .map(([key, entry]) => ({ ...placeOf(key), entry }))
    .filter((entry) => entry.host === host && isWithin(wanted, entry.path))
    .sort((a, b) => b.path.length - a.path.length)
  const login = entries[0] && loginOf(entries[0].entry)
  if (login) return login
  const registry = shownHost(host)
  const helper = Object.entries(credHelpers).find(([key]) => placeOf(key).host === host)?.[1] ?? credsStore
  if (typeof helper === 'string' && helper) {
    throw new TerminalError(
      `secret "${secret}" leaves the login for the registry ${registry} to the program docker-credential-${helper.slice(0, 50)}, which is not here: make a secret that holds the login itself, with kubectl create secret docker-registry`,
    )
  }
  if (entries.length === 0)
    throw new TerminalError(`secret "${secret}" has no credentials for the registry ${registry}: add them under that name`)
  throw new TerminalError(
    `secret "${secret}" has neither auth nor username and password nor identitytoken for the registry ${registry}: add one of them`,
  )
}

function configIn(text: string, secret: string): Config {
  try {
    const { auths, credHelpers, credsStore } = JSON.parse(text) as Record<string, unknown>
    if (isMap(auths) || isMap(credHelpers) || credsStore)
      return { auths: isMap(auths) ? auths : {}, credHelpers: isMap(credHelpers) ? credHelpers : {}, credsStore }
  } catch {
    // said below; the message of the parser may quote a password
  }
  throw new TerminalError(`secret "${secret}" holds no registries under ${CONFIG_KEY}: make it with kubectl create secret docker-registry`)
}

/** Keys are hosts, `host/path`, or the addresses that docker writes: `https://index.docker.io/v1/`. */
function placeOf(key: string): { readonly host: string; readonly path: string } {
  const [host = '', ...rest] = key
    .replace(/^https?:\/\//i, '')
    .replace(/\/+$/, '')
    .split('/')
  const path = rest.join('/')
  return { host: registryHost(host.toLowerCase()), path: /^v[12]$/.test(path) ? '' : path }
}

function isWithin(path: string, folder: string): boolean {
  return folder === '' || path === folder || path.startsWith(`${folder}/`)
}

/** `auth` counts before `username` and `password`, as it does for kubelets. */
function loginOf(entry: unknown): Login | undefined {
  if (!isMap(entry)) return undefined
  const { auth, username, password, identitytoken } = entry
  const decoded = typeof auth === 'string' ? decodedLogin(auth) : undefined
  const given = typeof username === 'string' && username && typeof password === 'string' ? { username, password } : undefined
  const login = decoded ?? given
  if (typeof identitytoken === 'string' && identitytoken)
    return { identityToken: identitytoken, ...(login?.password ? { credentials: login } : {}) }
  if (login?.username === TOKEN_USER) return { identityToken: login.password }
  return login && { credentials: login }
}

function decodedLogin(auth: string): { readonly username: string; readonly password: string } | undefined {
  const text = Buffer.from(auth, 'base64').toString('utf8')
  const colon = text.indexOf(':')
  return colon > 0 ? { username: text.slice(0, colon), password: text.slice(colon + 1).replace(/\0+$/, '') } : undefined
}
