// What an ImageScan asks which registry, and with which credentials.
import { createHash } from 'node:crypto'
import type { ImageScan } from '../api/image-scan.ts'
import { TerminalError } from '../lib/controller/errors.ts'
import type { KubeObject } from '../lib/kube/types.ts'
import { OciError } from '../lib/oci/errors.ts'
import { parseImage, type RepositoryName } from '../lib/oci/reference.ts'
import type { RegistryAccess } from '../lib/oci/types.ts'

/** A Kubernetes secret; values are base64. */
export interface Secret extends KubeObject {
  type?: string
  data?: Record<string, string>
}

export interface Question {
  /** The same for who asks the same with the same credentials; tells nothing about them. */
  readonly id: string
  readonly repository: RepositoryName
  readonly access: RegistryAccess
  /** The image with its registry spelled out (`status.canonicalImageName`). */
  readonly canonical: string
}

const DOCKER_CONFIG = 'kubernetes.io/dockerconfigjson'
const CONFIG_KEY = '.dockerconfigjson'
/** PEM certificates of the registry's authority, beside its credentials. */
const CERTIFICATES_KEY = 'cacerts'
const DOCKER_HUB = 'docker.io'
/** As everybody else spells it out. */
const CANONICAL_HUB = 'index.docker.io'
const HUB_NAMES = new Set([DOCKER_HUB, CANONICAL_HUB, 'registry-1.docker.io'])

/** `secret` is the one that the scan names, undefined if it does not exist. Throws TerminalError for what cannot be used. */
export function questionOf({ metadata, spec }: ImageScan, secret: Secret | undefined): Question {
  const repository = repositoryOf(spec.image)
  const access = spec.secretRef?.name ? accessOf(secret, spec.secretRef.name, metadata.namespace ?? '', repository) : {}
  const { host, path } = repository
  return {
    id: createHash('sha256')
      .update(JSON.stringify([host, path, access.credentials ?? null, access.caBundle ?? '']))
      .digest('base64url'),
    repository,
    access,
    canonical: `${host === DOCKER_HUB ? CANONICAL_HUB : host}/${path}`,
  }
}

/** A tag or digest behind the image does not matter. */
function repositoryOf(image: string): RepositoryName {
  try {
    const { host, path } = parseImage(image)
    return { host: HUB_NAMES.has(host) ? DOCKER_HUB : host, path: path }
  } catch (error) {
    if (error instanceof OciError) throw new TerminalError(`image: ${error.message}`)
    throw error
  }
}

function accessOf(secret: Secret | undefined, name: string, namespace: string, repository: RepositoryName): RegistryAccess {
  if (!secret) throw new TerminalError(`Secret "${name}" not found: create it in namespace ${namespace}, or name another in secretRef`)
  if (secret.type !== DOCKER_CONFIG)
    throw new TerminalError(`secret "${name}" is of type "${secret.type ?? 'Opaque'}": it has to be ${DOCKER_CONFIG}`)
  const credentials = credentialsIn(secret, name, repository)
  const caBundle = textOf(secret, CERTIFICATES_KEY)
  return { credentials, ...(caBundle ? { caBundle } : {}) }
}

function credentialsIn(secret: Secret, name: string, repository: RepositoryName): { username: string; password: string } {
  const auths = authsOf(textOf(secret, CONFIG_KEY), name)
  const [best] = Object.entries(auths)
    .map(([key, entry]) => ({ ...placeOf(key), entry }))
    .filter(({ host, path }) => host === repository.host && isWithin(repository.path, path))
    .sort((a, b) => b.path.length - a.path.length)
  if (!best)
    throw new TerminalError(`secret "${name}" has no credentials for the registry ${shownHost(repository.host)}: add them under that name`)
  const found = loginOf(best.entry)
  if (found) return found
  throw new TerminalError(
    `secret "${name}" has neither auth nor username and password for the registry ${shownHost(repository.host)}: add them`,
  )
}

function authsOf(text: string, name: string): Record<string, unknown> {
  try {
    const { auths } = JSON.parse(text) as { auths?: unknown }
    if (typeof auths === 'object' && auths !== null) return auths as Record<string, unknown>
  } catch {
    // said below; the message of the parser may quote a password
  }
  throw new TerminalError(`secret "${name}" holds no registries under ${CONFIG_KEY}: make it with kubectl create secret docker-registry`)
}

/** Keys are hosts, `host/path`, or the addresses that docker writes: `https://index.docker.io/v1/`. */
function placeOf(key: string): { host: string; path: string } {
  const [host = '', ...rest] = key
    .replace(/^https?:\/\//i, '')
    .replace(/\/+$/, '')
    .split('/')
  const path = rest.join('/')
  const lower = host.toLowerCase()
  return { host: HUB_NAMES.has(lower) ? DOCKER_HUB : lower, path: /^v[12]$/.test(path) ? '' : path }
}

function isWithin(path: string, folder: string): boolean {
  return folder === '' || path === folder || path.startsWith(`${folder}/`)
}

function loginOf(entry: unknown): { username: string; password: string } | undefined {
  const { auth, username, password } = (entry ?? {}) as { auth?: unknown; username?: unknown; password?: unknown }
  if (typeof username === 'string' && username && typeof password === 'string') return { username, password }
  if (typeof auth !== 'string') return undefined
  const text = Buffer.from(auth, 'base64').toString('utf8')
  const colon = text.indexOf(':')
  return colon > 0 ? { username: text.slice(0, colon), password: text.slice(colon + 1).replace(/\0+$/, '') } : undefined
}

function shownHost(host: string): string {
  return host === DOCKER_HUB ? CANONICAL_HUB : host
}

function textOf({ data }: Secret, key: string): string {
  return Buffer.from(data?.[key] ?? '', 'base64').toString('utf8')
}
