// Reads kubeconfig text into the one cluster, user and namespace of a context. Field names stay those of the file.

import { isAbsolute, resolve, sep } from 'node:path'
import { isMap } from '../json/is-map.ts'
import { parseYaml } from '../yaml/parse.ts'

/** A kubeconfig that cannot be used. The message names the file and the field; never a value of a credential. */
export class KubeconfigError extends Error {
  override readonly name = 'KubeconfigError'
}

/** `clusters[].cluster`, as far as we use it. Paths are absolute. */
export interface ClusterEntry {
  server: string
  'certificate-authority'?: string
  'certificate-authority-data'?: string
  'insecure-skip-tls-verify'?: boolean
  'tls-server-name'?: string
  'proxy-url'?: string
}

/** `users[].user`, as far as we use it. Paths are absolute. */
export interface UserEntry {
  token?: string
  tokenFile?: string
  'client-certificate'?: string
  'client-certificate-data'?: string
  'client-key'?: string
  'client-key-data'?: string
  username?: string
  password?: string
  as?: string
  'as-uid'?: string
  'as-groups'?: string[]
  'as-user-extra'?: Record<string, string[]>
  exec?: ExecEntry
  'auth-provider'?: { name: string; config?: Record<string, string> }
}

/** `users[].user.exec`: a program that prints credentials. */
export interface ExecEntry {
  apiVersion: string
  command: string
  args?: string[] | null
  env?: { name: string; value: string }[] | null
  provideClusterInfo?: boolean
  interactiveMode?: string
  installHint?: string
}

/** What a context comes down to. */
export interface KubeconfigContext {
  cluster: ClusterEntry
  user: UserEntry
  namespace: string | undefined
}

/** One text to read; the first of several wins where they say different things, as with KUBECONFIG=a:b. */
export interface KubeconfigSource {
  text: string
  /** For messages. */
  name: string
  /** Folder that relative paths start from. */
  folder?: string | undefined
}

/** Largest kubeconfig that is read, in bytes. */
export const MAX_KUBECONFIG_BYTES = 2 ** 20

const CLUSTER_TEXTS = ['server', 'certificate-authority', 'certificate-authority-data', 'tls-server-name', 'proxy-url'] as const
const CLUSTER_PATHS = ['certificate-authority'] as const
const USER_TEXTS = [
  'token',
  'tokenFile',
  'client-certificate',
  'client-certificate-data',
  'client-key',
  'client-key-data',
  'username',
  'password',
  'as',
  'as-uid',
] as const
const USER_PATHS = ['tokenFile', 'client-certificate', 'client-key'] as const

interface Named {
  readonly name: string
  readonly value: Record<string, unknown>
  readonly source: KubeconfigSource
}

interface Parsed {
  readonly current: string | undefined
  readonly contexts: readonly Named[]
  readonly clusters: readonly Named[]
  readonly users: readonly Named[]
}

/** The entries of the context with that name, otherwise of the current one, otherwise of the only one. Throws KubeconfigError. */
export function readKubeconfig(sources: readonly KubeconfigSource[], contextName?: string): KubeconfigContext {
  const parsed = sources.map(parseSource)
  const origin = sources.map((source) => source.name).join(', ')
  const contexts = parsed.flatMap((part) => part.contexts)
  const current = contextName || parsed.find((part) => part.current)?.current || (contexts.length === 1 ? contexts[0]?.name : undefined)
  if (!current) throw new KubeconfigError(`${origin}: no current-context is set: choose one of ${names(contexts)}`)
  const context = pick(contexts, current, 'context', origin).value
  const clusters = parsed.flatMap((part) => part.clusters)
  const users = parsed.flatMap((part) => part.users)
  const clusterName = text(context, 'cluster', `${origin}: context ${current}`) ?? ''
  const userName = text(context, 'user', `${origin}: context ${current}`)
  return {
    cluster: clusterEntry(pick(clusters, clusterName, 'cluster', origin)),
    user: userName ? userEntry(pick(users, userName, 'user', origin)) : {},
    namespace: text(context, 'namespace', `${origin}: context ${current}`) || undefined,
  }
}

function parseSource(source: KubeconfigSource): Parsed {
  if (Buffer.byteLength(source.text) > MAX_KUBECONFIG_BYTES)
    throw new KubeconfigError(`${source.name}: a kubeconfig has at most ${MAX_KUBECONFIG_BYTES} bytes`)
  let value: unknown
  try {
    value = parseYaml(source.text, { maxBytes: MAX_KUBECONFIG_BYTES })
  } catch {
    // the parser's message quotes the text, which holds credentials
    throw new KubeconfigError(`${source.name}: is not valid YAML`)
  }
  if (!isMap(value)) throw new KubeconfigError(`${source.name}: is not a kubeconfig`)
  return {
    current: text(value, 'current-context', source.name),
    contexts: namedList(value, 'contexts', 'context', source),
    clusters: namedList(value, 'clusters', 'cluster', source),
    users: namedList(value, 'users', 'user', source),
  }
}

