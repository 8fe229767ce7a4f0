import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { systemClock } from '../../lib/controller/clock.ts'
import type { KubeObject } from '../../lib/kube/types.ts'
import { uniqueNamespace } from '../../testing/cluster.ts'
import { eventually } from '../../testing/eventually.ts'
import { describeEngine } from './engine.contract.ts'
import type { ReleaseEngine } from './engine.ts'
import { configMap, type EngineUnderTest, rendered, useEngine } from './engine-fixture.contract.ts'
import { describeObjects } from './engine-objects.contract.ts'
import { createNativeEngine } from './native-engine.ts'

const workDir = await mkdtemp(join(tmpdir(), 'native-engine-'))
afterAll(() => rm(workDir, { recursive: true, force: true }))

const subject: EngineUnderTest = {
  create: ({ helm, store }) => createNativeEngine({ store, helm, choice: 'auto', clock: systemClock }),
  workDir,
}
describeEngine('native', subject)
describeObjects('native', subject)

/** Fails when it is asked to do anything. */
const noHelm = new Proxy({} as ReleaseEngine, {
  get: (_, method) => () => Promise.reject(new Error(`helm was asked to ${String(method)}`)),
})

describe('the native engine alone', () => {
  const s = useEngine({ create: ({ store }) => createNativeEngine({ store, helm: noHelm, choice: 'auto', clock: systemClock }), workDir })

  test('does all there is to do for plain objects without helm', async () => {
    const at = s.place()
    await s.deploy(at, rendered([configMap('a')]))
    const revision = await s.deploy(at, rendered([configMap('a', { v: '2' })]))
    await s.engine.rollback(revision, { force: false, maxHistory: 2, keepFailHistory: false }, s.access)
    await s.engine.uninstall(at, s.access)
    expect(await s.find(at, 'a')).toBeUndefined()
    expect(await s.revisions(at)).toEqual([])
  })

  test('leaves hooks and charts to helm', async () => {
    const hook = configMap('hook', {}, { 'helm.sh/hook': 'post-install' })
    await expect(s.deploy(s.place(), rendered([configMap('a')], { hooks: [hook] }))).rejects.toThrow('helm was asked to deploy')
    await expect(s.deploy(s.place(), rendered([configMap('a')], { style: { chart: '.' } }))).rejects.toThrow('helm was asked to deploy')
  })

  test('installs definitions and objects of theirs in one go', async () => {
    const at = s.place()
    const group = `${uniqueNamespace('group')}.example.org`
    const definition = {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: `things.${group}` },
      spec: {
        group,
        scope: 'Namespaced',
        names: { kind: 'Thing', plural: 'things' },
        versions: [
          {
            name: 'v1',
            served: true,
            storage: true,
            schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
          },
        ],
      },
    } as unknown as KubeObject
    const type = { apiVersion: `${group}/v1`, kind: 'Thing' }
    const thing = { ...type, metadata: { name: 'one' }, spec: { size: 1 } } as KubeObject
    await s.deploy(at, rendered([thing, definition]))
    expect((await s.find(at, 'one', type))?.spec).toEqual({ size: 1 })
    await s.deploy(at, rendered([{ ...thing, spec: { size: 2 } } as KubeObject, definition]))
    expect((await s.find(at, 'one', type))?.spec).toEqual({ size: 2 })
    await s.engine.uninstall(at, s.access)
    await eventually(async () => expect(await s.client.find({ ...definition, name: definition.metadata.name })).toBeUndefined())
  })

  test('writes what it can when one object is refused, and says which one was', async () => {
    const at = s.place()
    await expect(s.deploy(at, rendered([configMap('Not_valid'), configMap('good')]))).rejects.toMatchObject({
      kind: 'invalid',
      message: expect.stringContaining(
        `server-side apply failed for object ${at.namespace}/Not_valid /v1, Kind=ConfigMap: ConfigMap "Not_valid" is invalid`,
      ),
    })
    expect(await s.find(at, 'good')).toBeDefined()
    const stored = await s.store.read({ ...at, version: 1 })
    expect(stored?.info).toMatchObject({
      status: 'failed',
      description: expect.stringContaining('Release "demo" failed: server-side apply failed'),
    })
    await s.deploy(at, rendered([configMap('other')]))
    expect(await s.find(at, 'good')).toBeUndefined()
  })

  test('remembers what several failed versions left behind, until one succeeds', async () => {
    const at = s.place()
    await s.deploy(at, rendered([configMap('old')]))
    for (const name of ['one', 'two', 'three'])
      await expect(s.deploy(at, rendered([configMap('Not_valid'), configMap(name)]))).rejects.toMatchObject({ kind: 'invalid' })
    expect(await s.find(at, 'one')).toBeDefined()
    await s.deploy(at, rendered([configMap('three')]))
    for (const name of ['old', 'one', 'two']) expect(await s.find(at, name), name).toBeUndefined()
    expect(await s.find(at, 'three')).toBeDefined()
    expect(await s.revisions(at)).toEqual(['1 superseded', '5 deployed'])
  })

  test('removes what a failed upgrade left of the version before, too', async () => {
    const at = s.place()
    await s.deploy(at, rendered([configMap('old')]))
    await expect(s.deploy(at, rendered([configMap('Not_valid'), configMap('new')]))).rejects.toMatchObject({ kind: 'invalid' })
    await s.engine.uninstall(at, s.access)
    for (const name of ['old', 'new']) expect(await s.find(at, name)).toBeUndefined()
    expect(await s.revisions(at)).toEqual([])
  })

  test('stops in the middle when it is told to, and goes on from there', async () => {
    const at = s.place()
    await s.deploy(at, rendered([configMap('a', { v: '1' })]))
    const current = await s.engine.status(at)
    const request = { release: at, rendered: rendered([configMap('a', { v: '2' })]), current }
    const owner = { bundleId: 'demo', agentNamespace: 'agents', serviceAccount: '', keepResources: false }
    const settings = {
      createNamespace: true,
      takeOwnership: false,
      force: false,
      atomic: false,
      timeoutSeconds: 0,
      waitForJobs: false,
      maxHistory: 2,
      skipSchemaValidation: false,
    }
    const signal = AbortSignal.abort(new Error('enough'))
    await expect(
      s.engine.deploy({ ...request, owner, settings, values: {}, commit: undefined, deployment: 'v2' }, s.access, signal),
    ).rejects.toThrow('enough')
    await s.deploy(at, rendered([configMap('a', { v: '3' })]))
    expect((await s.find(at, 'a'))?.data).toEqual({ v: '3' })
    expect((await s.revisions(at)).at(-1)).toMatch(/deployed$/)
  })
})
