// What every release engine must do with single objects, and how engines follow one another: the second half of the contract.
import { describe, expect, test } from 'vitest'
import type { KubeObject } from '../../lib/kube/types.ts'
import { uniqueNamespace } from '../../testing/cluster.ts'
import type { ReleaseRef } from './engine.ts'
import { configMap, type EngineUnderTest, rendered, useEngine } from './engine-fixture.contract.ts'

const NAMESPACE = { apiVersion: 'v1', kind: 'Namespace' }
const ROLLBACK = { force: false, maxHistory: 2, keepFailHistory: false }

const deployment = (app: string): KubeObject =>
  ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web' },
    spec: {
      selector: { matchLabels: { app } },
      template: { metadata: { labels: { app } }, spec: { containers: [{ name: 'c', image: 'example.invalid/c:1' }] } },
    },
  }) as KubeObject

export function describeObjects(name: string, subject: EngineUnderTest): void {
  describe(`objects of the ${name} engine`, () => {
    const s = useEngine(subject)
    const { place, find, revisions, deploy } = s
    const stateOf = async (release: ReleaseRef, version: number) => (await s.store.read({ ...release, version }))?.info

    test('carry the marks of the release, and belong to the field manager of Go Fleet', async () => {
      const at = place()
      await deploy(at, rendered([configMap('a')]))
      const { labels, annotations } = (await find(at, 'a'))!.metadata
      expect(labels).toMatchObject({ 'app.kubernetes.io/managed-by': 'Helm', 'objectset.rio.cattle.io/hash': 'set' })
      expect(annotations).toEqual({ 'meta.helm.sh/release-name': 'demo', 'meta.helm.sh/release-namespace': at.namespace })
      expect(await s.owners(at, 'a')).toEqual({ 'fleetagent Apply': ['data', 'metadata'] })
      await deploy(at, rendered([configMap('a', {})]))
      expect(await s.owners(at, 'a')).toEqual({ 'fleetagent Apply': ['data', 'metadata'] })
      expect((await find(at, 'a'))?.data ?? {}).toEqual({})
    })

    test('live in a namespace that is labelled with its name, and that need not be new', async () => {
      const at = place()
      await deploy(at, rendered([configMap('a')]))
      expect((await s.client.get({ ...NAMESPACE, name: at.namespace })).metadata.labels?.name).toBe(at.namespace)
      const other = { ...at, name: 'other' }
      await deploy(other, rendered([configMap('b')]))
      expect(await find(other, 'b')).toBeDefined()
    })

    test('need a namespace', async () => {
      const at = place()
      const outcome = deploy(at, rendered([configMap('a')]), { settings: { createNamespace: false } })
      await expect(outcome).rejects.toMatchObject({
        kind: 'no-namespace',
        message: `create: failed to create: namespaces "${at.namespace}" not found`,
      })
    })

    test('are written in the order of their kinds', async () => {
      const at = place()
      const other = uniqueNamespace('kinds')
      const inside = { ...configMap('a'), metadata: { ...configMap('a').metadata, namespace: other } }
      const service = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'web' }, spec: { ports: [{ port: 80 }] } } as KubeObject
      const namespace = { ...NAMESPACE, metadata: { name: other } }
      const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' } }
      await deploy(at, rendered([service, inside, secret, namespace]))
      expect((await s.client.find({ apiVersion: 'v1', kind: 'ConfigMap', namespace: other, name: 'a' }))?.metadata.name).toBe('a')
      const kinds = [...(await s.helm(at, 'get', 'manifest', 'demo')).matchAll(/^kind: (\w+)$/gm)].map(([, kind]) => kind)
      expect(kinds).toEqual(['Namespace', 'Secret', 'ConfigMap', 'Service'])
      await s.engine.uninstall(at, s.access)
      const left = await s.client.find({ ...NAMESPACE, name: other })
      expect(left === undefined || left.metadata.deletionTimestamp !== undefined).toBe(true)
    })

    test('of a kind that nobody knows are refused before anything is done', async () => {
      const at = place()
      await s.client.create({ ...NAMESPACE, metadata: { name: at.namespace } })
      const thing = { apiVersion: 'example.org/v1', kind: 'Thing', metadata: { name: 'one' } }
      await expect(deploy(at, rendered([configMap('a'), thing]))).rejects.toMatchObject({
        kind: 'unknown-kind',
        message: expect.stringContaining('no matches for kind "Thing" in version "example.org/v1"'),
      })
      expect(await revisions(at)).toEqual([])
      expect(await find(at, 'a')).toBeUndefined()
    })

    test('that cannot be changed are named, and the version before stays in effect', async () => {
      const at = place()
      await deploy(at, rendered([deployment('one'), configMap('a')]))
      await expect(deploy(at, rendered([deployment('two'), configMap('a')]))).rejects.toMatchObject({
        kind: 'immutable',
        message: expect.stringContaining(
          `server-side apply failed for object ${at.namespace}/web apps/v1, Kind=Deployment: Deployment.apps "web" is invalid: spec.selector`,
        ),
      })
      expect(await revisions(at)).toEqual(['1 deployed', '2 failed'])
      expect((await stateOf(at, 2))?.description).toMatch(/^Upgrade "demo" failed: /)
      await deploy(at, rendered([deployment('one'), configMap('b')]))
      expect(await revisions(at)).toEqual(['1 superseded', '3 deployed'])
      expect(await find(at, 'a')).toBeUndefined()
    })

    test('with fields that do not exist are refused', async () => {
      const wrong = { ...configMap('a'), spec: { x: 1 } } as KubeObject
      await expect(deploy(place(), rendered([wrong]))).rejects.toMatchObject({ kind: 'unknown-field' })
    })

    test('are kept when an upgrade drops them, if they say so; others go', async () => {
      const at = place()
      await deploy(at, rendered([configMap('a'), configMap('gone'), configMap('kept', {}, { 'helm.sh/resource-policy': 'keep' })]))
      await deploy(at, rendered([configMap('a')]))
      expect(await find(at, 'kept')).toBeDefined()
      expect(await find(at, 'gone')).toBeUndefined()
    })

    test('that live in no namespace stay when their manifests begin or cease to name one', async () => {
      const at = place()
      const type = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole' }
      const { name, namespace, labels } = { ...configMap('x').metadata, name: uniqueNamespace('role'), namespace: at.namespace }
      const role = (metadata: object, verb: string) =>
        ({
          ...type,
          metadata: { name, labels, ...metadata },
          rules: [{ apiGroups: [''], resources: ['pods'], verbs: [verb] }],
        }) as KubeObject
      await deploy(at, rendered([role({}, 'get')]))
      for (const [metadata, verb] of [
        [{ namespace: 'elsewhere' }, 'list'],
        [{ namespace }, 'get'],
        [{}, 'watch'],
      ] as const) {
        await deploy(at, rendered([role(metadata, verb)]))
        expect(await s.client.find({ ...type, name })).toMatchObject({ rules: [{ verbs: [verb] }] })
      }
      await s.engine.uninstall(at, s.access)
      expect(await s.client.find({ ...type, name })).toBeUndefined()
    })

    test('come back when they were deleted, at the next upgrade', async () => {
      const at = place()
      await deploy(at, rendered([configMap('a')]))
      await s.client.delete({ apiVersion: 'v1', kind: 'ConfigMap', namespace: at.namespace, name: 'a' })
      await deploy(at, rendered([configMap('a')]))
      expect(await find(at, 'a')).toBeDefined()
    })

    test('lose what others added when they are replaced by force', async () => {
      const at = place()
      await deploy(at, rendered([configMap('a', { v: '1' })]))
      await s.client.patch(
        { apiVersion: 'v1', kind: 'ConfigMap', namespace: at.namespace, name: 'a' },
        { data: { added: 'x' } },
        { type: 'merge' },
      )
      await deploy(at, rendered([configMap('a', { v: '2' })]), { settings: { force: true } })
      expect((await find(at, 'a'))?.data).toEqual({ v: '2' })
      await deploy(at, rendered([configMap('a', {})]))
      expect((await find(at, 'a'))?.data ?? {}).toEqual({})
    })

    test.each([
      [1, ['3 superseded', '4 deployed']],
      [3, ['2 superseded', '3 superseded', '4 deployed']],
    ])('have a history of %i revisions', async (maxHistory, expected) => {
      const at = place()
      for (const v of ['1', '2', '3', '4']) await deploy(at, rendered([configMap('a', { v })]), { settings: { maxHistory } })
      expect(await revisions(at)).toEqual(expected)
    })

    test('survive the loss of all records', async () => {
      const at = place()
      await deploy(at, rendered([configMap('a', { v: '1' })]))
      await s.engine.forget(at)
      await deploy(at, rendered([configMap('a', { v: '2' })]))
      expect((await find(at, 'a'))?.data).toEqual({ v: '2' })
      expect(await revisions(at)).toEqual(['1 deployed'])
    })

    test('can be rolled back and removed with the helm command', async () => {
      const at = place()
      await deploy(at, rendered([configMap('a', { v: '1' })]))
      await deploy(at, rendered([configMap('a', { v: '2', more: 'x' }), configMap('b')]))
      await s.helm(at, 'rollback', 'demo', '1', '--force-conflicts')
      expect((await find(at, 'a'))?.data).toEqual({ v: '1', more: 'x' }) // helm applies under another name than the agent: it takes away nothing
      expect(await find(at, 'b')).toBeUndefined()
      const history = JSON.parse(await s.helm(at, 'history', 'demo', '-o', 'json')) as {
        revision: number
        status: string
        description: string
      }[]
      expect(history.map(({ revision, status, description }) => `${revision} ${status}: ${description}`)).toEqual([
        '1 superseded: Install complete',
        '2 superseded: Upgrade complete',
        '3 deployed: Rollback to 1',
      ])
      await deploy(at, rendered([configMap('a', { v: '4' })]))
      expect((await find(at, 'a'))?.data).toEqual({ v: '4' })
      expect(Object.keys(await s.owners(at, 'a'))).toEqual(['fleetagent Apply'])
      await s.helm(at, 'uninstall', 'demo')
      expect(await find(at, 'a')).toBeUndefined()
      expect(await revisions(at)).toEqual([])
    })

    test.each([
      ['this engine to helm', false],
      ['helm to this engine', true],
    ])('change from %s: nothing is lost and nothing stays behind', async (_, helmFirst) => {
      const [one, two] = helmFirst ? [s.helmEngine, s.engine] : [s.engine, s.helmEngine]
      const at = place()
      await deploy(at, rendered([configMap('a', { v: '1', dropped: 'x' }), configMap('gone')]), { engine: one })
      const second = await deploy(at, rendered([configMap('a', { v: '2' })]), { engine: two })
      expect((await find(at, 'a'))?.data).toEqual({ v: '2' })
      expect(await find(at, 'gone')).toBeUndefined()
      const third = await one.rollback(second, ROLLBACK, s.access)
      await deploy(at, rendered([configMap('a', {}), configMap('b')]), { engine: two })
      expect(third.version).toBe(3)
      expect((await find(at, 'a'))?.data ?? {}).toEqual({})
      expect(await revisions(at)).toEqual(['3 superseded', '4 deployed'])
      await one.uninstall(at, s.access)
      expect(await find(at, 'b')).toBeUndefined()
    })
  })
}
