// Credentials for chart downloads as secrets hold them: one set for all folders, or a set for each (spec 1.2, 6.4).

import { type ChartCredentials, checkLogin } from '../../api/chart-secret.ts'
import { TerminalError } from '../../lib/controller/errors.ts'
import { BadPatternError } from '../../lib/glob/error.ts'
import { matchPath } from '../../lib/glob/path-pattern.ts'
import { isMap } from '../../lib/json/is-map.ts'
import { compareUtf8 } from '../../lib/json/utf8.ts'
import { YamlError } from '../../lib/yaml/error.ts'
import { parseYaml } from '../../lib/yaml/parse.ts'

/** The credentials for the folder of a bundle, relative to the repository; empty when there are none. Throws TerminalError for patterns that cannot be read. */
export type CredentialsByFolder = (folder: string) => ChartCredentials

/** Key of the secret with credentials by path. */
const BY_PATH_KEY = 'secrets-path.yaml'
const MAX_BY_PATH_BYTES = 2 ** 20

type SecretData = Readonly<Record<string, string>>

/** Reads the secret that `helmSecretNameForPaths` names. Throws TerminalError when it cannot be read. */
export function credentialsByPathOfSecret(data: SecretData = {}, name: string): CredentialsByFolder {
  const text = data[BY_PATH_KEY]
  if (text === undefined) throw new TerminalError(`the secret ${name} has no key ${BY_PATH_KEY}: add it`)
  return credentialsByPath(Buffer.from(text, 'base64').toString('utf8'), `${BY_PATH_KEY} of the secret ${name}`)
}

/** Reads a YAML map of folders (or patterns for them) to credentials. A folder that is named goes before patterns, which are tried in their order by name. */
export function credentialsByPath(text: string, where: string): CredentialsByFolder {
  const map = readMap(text, where)
  const sets = new Map(Object.entries(map).map(([path, value]) => [path, readSet(value, `${path} in ${where}`)]))
  const patterns = [...sets.keys()].sort(compareUtf8)
  return (folder) => {
    const pattern = sets.has(folder) ? folder : patterns.find((one) => matches(one, folder, where))
    return (pattern !== undefined && sets.get(pattern)) || {}
  }
}

function matches(pattern: string, folder: string, where: string): boolean {
  try {
    return matchPath(pattern, folder)
  } catch (error) {
    if (!(error instanceof BadPatternError)) throw error
    throw new TerminalError(`${where}: ${error.message}`)
  }
}

/** What a YAML parser says of a broken file may quote it, so it is not repeated. */
function readMap(text: string, where: string): Record<string, unknown> {
  try {
    const value = parseYaml(text, { maxBytes: MAX_BY_PATH_BYTES })
    if (value === null) return {}
    if (isMap(value)) return value
  } catch (error) {
    if (!(error instanceof YamlError)) throw error
    throw new TerminalError(`${where} is no valid YAML (line ${error.line})`)
  }
  throw new TerminalError(`${where} is no map of folders`)
}

function readSet(value: unknown, where: string): ChartCredentials {
  if (!isMap(value)) throw new TerminalError(`${where} is no map with username, password or caBundle`)
  const fields = new Map(Object.entries(value).map(([key, field]) => [key.toLowerCase(), field]))
  const text = (key: string): string => {
    const field = fields.get(key)
    return typeof field === 'string' ? field : typeof field === 'number' ? String(field) : ''
  }
  return checkLogin(
    {
      username: text('username'),
      password: text('password'),
      caBundle: decoded(text('cabundle')),
      insecureSkipTLSVerify: fields.get('insecureskipverify') === true,
      basicHTTP: fields.get('basichttp') === true,
      sshPrivateKey: decoded(text('sshprivatekey')),
      sshKnownHosts: decoded(text('sshknownhosts')),
    },
    where,
  )
}

function decoded(base64: string): string {
  return Buffer.from(base64, 'base64').toString('utf8')
}