function namedList(root: Record<string, unknown>, field: string, inner: string, source: KubeconfigSource): Named[] {
  const list = root[field] ?? []
  if (!Array.isArray(list)) throw new KubeconfigError(`${source.name}: ${field} must be a list`)
  return list.map((item: unknown) => {
    const value = isMap(item) ? (item[inner] ?? {}) : undefined
    if (!isMap(item) || typeof item.name !== 'string' || !isMap(value))
      throw new KubeconfigError(`${source.name}: each of ${field} must have a name and a ${inner}`)
    return { name: item.name, value, source }
  })
}

function pick(list: readonly Named[], name: string, what: string, origin: string): Named {
  const found = list.find((item) => item.name === name)
  if (!found) throw new KubeconfigError(`${origin}: there is no ${what} "${name}", only ${names(list)}`)
  return found
}

function names(list: readonly Named[]): string {
  return list.length === 0
    ? 'none'
    : list
        .map((item) => `"${item.name}"`)
        .slice(0, 10)
        .join(', ')
}

function clusterEntry({ name, value, source }: Named): ClusterEntry {
  const where = `${source.name}: cluster ${name}`
  const entry: Record<string, unknown> = texts(value, CLUSTER_TEXTS, where)
  if (value['insecure-skip-tls-verify'] === true) entry['insecure-skip-tls-verify'] = true
  if (typeof entry.server !== 'string') throw new KubeconfigError(`${where}: has no server`)
  entry.server = serverUrl(entry.server, where)
  return absolute(entry, CLUSTER_PATHS, source) as unknown as ClusterEntry
}

function serverUrl(server: string, where: string): string {
  const url = URL.parse(/^https?:\/\//.test(server) ? server : `https://${server}`)
  if (!url) throw new KubeconfigError(`${where}: server is not a URL`)
  if (url.username || url.password) throw new KubeconfigError(`${where}: credentials belong into the user, not into the URL of the server`)
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`
}

function userEntry({ name, value, source }: Named): UserEntry {
  const where = `${source.name}: user ${name}`
  const entry: Record<string, unknown> = texts(value, USER_TEXTS, where)
  if (value['as-groups'] != null) entry['as-groups'] = textList(value['as-groups'], `${where}: as-groups`)
  if (isMap(value['as-user-extra'])) {
    const extra = Object.entries(value['as-user-extra'])
    entry['as-user-extra'] = Object.fromEntries(extra.map(([key, list]) => [key, textList(list, `${where}: as-user-extra`)]))
  }
  if (value.exec != null) entry.exec = execEntry(value.exec, `${where}: exec`, source)
  if (value['auth-provider'] != null) entry['auth-provider'] = authProviderEntry(value['auth-provider'], `${where}: auth-provider`)
  return absolute(entry, USER_PATHS, source) as UserEntry
}

function execEntry(value: unknown, where: string, source: KubeconfigSource): ExecEntry {
  if (!isMap(value) || typeof value.command !== 'string' || value.command === '') throw new KubeconfigError(`${where}: has no command`)
  const env = Array.isArray(value.env) ? value.env : []
  if (!env.every((item: unknown) => isMap(item) && typeof item.name === 'string' && typeof item.value === 'string'))
    throw new KubeconfigError(`${where}: each env needs a name and a value, both text`)
  // without a separator the command is looked up in PATH
  const relative = source.folder && value.command.includes(sep) && !isAbsolute(value.command)
  return {
    ...value,
    apiVersion: text(value, 'apiVersion', where) ?? '',
    command: relative ? resolve(source.folder ?? '', value.command) : value.command,
    args: value.args == null ? [] : textList(value.args, `${where}: args`),
    env,
  }
}

function authProviderEntry(value: unknown, where: string): NonNullable<UserEntry['auth-provider']> {
  if (!isMap(value) || typeof value.name !== 'string') throw new KubeconfigError(`${where}: has no name`)
  const config = isMap(value.config) ? value.config : {}
  return { name: value.name, config: texts(config, Object.keys(config), where) }
}

function texts(map: Record<string, unknown>, fields: readonly string[], where: string): Record<string, string> {
  const found: Record<string, string> = {}
  for (const field of fields) {
    const value = text(map, field, where)
    if (value) found[field] = value
  }
  return found
}

function text(map: Record<string, unknown>, field: string, where: string): string | undefined {
  const value = map[field]
  if (value == null) return undefined
  if (typeof value !== 'string') throw new KubeconfigError(`${where}: ${field} must be text`)
  return value
}

function textList(value: unknown, where: string): string[] {
  if (!Array.isArray(value) || !value.every((item) => typeof item === 'string'))
    throw new KubeconfigError(`${where} must be a list of texts`)
  return value
}

function absolute(entry: Record<string, unknown>, fields: readonly string[], source: KubeconfigSource): Record<string, unknown> {
  for (const field of fields) {
    const path = entry[field]
    if (typeof path === 'string' && source.folder) entry[field] = resolve(source.folder, path)
  }
  return entry
}
