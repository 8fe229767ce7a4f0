// What of a manifest is to be found in the cluster again. The rest belongs to others: controllers that fill it in, tools that share a field with us,
// Helm's own marks. What is theirs is taken from the live object, so that neither a comparison nor a patch made of it takes it away.
import { isObject, listAt, objectAt, type PlainObject, textAt } from '../../lib/kstatus/fields.ts'
import type { KubeObject } from '../../lib/kube/types.ts'
import { withoutNulls } from './merge-patch.ts'

interface ExpectedOptions {
  /** `spec.replicas` belongs to an autoscaler that allows the live number */
  readonly replicasScaled: boolean
}

type Fields = Record<string, unknown>
type Rule = (wanted: Fields, live: PlainObject) => void

/** Written to every object of a release, whatever its manifest says. */
const RELEASE_LABELS = ['app.kubernetes.io/managed-by']
const RELEASE_ANNOTATIONS = ['meta.helm.sh/release-name', 'meta.helm.sh/release-namespace']

/** By `group/Kind`; versions make no difference. */
const RULES: Readonly<Record<string, Rule>> = {
  'admissionregistration.k8s.io/ValidatingWebhookConfiguration': keepWebhookCertificates,
  'admissionregistration.k8s.io/MutatingWebhookConfiguration': keepWebhookCertificates,
  'apiextensions.k8s.io/CustomResourceDefinition': keepCertificate('spec', 'conversion', 'webhook', 'clientConfig'),
  'apiregistration.k8s.io/APIService': keepCertificate('spec'),
  'rbac.authorization.k8s.io/ClusterRole': keepGatheredRules,
  '/ServiceAccount': keepAddedSecrets,
  '/Secret': encodeTexts,
}

/** The manifest of a live object without what the cluster or other parties have the say over. Nothing given is changed. */
export function expected(desired: KubeObject, live: KubeObject, { replicasScaled }: ExpectedOptions): KubeObject {
  const { status: _, metadata, ...fields } = withoutNulls(desired) as KubeObject & { status?: unknown }
  const wanted: KubeObject = { ...structuredClone(fields), metadata: ownMetadata(metadata) }
  RULES[`${groupOf(desired.apiVersion)}/${desired.kind}`]?.(wanted as unknown as Fields, live as unknown as PlainObject)
  if (replicasScaled) keepReplicas(wanted as unknown as Fields, live as unknown as PlainObject)
  return wanted
}

function groupOf(apiVersion: string): string {
  return apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : ''
}

function ownMetadata({ name, namespace, labels, annotations }: KubeObject['metadata']): KubeObject['metadata'] {
  return {
    name,
    ...(namespace ? { namespace } : {}),
    ...(labels ? { labels: without(labels, RELEASE_LABELS) } : {}),
    ...(annotations ? { annotations: without(annotations, RELEASE_ANNOTATIONS) } : {}),
  }
}

function without<T>(map: Readonly<Record<string, T>>, keys: readonly string[]): Record<string, T> {
  return Object.fromEntries(Object.entries(map).filter(([key]) => !keys.includes(key)))
}

/** A certificate that the manifest leaves open is put in by an injector, or by the webhook itself. */
function keepWebhookCertificates(wanted: Fields, live: PlainObject): void {
  const actual = new Map(listAt(live, 'webhooks').map((webhook) => [textAt(webhook, 'name'), objectAt(webhook, 'clientConfig')]))
  for (const webhook of listAt(wanted, 'webhooks')) takeCertificate(objectAt(webhook, 'clientConfig'), actual.get(textAt(webhook, 'name')))
}

function keepCertificate(...path: readonly string[]): Rule {
  return (wanted, live) => takeCertificate(objectAt(wanted, ...path), objectAt(live, ...path))
}

function takeCertificate(wanted: Fields | PlainObject | undefined, live: PlainObject | undefined): void {
  if (!wanted || !isBlank(wanted.caBundle)) return
  const fields = wanted as Fields
  if (live?.caBundle === undefined) delete fields.caBundle
  else fields.caBundle = live.caBundle
}

/** Nothing, or only white space, which charts put there because some versions of Kubernetes asked for something. */
function isBlank(certificate: unknown): boolean {
  return certificate === undefined || (typeof certificate === 'string' && Buffer.from(certificate, 'base64').toString().trim() === '')
}

/** The rules of a role that gathers those of others are written by the controller manager. */
function keepGatheredRules(wanted: Fields): void {
  if (isObject(wanted.aggregationRule)) delete wanted.rules
}

/** Token and registry secrets are added to accounts by the cluster; those that the manifest names must be there. */
function keepAddedSecrets(wanted: Fields, live: PlainObject): void {
  for (const field of ['secrets', 'imagePullSecrets']) {
    const there = new Set(listAt(live, field).map((entry) => textAt(entry, 'name')))
    if (listAt(wanted, field).every((entry) => there.has(textAt(entry, 'name'))) && field in wanted) wanted[field] = live[field]
  }
}

/** What a manifest gives as text is stored encoded. */
function encodeTexts(wanted: Fields): void {
  const texts = objectAt(wanted, 'stringData')
  if (!texts) return
  const encoded = Object.entries(texts).map(([key, text]) => [key, Buffer.from(String(text)).toString('base64')])
  wanted.data = { ...objectAt(wanted, 'data'), ...Object.fromEntries(encoded) }
  delete wanted.stringData
}

function keepReplicas(wanted: Fields, live: PlainObject): void {
  const spec = objectAt(wanted, 'spec') as Fields | undefined
  const replicas = objectAt(live, 'spec')?.replicas
  if (spec && 'replicas' in spec && replicas !== undefined) spec.replicas = replicas
}
