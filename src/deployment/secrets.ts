// Secrets of helm values as they are cached: without data, with a digest of it.
import { createHash } from 'node:crypto'
import { BUNDLE_DEPLOYMENT_SECRET, BUNDLE_VALUES_SECRET } from '../api/labels.ts'
import { marshalGoJson } from '../lib/json/go-json.ts'
import type { InformerOptions } from '../lib/kube/informer.ts'
import type { KubeObject, ResourceType } from '../lib/kube/types.ts'

export const SECRET: ResourceType = { apiVersion: 'v1', kind: 'Secret' }

export interface Secret extends KubeObject {
  type?: string
  /** Key → base64. */
  data?: Record<string, string>
}

/** A secret whose data is replaced by its digest in the cache. */
export interface DigestedSecret extends Secret {
  digest?: string
}

/** Keys of a deployment's secret. */
export const VALUES_KEY = 'values'
export const STAGED_VALUES_KEY = 'stagedValues'

/** Secrets with the values of deployments. */
export const deploymentSecrets: InformerOptions<DigestedSecret> = {
  type: SECRET,
  fieldSelector: `type=${BUNDLE_DEPLOYMENT_SECRET}`,
  project: digestDeploymentSecret,
}

/** Secrets with the values of bundles. */
export const bundleSecrets: InformerOptions<DigestedSecret> = {
  type: SECRET,
  fieldSelector: `type=${BUNDLE_VALUES_SECRET}`,
  project: digestBundleSecret,
}

/** Hash over the texts of a deployment's secret, as in `BundleDeployment.spec.valuesHash`: empty without values (spec 0.3). */
export function hashTexts(values: string, stagedValues: string): string {
  return values === '' && stagedValues === '' ? '' : sha256(values + stagedValues)
}

/** Text under a key; empty if there is none. */
export function textAt(secret: Secret, key: string): string {
  return Buffer.from(secret.data?.[key] ?? '', 'base64').toString('utf8')
}

/** Hash over a bundle's secret, as in `Bundle.spec.valuesHash` (spec 0.3). */
export function hashBundleSecret(secret: Secret): string {
  return sha256(marshalGoJson(secret.data ?? {}))
}

/** As {@link deploymentSecrets} caches it. */
export function digestDeploymentSecret(secret: DigestedSecret): DigestedSecret {
  return digested(secret, hashTexts(textAt(secret, VALUES_KEY), textAt(secret, STAGED_VALUES_KEY)))
}

function digestBundleSecret(secret: DigestedSecret): DigestedSecret {
  return digested(secret, hashBundleSecret(secret))
}

function digested({ data: _, ...secret }: DigestedSecret, digest: string): DigestedSecret {
  return { ...secret, digest }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
