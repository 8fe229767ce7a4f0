// What an ImageScan asks which registry, and with which credentials.
import { createHash } from 'node:crypto'
import type { ImageScan } from '../api/image-scan.ts'
import { TerminalError } from '../lib/controller/errors.ts'
import type { KubeObject } from '../lib/kube/types.ts'
import { OciError } from '../lib/oci/errors.ts'
import { parseImage, type RepositoryName } from '../lib/oci/reference.ts'
import type { RegistryAccess } from '../lib/oci/types.ts'
import { CONFIG_KEY, loginIn } from './docker-config.ts'
import { registryRepository, shownHost } from './hub-names.ts'

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
/** PEM certificates of the registry's authority, beside its credentials. */
const CERTIFICATES_KEY = 'cacerts'

/** `secret` is the one that the scan names, undefined if it does not exist. Throws TerminalError for what cannot be used. */
export function questionOf({ metadata, spec }: ImageScan, secret: Secret | undefined): Question {
  const repository = repositoryOf(spec.image)
  const access = spec.secretRef?.name ? accessOf(secret, spec.secretRef.name, metadata.namespace ?? '', repository) : {}
  const { host, path } = repository
  return {
    id: createHash('sha256')
      .update(JSON.stringify([host, path, access.credentials ?? null, access.identityToken ?? '', access.caBundle ?? '']))
      .digest('base64url'),
    repository,
    access,
    canonical: `${shownHost(host)}/${path}`,
  }
}

/** A tag or digest behind the image does not matter. */
function repositoryOf(image: string): RepositoryName {
  try {
    return registryRepository(parseImage(image))
  } catch (error) {
    if (error instanceof OciError) throw new TerminalError(`image: ${error.message}`)
    throw error
  }
}

function accessOf(secret: Secret | undefined, name: string, namespace: string, repository: RepositoryName): RegistryAccess {
  if (!secret) throw new TerminalError(`Secret "${name}" not found: create it in namespace ${namespace}, or name another in secretRef`)
  if (secret.type !== DOCKER_CONFIG)
    throw new TerminalError(`secret "${name}" is of type "${secret.type ?? 'Opaque'}": it has to be ${DOCKER_CONFIG}`)
  const login = loginIn(textOf(secret, CONFIG_KEY), name, repository)
  const caBundle = textOf(secret, CERTIFICATES_KEY)
  return { ...login, ...(caBundle ? { caBundle } : {}) }
}

function textOf({ data }: Secret, key: string): string {
  return Buffer.from(data?.[key] ?? '', 'base64').toString('utf8')
}
