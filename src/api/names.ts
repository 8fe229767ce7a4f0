// Names that are made of other names, byte for byte as every part of Fleet makes them (spec 0.3). Lengths are bytes of UTF-8.
import { createHash } from 'node:crypto'
import { cutUtf8 } from '../lib/json/utf8.ts'
import { AGENT_BOOTSTRAP_NAME, AGENT_NAME, SET_HASH_LABEL, SET_ID_ANNOTATION } from './labels.ts'

const MAX_NAME = 63
const MAX_RELEASE_NAME = 53
const DNS_LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/

function digest(algorithm: 'md5' | 'sha1' | 'sha256', text: string | Uint8Array): string {
  return createHash(algorithm).update(text).digest('hex')
}

/** Joins parts with dashes; what is longer than 63 bytes is cut and ends in five or six digits of its hash. */
export function safeConcatName(...parts: string[]): string {
  const full = parts.join('-')
  const bytes = Buffer.from(full)
  if (bytes.length <= MAX_NAME) return full
  const hash = digest('sha256', bytes)
  if (isLowerAlphanumeric(bytes[56] ?? 0)) return `${cutUtf8(full, 57)}-${hash.slice(0, 5)}`
  return `${cutUtf8(full, 56)}-${hash.slice(0, 6)}`
}

function isLowerAlphanumeric(byte: number): boolean {
  return (byte >= 0x30 && byte <= 0x39) || (byte >= 0x61 && byte <= 0x7a)
}

/** Twelve digits of the hash of a text's first 100 bytes. */
export function keyHash(text: string): string {
  return digest('sha256', Buffer.from(text).subarray(0, 100)).slice(0, 12)
}

/** The first digits, at most 32, of the md5 of a text. */
export function hex(text: string, length: number): string {
  return digest('md5', text).slice(0, length)
}

/** A text cut to so many bytes; from seven bytes on the end is five digits of the hash, set off by one dash. */
export function limit(text: string, length: number): string {
  const bytes = Buffer.from(text)
  if (bytes.length <= length) return text
  if (length <= 6) return cutUtf8(text, length)
  const kept = cutUtf8(text, length - 6)
  return `${kept}${kept.endsWith('-') ? '' : '-'}${hex(text, 5)}`
}

/** A valid name for a release or bundle. What is lost in the making, such as capitals and dots, is told apart by eight digits of a hash. */
export function helmReleaseName(text: string): string {
  const flat = text.replaceAll('/', '-')
  const marked = /[^a-z0-9-]/.test(flat) ? `${flat}-${hex(flat, 8)}` : flat
  const name = lowerCase(marked)
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
  return DNS_LABEL.test(name) ? limit(name, MAX_RELEASE_NAME) : hex(text, 24)
}

// character by character: JavaScript's own turns İ into i and a combining dot, which would become a dash
function lowerCase(text: string): string {
  return text.replaceAll('\u0130', 'i').toLowerCase()
}

/** The namespace of a cluster's BundleDeployments. */
export function clusterNamespace(namespace: string, name: string): string {
  return safeConcatName('cluster', namespace, name, keyHash(`${namespace}::${name}`))
}

/** The secret in which an agent finds its credentials. */
export function registrationSecretName(clientID: string, clientRandom: string): string {
  return `c-${digest('sha256', clientID + clientRandom)}`.slice(0, MAX_NAME)
}

/** The namespace of registration secrets, by the system namespace: every `-system` counts (spec 12). */
export function registrationNamespace(systemNamespace: string): string {
  const replaced = systemNamespace.replaceAll('-system', '-clusters-system')
  return replaced === systemNamespace ? `${systemNamespace}-clusters-system` : replaced
}

/** The name of a Cluster that an agent registers on its own. */
export function registeredClusterName(clientID: string): string {
  return safeConcatName('cluster', keyHash(clientID))
}

/** The name of the token with which a cluster is imported. */
export function importTokenName(cluster: string): string {
  return safeConcatName(`import-token-${cluster}`)
}

/** The name of the bundle that holds the agent of a cluster. */
export function agentBundleName(cluster: string): string {
  return safeConcatName(AGENT_NAME, cluster)
}

/** The name of the job that reads a commit. */
export function gitJobName(gitRepo: string, repo: string, commit: string): string {
  return safeConcatName(gitRepo, hex(repo + commit, 5))
}

/** The name of the image scan of a bundle, by its place in the list. */
export function imageScanName(bundle: string, index: number): string {
  return safeConcatName('imagescan', bundle, String(index))
}

/** The folder of a downloaded chart among the resources of its bundle. */
export function chartDirectory(chart: string, repo: string, version: string): string {
  return `.chart/${digest('sha256', `${chart}:${repo}:${version}`)}`
}

/** What marks the objects of one deployment. */
export interface ObjectSet {
  readonly id: string
  readonly labels: Record<string, string>
  readonly annotations: Record<string, string>
}

/** The set of a bundle's objects in a cluster. All agent bundles share one set with what was installed by hand. */
export function setId(prefix: string, bundle: string, agentScope: string): ObjectSet {
  const parts = bundle.startsWith(AGENT_NAME) ? [AGENT_BOOTSTRAP_NAME] : [prefix, bundle]
  const id = safeConcatName(...parts, ...(agentScope ? [agentScope] : []))
  return { id, labels: { [SET_HASH_LABEL]: setHash(id) }, annotations: { [SET_ID_ANNOTATION]: id } }
}

/** The value of the set label: a hash over set id, kind, name and namespace of the owner. Kind is as `fleet.cattle.io/v1alpha1, Kind=X`. */
export function setHash(
  id: string,
  owner: { kind: string; name: string; namespace: string } = { kind: '', name: '', namespace: '' },
): string {
  return digest('sha1', id + owner.kind + owner.name + owner.namespace)
}
