// Helm values that a Bundle keeps in the secret of its name (spec 2.7 step 3).
import type { Bundle, BundleTarget } from '../api/bundle.ts'
import type { HelmOptions } from '../api/bundle-deployment-options.ts'
import { BUNDLE_VALUES_KEY } from '../api/values-secret.ts'
import { TerminalError, WaitingError } from '../lib/controller/errors.ts'
import { keyOf } from '../lib/controller/keys.ts'
import { parseGoJson } from '../lib/json/go-json.ts'
import type { KubeClient } from '../lib/kube/client.ts'
import type { Informer } from '../lib/kube/informer.ts'
import { type DigestedSecret, hashBundleSecret, SECRET, type Secret, textAt } from './secrets.ts'

const RETRY_MS = 5_000

/**
 * The bundle with the values of its secret in its spec; the bundle itself if it has none there. Asks the API server once the cache says that the right secret is there.
 * Throws WaitingError while the secret is missing or has other contents than the bundle asks for, TerminalError if it cannot be read.
 */
export async function withValues(bundle: Bundle, secrets: Informer<DigestedSecret>, client: KubeClient): Promise<Bundle> {
  const { valuesHash } = bundle.spec
  if (!valuesHash) return bundle
  const { name, namespace = '' } = bundle.metadata
  const known = secrets.get(name, namespace)
  if (!known) throw waiting(`waiting for secret ${namespace}/${name} with the helm values of the bundle`)
  if (known.digest !== valuesHash) throw mismatch(bundle)
  const secret = await client.get<Secret>({ ...SECRET, name, namespace })
  if (hashBundleSecret(secret) !== valuesHash) throw mismatch(bundle)
  return fillIn(bundle, secret)
}

function mismatch(bundle: Bundle): WaitingError {
  return waiting(`waiting for the helm values that spec.valuesHash asks for: secret ${keyOf(bundle)} has others`)
}

function waiting(message: string): WaitingError {
  return new WaitingError(message, { retryAfterMs: RETRY_MS })
}

function fillIn(bundle: Bundle, secret: Secret): Bundle {
  const valuesUnder = (key: string) => parseValues(secret, key)
  const targets = bundle.spec.targets?.map((target) =>
    withHelmValues<BundleTarget>(target, target.name ? valuesUnder(target.name) : undefined),
  )
  return { ...bundle, spec: withHelmValues({ ...bundle.spec, targets }, valuesUnder(BUNDLE_VALUES_KEY)) }
}

function withHelmValues<T extends { helm?: HelmOptions | undefined }>(options: T, values: HelmOptions['values']): T {
  return values ? { ...options, helm: { ...options.helm, values } } : options
}

function parseValues(secret: Secret, key: string): HelmOptions['values'] {
  if (!Object.hasOwn(secret.data ?? {}, key) || textAt(secret, key) === '') return undefined
  const values = parse(secret, key)
  if (values === null) return undefined
  if (typeof values !== 'object' || Array.isArray(values)) throw unreadable(secret, key)
  return values as Record<string, unknown>
}

function parse(secret: Secret, key: string): unknown {
  try {
    return parseGoJson(textAt(secret, key))
  } catch {
    throw unreadable(secret, key) // the message of the parser quotes what may be secret
  }
}

function unreadable(secret: Secret, key: string): TerminalError {
  return new TerminalError(`secret ${keyOf(secret)} holds no helm values under ${JSON.stringify(key)}: a JSON object is expected`)
}
