// Where the values of a deployment come from: its options, the secret beside it on the hub, and objects of its own cluster (spec 7.1 step 3, 7.4).

import { createHash } from 'node:crypto'
import type { BundleDeployment } from '../api/bundle-deployment.ts'
import type { BundleDeploymentOptions, ValuesFrom } from '../api/bundle-deployment-options.ts'
import { WaitingError } from '../lib/controller/errors.ts'
import { isMap } from '../lib/json/is-map.ts'
import type { KubeClient } from '../lib/kube/client.ts'
import type { KubeObject } from '../lib/kube/types.ts'
import { YamlError } from '../lib/yaml/error.ts'
import { parseYaml } from '../lib/yaml/parse.ts'

export type Values = Record<string, unknown>

interface DataObject extends KubeObject {
  data?: Record<string, string>
}

const DEFAULT_KEY = 'values.yaml'
/** The hub writes the secret just after the deployment: the first looks may come too early. */
const SECRET_RETRY_MS = 1_000

/** The options with the values from the hub's secret, if the deployment carries the hash of one. Throws `WaitingError` while the secret does not fit. */
export async function withHubValues(hub: KubeClient, { metadata, spec }: BundleDeployment): Promise<BundleDeploymentOptions> {
  const options = spec.options ?? {}
  if (!spec.valuesHash) return options
  const { name, namespace } = metadata
  const secret = await hub.find<DataObject>({ apiVersion: 'v1', kind: 'Secret', name, ...(namespace ? { namespace } : {}) })
  if (!secret)
    throw new WaitingError(`the secret ${namespace}/${name} with the values is missing on the hub`, {
      reason: 'WaitingForValues',
      retryAfterMs: SECRET_RETRY_MS,
    })
  const [values, staged] = [decoded(secret, 'values'), decoded(secret, 'stagedValues')]
  const hash = createHash('sha256').update(values).update(staged).digest('hex')
  if (hash !== spec.valuesHash)
    throw new WaitingError(`the secret ${namespace}/${name} on the hub does not hold the values of this version`, {
      reason: 'WaitingForValues',
      retryAfterMs: SECRET_RETRY_MS,
    })
  return { ...options, helm: { ...options.helm, values: storedValues(values, `the secret ${namespace}/${name} on the hub`) } }
}

/** The parser's own message quotes what it reads, and that is secret. */
function storedValues(json: Buffer, source: string): Values {
  if (json.length === 0) return {}
  try {
    return JSON.parse(json.toString('utf8')) as Values
  } catch {
    throw new Error(`${source} does not hold values as JSON`)
  }
}

function decoded(secret: DataObject, key: string): Buffer {
  return Buffer.from(secret.data?.[key] ?? '', 'base64')
}

/**
 * The values of a release: those of the options, with those of `valuesFrom` merged over them in order; within an entry the secret comes last.
 * `client` has the rights of the deployment. Throws when an object or key is missing.
 */
export async function resolveValues(options: BundleDeploymentOptions, client: KubeClient, releaseNamespace: string): Promise<Values> {
  let values = asValues(options.helm?.values)
  for (const entry of options.helm?.valuesFrom ?? []) {
    for (const source of sourcesOf(entry)) values = mergeValues(values, await readSource(source, options, client, releaseNamespace))
  }
  return values
}

interface Source {
  kind: 'ConfigMap' | 'Secret'
  reference: NonNullable<ValuesFrom['configMapKeyRef']>
}

function sourcesOf({ configMapKeyRef, secretKeyRef }: ValuesFrom): Source[] {
  return [
    ...(configMapKeyRef ? [{ kind: 'ConfigMap' as const, reference: configMapKeyRef }] : []),
    ...(secretKeyRef ? [{ kind: 'Secret' as const, reference: secretKeyRef }] : []),
  ]
}

async function readSource(
  { kind, reference }: Source,
  options: BundleDeploymentOptions,
  client: KubeClient,
  releaseNamespace: string,
): Promise<Values> {
  const name = reference.name ?? ''
  const isCopied = options.downstreamResources?.some((copy) => copy.name === name && copy.kind?.toLowerCase() === kind.toLowerCase())
  const namespace = isCopied ? releaseNamespace : reference.namespace || releaseNamespace
  const key = reference.key || DEFAULT_KEY
  const object = await client.get<DataObject>({ apiVersion: 'v1', kind, name, namespace })
  const text = object.data?.[key]
  if (text === undefined)
    throw new Error(`key ${key} is missing from ${kind.toLowerCase()} ${namespace}/${name}, can't use it in valuesFrom`)
  return parseValues(
    kind === 'Secret' ? Buffer.from(text, 'base64').toString('utf8') : text,
    `key ${key} of ${kind.toLowerCase()} ${namespace}/${name}`,
  )
}

function parseValues(text: string, source: string): Values {
  try {
    return asValues(parseYaml(text), source)
  } catch (error) {
    if (!(error instanceof YamlError)) throw error
    throw new Error(`${source} is no valid YAML: ${error.message}`, { cause: error })
  }
}

function asValues(value: unknown, source = 'helm.values'): Values {
  if (value === null || value === undefined) return {}
  if (!isMap(value)) throw new Error(`${source} does not hold a map of values`)
  return value
}

/** `over` merged into `base`: maps are merged, everything else is replaced. Neither is changed. */
export function mergeValues(base: Values, over: Values): Values {
  const result = { ...base }
  for (const [key, value] of Object.entries(over)) {
    const below = result[key]
    result[key] = isMap(below) && isMap(value) ? mergeValues(below, value) : value
  }
  return result
}
