// Helm values are kept out of Bundles and BundleDeployments: they lie in secrets beside them, and the spec only has a hash (spec 0.2, 0.3).
import { createHash } from 'node:crypto'
import { marshalGoJson } from '../lib/json/go-json.ts'
import type { BundleSpec } from './bundle.ts'
import type { BundleDeploymentSpec } from './bundle-deployment.ts'
import type { BundleDeploymentOptions } from './bundle-deployment-options.ts'

/** Key of the bundle's own values; those of a target lie under its name. */
export const BUNDLE_VALUES_KEY = 'values.yaml'

/** Values of a bundle as its secret holds them. */
export interface BundleValues {
  /** Hash over all of it; empty when there are no values and so no secret. */
  readonly hash: string
  /** Key → JSON of the values. */
  readonly data: Record<string, string>
}

/** The values of a bundle and of its targets. Throws when a target with values has no name: it would have no key. */
export function bundleValues(spec: Pick<BundleSpec, 'helm' | 'targets'>): BundleValues {
  const data: Record<string, string> = {}
  const own = valuesOf(spec)
  if (own) data[BUNDLE_VALUES_KEY] = own
  for (const [index, target] of (spec.targets ?? []).entries()) {
    const values = valuesOf(target)
    if (values && !target.name) throw new Error(`target ${index} has helm values but no name: give it a name`)
    if (values && target.name) data[target.name] = values
  }
  if (Object.keys(data).length === 0) return { hash: '', data }
  const bytes = Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')]))
  return { hash: sha256(marshalGoJson(bytes)), data }
}

/** Values of a BundleDeployment as its secret holds them: JSON, empty where there are none. */
export interface DeploymentValues {
  /** Empty when there are no values and so no secret. */
  readonly hash: string
  readonly values: string
  readonly stagedValues: string
}

/** The values of a BundleDeployment's two versions. */
export function deploymentValues(spec: Pick<BundleDeploymentSpec, 'options' | 'stagedOptions'>): DeploymentValues {
  const values = valuesOf(spec.options)
  const stagedValues = valuesOf(spec.stagedOptions)
  return { hash: values + stagedValues === '' ? '' : sha256(values + stagedValues), values, stagedValues }
}

function valuesOf(options: Pick<BundleDeploymentOptions, 'helm'> | undefined): string {
  const values = options?.helm?.values
  return values && Object.keys(values).length > 0 ? marshalGoJson(values) : ''
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
