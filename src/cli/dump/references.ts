// What objects refer to: the secrets they read, the contents they deploy.
import type { Bundle } from '../../api/bundle.ts'
import type { BundleDeployment } from '../../api/bundle-deployment.ts'
import type { GitRepo } from '../../api/git-repo.ts'
import type { HelmOp } from '../../api/helm-op.ts'
import { CONTENT_NAME_LABEL, DEFAULT_GIT_SECRET_NAME, DEFAULT_OCI_SECRET_NAME } from '../../api/labels.ts'

/** Names of the secrets of a GitRepo, in its namespace. */
export function secretsOfGitRepo({ spec }: GitRepo): string[] {
  const { clientSecretName, helmSecretName, helmSecretNameForPaths, ociRegistrySecret, webhookSecret } = spec
  const named = [helmSecretName, helmSecretNameForPaths, webhookSecret].filter((name) => name !== undefined)
  return [clientSecretName || DEFAULT_GIT_SECRET_NAME, ociRegistrySecret || DEFAULT_OCI_SECRET_NAME, ...named]
}

/** Names of the secrets of a Bundle, in its namespace: where its values and chart come from, and its own values. */
export function secretsOfBundle({ metadata, spec }: Bundle): string[] {
  const values = (spec.helm?.valuesFrom ?? []).map(({ secretKeyRef }) => secretKeyRef?.name)
  const copied = (spec.downstreamResources ?? []).filter(({ kind }) => kind?.toLowerCase() === 'secret').map(({ name }) => name)
  return [metadata.name, spec.helmOpOptions?.helmOpSecretName, spec.contentsId, ...values, ...copied].filter((name) => name !== undefined)
}

/** Names of the secrets of a HelmOp, in its namespace. */
export function secretsOfHelmOp({ spec }: HelmOp): string[] {
  return spec.helmSecretName ? [spec.helmSecretName] : []
}

/** The Content of a deployment (spec 12, 9.1); undefined if its files lie elsewhere. */
export function contentOf({ metadata }: BundleDeployment): string | undefined {
  return metadata.labels?.[CONTENT_NAME_LABEL] || undefined
}
