// Contents in an OCI registry: the secret that says where and with which credentials, and what an artifact looks like (spec 5.6).
import type { Artifact } from '../lib/oci/artifact.ts'
import { parseRepository, type RepositoryName } from '../lib/oci/reference.ts'
import type { RegistryAccess } from '../lib/oci/types.ts'

/** What a secret of the type `OCI_STORAGE_SECRET` says. */
export interface OciStorage {
  /** `host/path`, without slashes at its end */
  readonly reference: string
  /** of whoever pushes and deletes */
  readonly access: RegistryAccess
  /** of agents: their own credentials, or those of whoever pushes where there are no others */
  readonly agentAccess: RegistryAccess
}

/** Keys of the secret; values are base64. */
type Data = Readonly<Record<string, string>> | undefined

/** What is copied to clusters besides credentials. */
const SHARED_KEYS = ['reference', 'basicHTTP', 'insecureSkipTLS', 'cacerts'] as const
const ALL_KEYS = [...SHARED_KEYS, 'username', 'password', 'agentUsername', 'agentPassword'] as const
/** The tag of all artifacts. */
export const ARTIFACT_TAG = 'latest'

/** Reads the data of a secret; `name` is for messages. Throws an Error that says what is wrong with it. */
export function parseOciStorage(data: Data, name: string): OciStorage {
  const reference = textOf(data, 'reference')
    .trim()
    .replace(/^oci:\/\//i, '')
    .replace(/\/+$/, '')
  if (reference === '') throw new Error(`secret ${name}: the key reference is missing: set it to host/path of a registry`)
  const [username, password] = [textOf(data, 'username'), textOf(data, 'password')]
  const agent = agentCredentials(data)
  if (agent && agent.password === '') throw new Error(`secret ${name}: agentUsername has no agentPassword: set both, or neither`)
  const common = {
    basicHttp: flagOf(data, 'basicHTTP', name),
    insecureSkipTLSVerify: flagOf(data, 'insecureSkipTLS', name),
    caBundle: textOf(data, 'cacerts') || undefined,
  }
  const own = username === '' && password === '' ? undefined : { username, password }
  return { reference, access: { ...common, credentials: own }, agentAccess: { ...common, credentials: agent ?? own } }
}

/** The data of a secret as far as Fleet knows it: what is kept beside a bundle. */
export function storageData(data: Data): Record<string, string> {
  return pick(data, ALL_KEYS)
}

/** The data that clusters get: never the credentials of whoever pushes, unless there are no others. Applied twice it changes nothing. */
export function agentStorageData(data: Data): Record<string, string> {
  const agent = agentCredentials(data)
  if (!agent) return pick(data, [...SHARED_KEYS, 'username', 'password'])
  const encoded = Object.entries({ agentUsername: agent.username, agentPassword: agent.password }).map(([key, text]) => [key, encode(text)])
  return { ...pick(data, SHARED_KEYS), ...Object.fromEntries(encoded) }
}

/** The repository of an artifact. Throws OciError. */
export function artifactRepository(reference: string, id: string): RepositoryName {
  return parseRepository(`${reference}/${id}`)
}

/** What marks the layer of an artifact. */
export function artifactAnnotations(id: string): Record<string, string> {
  return { id }
}

/** The artifact of contents; `json` is what has the id. */
export function artifactOf(id: string, json: string): Artifact {
  return {
    artifactType: 'application/fleet.manifest',
    mediaType: 'application/fleet.file',
    annotations: artifactAnnotations(id),
    bytes: Buffer.from(json),
  }
}

/** A password alone is one for the user who pushes. */
function agentCredentials(data: Data): { username: string; password: string } | undefined {
  const [username, password] = [textOf(data, 'agentUsername'), textOf(data, 'agentPassword')]
  if (username === '' && password === '') return undefined
  return { username: username || textOf(data, 'username'), password }
}

function pick(data: Data, keys: readonly string[]): Record<string, string> {
  return Object.fromEntries(keys.flatMap((key) => (data && Object.hasOwn(data, key) ? [[key, data[key] ?? '']] : [])))
}

function textOf(data: Data, key: string): string {
  return Buffer.from(pick(data, [key])[key] ?? '', 'base64').toString('utf8')
}

function encode(text: string): string {
  return Buffer.from(text).toString('base64')
}

/** As Go reads booleans. */
function flagOf(data: Data, key: string, name: string): boolean {
  const text = textOf(data, key).trim()
  if (/^(?:1|t|true|T|TRUE|True)$/.test(text)) return true
  if (text === '' || /^(?:0|f|false|F|FALSE|False)$/.test(text)) return false
  throw new Error(`secret ${name}: ${key} is neither true nor false: correct it`)
}
