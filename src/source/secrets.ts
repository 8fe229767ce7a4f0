// The secrets that a GitRepo names: where to find them, and the hashes by which a change is noticed (spec 8.1 #6).
import type { GitRepo } from '../api/git-repo.ts'
import {
  CLIENT_SECRET_HASH_ANNOTATION,
  DEFAULT_GIT_SECRET_NAME,
  DEFAULT_OCI_SECRET_NAME,
  FLEET_PREFIX,
  HELM_SECRET_FOR_PATHS_HASH_ANNOTATION,
  HELM_SECRET_HASH_ANNOTATION,
} from '../api/labels.ts'
import { secretHash } from '../api/secret-hash.ts'
import { TerminalError } from '../lib/controller/errors.ts'
import { keyOf } from '../lib/controller/keys.ts'
import type { KubeClient } from '../lib/kube/client.ts'
import type { Informer } from '../lib/kube/informer.ts'
import type { KubeObject } from '../lib/kube/types.ts'

/** The registry that files were stored in when the repository was read last; without it, a change while nobody looked would go unnoticed. */
const OCI_SECRET_HASH_ANNOTATION = `${FLEET_PREFIX}oci-registry-secret-hash`

export const SECRET = { apiVersion: 'v1', kind: 'Secret' } as const

/** A Kubernetes secret; values are base64. */
export interface Secret extends KubeObject {
  type?: string
  data?: Record<string, string>
}

/** The secrets of a GitRepo, as far as they exist. */
export interface RepoSecrets {
  /** The named one, or the default one if none is named. */
  readonly client: Secret | undefined
  readonly helm: Secret | undefined
  readonly helmForPaths: Secret | undefined
  /** The one with the registry for files: the named one, or the default one if none is named. */
  readonly oci?: Secret | undefined
}

/** Keys of all secrets whose change concerns the GitRepo. */
export function secretKeysOf({ metadata: { namespace }, spec }: GitRepo): string[] {
  const names = [spec.clientSecretName || DEFAULT_GIT_SECRET_NAME, spec.helmSecretName, spec.helmSecretNameForPaths, ociSecretName(spec)]
  return names.filter((name) => name !== undefined && name !== '').map((name) => keyOf({ namespace, name: name ?? '' }))
}

function ociSecretName(spec: GitRepo['spec']): string {
  return spec.ociRegistrySecret || DEFAULT_OCI_SECRET_NAME
}

/** Reads secrets: their metadata is cached, so that only one that has changed costs a request. */
export interface SecretReader {
  read(gitRepo: GitRepo): Promise<RepoSecrets>
}

export function createSecretReader(client: KubeClient, metadata: Informer<KubeObject>): SecretReader {
  const known = new Map<string, Secret>()
  metadata.subscribe(({ type, object }) => {
    if (type === 'deleted') known.delete(keyOf(object))
  })

  async function find(namespace: string | undefined, name: string | undefined): Promise<Secret | undefined> {
    if (!name) return undefined
    const cached = metadata.get(name, namespace)
    if (!cached) return undefined
    const key = keyOf(cached)
    const old = known.get(key)
    if (old && old.metadata.resourceVersion === cached.metadata.resourceVersion) return old
    const secret = await client.find<Secret>({ ...SECRET, name, ...(namespace ? { namespace } : {}) })
    if (secret) known.set(key, secret)
    return secret
  }

  return {
    async read({ metadata: { namespace }, spec }) {
      const [clientSecret, helm, helmForPaths, oci] = await Promise.all([
        find(namespace, spec.clientSecretName || DEFAULT_GIT_SECRET_NAME),
        find(namespace, spec.helmSecretName),
        find(namespace, spec.helmSecretNameForPaths),
        find(namespace, ociSecretName(spec)),
      ])
      return { client: clientSecret, helm, helmForPaths, oci }
    },
  }
}

/** The annotations a GitRepo should have for its secrets: a hash, or null where none is named or there. The default git secret leaves no trace. */
export function hashAnnotations({ spec }: GitRepo, secrets: RepoSecrets): Record<string, string | null> {
  const hashOf = (secret: Secret | undefined): string | null => (secret ? secretHash(secret.data) : null)
  return {
    [CLIENT_SECRET_HASH_ANNOTATION]: spec.clientSecretName ? hashOf(secrets.client) : null,
    [HELM_SECRET_HASH_ANNOTATION]: hashOf(secrets.helm),
    [HELM_SECRET_FOR_PATHS_HASH_ANNOTATION]: hashOf(secrets.helmForPaths),
    [OCI_SECRET_HASH_ANNOTATION]: hashOf(secrets.oci),
  }
}

/** Those of `wanted` that the GitRepo's annotations differ from, as a merge patch; undefined if there are none. */
export function annotationChanges(
  { metadata }: GitRepo,
  wanted: Readonly<Record<string, string | null>>,
): Record<string, string | null> | undefined {
  const changes = Object.entries(wanted).filter(([name, value]) => (metadata.annotations?.[name] ?? null) !== value)
  return changes.length > 0 ? Object.fromEntries(changes) : undefined
}

/** Whether one of the changes is of a secret for chart downloads or of the registry for files; that of the git secret is no reason to read again. */
export function hasChartSecretChanged(changes: Readonly<Record<string, unknown>> | undefined): boolean {
  return Object.keys(changes ?? {}).some((name) => name !== CLIENT_SECRET_HASH_ANNOTATION)
}

/** What of the hashes decides how charts are downloaded, and where files are stored. */
export function chartSecretsId(hashes: Readonly<Record<string, string | null>>): string {
  return JSON.stringify([
    hashes[HELM_SECRET_HASH_ANNOTATION],
    hashes[HELM_SECRET_FOR_PATHS_HASH_ANNOTATION],
    hashes[OCI_SECRET_HASH_ANNOTATION],
  ])
}

/** A secret for charts that is named and missing; of two only the one that wins is needed. */
export function chartSecretProblem({ metadata, spec }: GitRepo, secrets: RepoSecrets): TerminalError | undefined {
  const [field, name, secret] = spec.helmSecretNameForPaths
    ? (['helmSecretNameForPaths', spec.helmSecretNameForPaths, secrets.helmForPaths] as const)
    : (['helmSecretName', spec.helmSecretName, secrets.helm] as const)
  if (!name || secret) return undefined
  return new TerminalError(
    `error validating external secrets: failed to look up ${field}: Secret "${name}" not found: create it in namespace ${metadata.namespace}, or name another`,
  )
}
