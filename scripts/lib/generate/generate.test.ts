import { load } from 'js-yaml'
import { describe, expect, test } from 'vitest'
import { DEFINITIONS } from '../../../src/api/definitions.ts'
import { apiDocs } from './api-docs.ts'
import { crdYaml } from './crd.ts'
import type { Schema } from './schema.ts'

interface Crd {
  metadata: { name: string }
  spec: { scope: string; names: Record<string, unknown>; versions: { subresources?: unknown; schema: { openAPIV3Schema: Schema } }[] }
}

function crdOf(kind: string): Crd {
  const definition = DEFINITIONS.find((entry) => entry.kind === kind)
  if (!definition) throw new Error(`no kind ${kind}`)
  return load(crdYaml(definition)) as Crd
}

/** Every path of a schema with the schema there. */
function* walk(schema: Schema, path: string): Generator<[string, Schema]> {
  yield [path, schema]
  for (const [name, property] of Object.entries(schema.properties ?? {})) yield* walk(property, `${path}.${name}`)
  if (schema.items) yield* walk(schema.items, `${path}[]`)
  if (schema.additionalProperties) yield* walk(schema.additionalProperties, `${path}.*`)
}

describe('CRDs', () => {
  test('are of the kinds and scopes of the API', () => {
    expect(crdOf('Policy').metadata.name).toBe('policies.fleet.cattle.io')
    expect(crdOf('Content').spec.scope).toBe('Cluster')
    expect(crdOf('GitRepo').spec).toMatchObject({ scope: 'Namespaced', names: { categories: ['fleet'], singular: 'gitrepo' } })
    expect(crdOf('Policy').spec.versions[0]?.subresources).toBeUndefined()
    expect(crdOf('GitRepoRestriction').spec.versions[0]?.subresources).toEqual({ status: {} })
  })

  test.each(DEFINITIONS.map(({ kind }) => kind))('%s has a structural schema', (kind) => {
    const root = crdOf(kind).spec.versions[0]?.schema.openAPIV3Schema ?? {}
    for (const [path, schema] of walk(root, kind)) {
      expect(schema.title, path).toBeUndefined()
      expect(schema.type !== undefined || schema['x-kubernetes-int-or-string'] === true, `${path} has a type`).toBe(true)
      expect(Object.keys(schema), path).not.toContain('patternProperties')
    }
  })

  test('are small enough for client-side apply', () => {
    for (const definition of DEFINITIONS) expect(JSON.stringify(load(crdYaml(definition))).length, definition.kind).toBeLessThan(100_000)
  })
})

describe('the API reference', () => {
  const page = apiDocs(DEFINITIONS)

  test('has a section for each link', () => {
    const sections = new Set([...page.matchAll(/^##+ (.+)$/gm)].map(([, title]) => title?.toLowerCase()))
    const links = [...page.matchAll(/\]\(#([^)]+)\)/g)].map(([, anchor]) => anchor)
    expect(links.filter((anchor) => !sections.has(anchor))).toEqual([])
  })

  test('gives every field a type and a meaning', () => {
    const rows = page.split('\n').filter((line) => line.startsWith('| `'))
    expect(rows.length).toBeGreaterThan(300)
    for (const row of rows) expect(row).toMatch(/^\| `[^`]+` \| .+ \| \S.+ \|$/)
  })

  test('names inherited fields once', () => {
    expect(page).toContain('Every field of [Bundle.spec](#bundle), and these:')
    expect(page).toContain('Every field of [BundleDeploymentOptions](#bundledeploymentoptions), and these:')
  })
})
