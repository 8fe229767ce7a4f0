import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import type { KubeObject } from '../../lib/kube/types.ts'
import { stringifyYaml } from '../../lib/yaml/stringify.ts'
import { uniqueNamespace } from '../../testing/cluster.ts'
import { describeEngine } from './engine.contract.ts'
import { configMap, type EngineUnderTest, rendered, useEngine } from './engine-fixture.contract.ts'
import { describeObjects } from './engine-objects.contract.ts'
import type { Managed } from './field-manager.ts'

const workDir = await mkdtemp(join(tmpdir(), 'helm-engine-'))
afterAll(() => rm(workDir, { recursive: true, force: true }))

const subject: EngineUnderTest = { create: ({ helm }) => helm, workDir }
describeEngine('helm', subject)
describeObjects('helm', subject)

describe('an object that becomes a hook', () => {
  const s = useEngine(subject)

  test('is there when the hook has run', async () => {
    const at = s.place()
    await s.deploy(at, rendered([configMap('a'), configMap('hook', { v: '1' })]))
    await s.deploy(at, rendered([configMap('a')], { hooks: [configMap('hook', { v: '2' }, { 'helm.sh/hook': 'post-upgrade' })] }))
    expect((await s.find(at, 'hook'))?.data).toEqual({ v: '2' })
  })
})

describe('objects of a kind that comes with them', () => {
  const s = useEngine(subject)

  test('belong to the agent from the beginning, and lose what a version drops', async () => {
    const group = `${uniqueNamespace('loan')}.example.org`
    const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } }
    const definition = {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: `things.${group}` },
      spec: {
        group,
        scope: 'Namespaced',
        names: { kind: 'Thing', plural: 'things' },
        versions: [{ name: 'v1', served: true, storage: true, schema }],
      },
    }
    const thing = (spec: object) => ({ apiVersion: `${group}/v1`, kind: 'Thing', metadata: { name: 'one' }, spec }) as unknown as KubeObject
    const at = s.place()
    const live = () => s.client.request<Managed & { spec: object }>('GET', `/apis/${group}/v1/namespaces/${at.namespace}/things/one`)
    for (const spec of [{ kept: 1, dropped: 1 }, { kept: 2 }]) {
      await s.deploy(at, rendered([thing(spec)], { definitions: stringifyYaml(definition) }))
      const { metadata, ...object } = await live()
      expect(object.spec).toEqual(spec)
      expect(metadata.managedFields?.map(({ manager, operation }) => `${manager} ${operation}`)).toEqual(['fleetagent Apply'])
    }
  })
})
