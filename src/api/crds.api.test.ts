// The CRDs against a real API server: it must keep every field that the types know, and nothing may come back changed.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { load } from 'js-yaml'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createClient, type KubeClient } from '../lib/kube/client.ts'
import { loadConnection } from '../lib/kube/connection.ts'
import type { KubeObject, ObjectRef } from '../lib/kube/types.ts'
import { testCluster, uniqueNamespace } from '../testing/cluster.ts'
import { DEFINITIONS, type KindDefinition } from './definitions.ts'
import { FLEET_API_VERSION } from './kinds.ts'
import { validateObject } from './validate.ts'

type Schema = Record<string, unknown> & { properties?: Record<string, Schema>; items?: Schema; additionalProperties?: Schema }

let client: KubeClient
const namespace = uniqueNamespace('crds')
const clusterScoped: ObjectRef[] = []

beforeAll(async () => {
  client = createClient(await loadConnection({ kubeconfig: testCluster('hub').kubeconfig }))
  await client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } })
})

afterAll(async () => {
  await client.delete({ apiVersion: 'v1', kind: 'Namespace', name: namespace })
  await Promise.all(clusterScoped.map((ref) => client.delete(ref)))
  await client.close()
})

/** A value with every field that a schema has. */
function sample(schema: Schema): unknown {
  if (schema['x-kubernetes-int-or-string']) return schema.pattern ? '100m' : '10%'
  if (schema['x-kubernetes-preserve-unknown-fields']) return { any: [{ thing: null }, 1.5, 'x'] }
  if (schema['x-kubernetes-validations']) return '15m'
  if (schema.enum) return (schema.enum as string[])[1]
  if (schema.items) return [sample(schema.items)]
  if (schema.additionalProperties) return { key: sample(schema.additionalProperties) }
  if (schema.format === 'date-time') return '2026-01-31T12:00:00Z'
  if (schema.format === 'byte') return 'AAAA'
  if (schema.type === 'object')
    return Object.fromEntries(Object.entries(schema.properties ?? {}).map(([key, value]) => [key, sample(value)]))
  return { string: 'text', integer: 7, boolean: true }[String(schema.type)]
}

function sampleObject({ kind, schema, clusterScoped }: KindDefinition): KubeObject & Record<string, unknown> {
  const { metadata: _, ...parts } = sample(schema as unknown as Schema) as Record<string, unknown>
  return {
    ...parts,
    apiVersion: FLEET_API_VERSION,
    kind,
    metadata: { name: uniqueNamespace('full'), ...(clusterScoped ? {} : { namespace }) },
  }
}

describe.each(DEFINITIONS)('$kind', (definition) => {
  test('keeps every field', async () => {
    const object = sampleObject(definition)
    expect(validateObject(definition.kind, object, { unknownFields: true })).toEqual([])
    const { metadata: _, status, ...rest } = object
    const created = await client.create<KubeObject & Record<string, unknown>>(object, { fieldValidation: 'Strict' })
    expect(created).toMatchObject(rest)
    const ref = { apiVersion: FLEET_API_VERSION, kind: definition.kind, name: created.metadata.name }
    if (definition.clusterScoped) clusterScoped.push(ref)
    if (status === undefined) return
    await client.update({ ...created, status } as KubeObject, { subresource: 'status', fieldValidation: 'Strict' })
    const stored = await client.get(created.metadata.namespace ? { ...ref, namespace } : ref)
    expect(stored).toMatchObject({ ...rest, status })
  })

  test('has a CRD with its columns', () => {
    const crd = load(readFileSync(join(import.meta.dirname, '..', '..', 'crds', `${definition.plural}.yaml`), 'utf8')) as {
      spec: { versions: { additionalPrinterColumns?: { name: string }[] }[] }
    }
    const columns = crd.spec.versions[0]?.additionalPrinterColumns?.map(({ name }) => name) ?? []
    expect(columns).toEqual(Object.keys(definition.columns))
  })
})

describe('null', () => {
  test('is dropped from fields, and kept in values', async () => {
    const bundle = {
      apiVersion: FLEET_API_VERSION,
      kind: 'Bundle',
      metadata: { name: uniqueNamespace('null'), namespace },
      spec: { helm: { values: { a: null }, chart: null }, targets: [{ clusterSelector: null, name: 'x' }], namespaceLabels: { a: null } },
    }
    const created = await client.create<KubeObject & { spec?: unknown }>(bundle as KubeObject)
    expect(created.spec).toEqual({
      targetCustomizationMode: 'FirstMatch',
      helm: { values: { a: null } },
      targets: [{ name: 'x' }],
      namespaceLabels: {},
    })
  })

  test('as a default or a part is what absence is', async () => {
    const at = { apiVersion: FLEET_API_VERSION, kind: 'Bundle', name: uniqueNamespace('null'), namespace }
    const metadata = { name: at.name, namespace }
    const created = await client.create<KubeObject & { spec?: unknown }>({ ...at, metadata, spec: null } as KubeObject)
    expect(created.spec).toEqual({ targetCustomizationMode: 'FirstMatch' })
    const patched = await client.patch<KubeObject & { spec?: unknown }>(at, [{ op: 'add', path: '/spec/helm', value: null }], {
      type: 'json',
    })
    expect(patched.spec).toEqual({ targetCustomizationMode: 'FirstMatch' })
  })
})
