// What every release engine must do, whatever it does it with: run by the test of each engine against a real cluster.
import { describe, expect, test } from 'vitest'
import type { KubeObject } from '../../lib/kube/types.ts'
import type { ReleaseRef } from './engine.ts'
import { configMap, type EngineUnderTest, rendered, useEngine } from './engine-fixture.contract.ts'

export function describeEngine(name: string, subject: EngineUnderTest): void {
  describe(`the ${name} engine`, () => {
    const s = useEngine(subject)
    const { place, find, revisions, deploy, setState } = s

    test('installs objects into a namespace it creates, and remembers for whom', async () => {
      const at = place()
      expect(await s.engine.status(at)).toBeUndefined()
      const objects = [configMap('a', { literal: '{{ .Release.Name }}', on: 'yes' }), configMap('b')]
      const owner = { bundleId: 'demo', agentNamespace: 'agents', serviceAccount: 'sa', keepResources: true }
      const revision = await deploy(at, rendered(objects), { owner, commit: 'abc', deployment: 'mine', values: { set: { by: 'user' } } })
      expect(revision).toMatchObject({ ...at, version: 1 })
      expect((await find(at, 'a'))?.data).toEqual({ literal: '{{ .Release.Name }}', on: 'yes' })
      expect(await s.engine.status(at)).toMatchObject({ version: 1, state: 'deployed', owner, deployment: 'mine', applyMethod: 'ssa' })
      const stored = await s.store.read(revision)
      expect(stored?.chart?.metadata).toMatchObject({
        name: 'demo',
        version: 'v0.0.0+s-1',
        annotations: { 'fleet.cattle.io/commit': 'abc' },
      })
      expect(stored?.config).toEqual({ set: { by: 'user' } })
      expect((await s.engine.read(revision))?.objects.map(({ metadata }) => metadata.name)).toEqual(['a', 'b'])
    })

    test('upgrades: what is new comes, what is no longer wanted goes, the history stays short', async () => {
      const at = place()
      await deploy(at, rendered([configMap('a', { v: '1' }), configMap('gone')]))
      await deploy(at, rendered([configMap('a', { v: '2' }), configMap('new')]))
      await deploy(at, rendered([configMap('a', { v: '3' }), configMap('new')]))
      expect((await find(at, 'a'))?.data).toEqual({ v: '3' })
      expect(await find(at, 'gone')).toBeUndefined()
      expect(await find(at, 'new')).toBeDefined()
      expect(await revisions(at)).toEqual(['2 superseded', '3 deployed'])
    })

    test('takes back fields that somebody else changed', async () => {
      const at = place()
      await deploy(at, rendered([configMap('a', { v: '1' })]))
      await s.client.apply(
        { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', namespace: at.namespace }, data: { v: 'other' } } as KubeObject,
        { fieldManager: 'other', force: true },
      )
      await deploy(at, rendered([configMap('a', { v: '2' })]))
      expect((await find(at, 'a'))?.data).toEqual({ v: '2' })
    })

    /** As if another agent had deployed the object: under its field manager, and without the labels of the newest agents if it says so. */
    async function writtenBy(at: ReleaseRef, fieldManager: string, how: 'Apply' | 'Update', object: KubeObject): Promise<void> {
      const whole = { ...object, metadata: { ...object.metadata, namespace: at.namespace } }
      await s.client.delete({ apiVersion: 'v1', kind: 'ConfigMap', namespace: at.namespace, name: object.metadata.name })
      if (how === 'Update') await s.client.create(whole, { fieldManager })
      else await s.client.apply(whole, { fieldManager, force: true })
    }

    test.each([
      ['Go Fleet', 'fleetagent', 'Apply', 'ssa'],
      ['Go Fleet by the client', 'fleetagent', 'Update', 'csa'],
      ['an earlier version', 'helm', 'Apply', 'ssa'],
      ['an earlier version by the client', 'helm', 'Update', 'csa'],
      ['the helm command in between', 'helm', 'Update', 'ssa'],
    ] as const)('takes over from %s: a field that the new version drops goes, whoever wrote it', async (_, manager, how, method) => {
      const at = place()
      const object = configMap('a', { kept: '1', dropped: '1' })
      await deploy(at, rendered([object, configMap('same')]))
      await writtenBy(at, manager, how, object)
      await writtenBy(at, manager, how, configMap('same'))
      const stored = (await s.store.read({ ...at, version: 1 }))!
      await s.store.write({ ...stored, apply_method: method })
      await deploy(at, rendered([configMap('a', { kept: '2' }), configMap('same'), configMap('b')]))
      expect((await find(at, 'a'))?.data).toEqual({ kept: '2' })
      expect((await find(at, 'b'))?.data).toEqual({ k: 'v' })
      for (const name of ['a', 'same', 'b']) {
        const owners = Object.keys(await s.owners(at, name))
        expect(
          owners.filter((owner) => !owner.startsWith('fleetagent ')),
          name,
        ).toEqual([])
        if (method === 'ssa') expect(owners, name).toEqual(['fleetagent Apply'])
      }
    })

    test('leaves objects that Go Fleet changes without a conflict: it applies under the same name, and forces nothing', async () => {
      const at = place()
      await deploy(at, rendered([configMap('a', { v: '1', more: 'x' })]))
      await deploy(at, rendered([configMap('a', { v: '2', more: 'x' })]))
      const { labels, annotations } = (await find(at, 'a'))!.metadata
      const next = { ...configMap('a', { v: '3' }), metadata: { name: 'a', namespace: at.namespace, labels, annotations } } as KubeObject
      await s.client.apply(next, { fieldManager: 'fleetagent' })
      expect((await find(at, 'a'))?.data).toEqual({ v: '3' })
    })

    test('runs hooks and keeps them out of the objects', async () => {
      const at = place()
      const hook = configMap('hook', {}, { 'helm.sh/hook': 'post-install' })
      const revision = await deploy(at, rendered([configMap('a')], { hooks: [hook] }))
      expect(await find(at, 'hook')).toBeDefined()
      expect(revision.objects.map(({ metadata }) => metadata.name)).toEqual(['a'])
      expect((await s.engine.read(revision))?.objects.map(({ metadata }) => metadata.name)).toEqual(['a'])
    })

    test('refuses objects of others, unless it is to adopt them', async () => {
      const at = place()
      await s.client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: at.namespace } })
      await s.client.create({ ...configMap('a', { mine: 'kept' }), metadata: { name: 'a', namespace: at.namespace } })
      await expect(deploy(at, rendered([configMap('a')]))).rejects.toMatchObject({ kind: 'ownership' })
      expect(await revisions(at)).toEqual([])
      await deploy(at, rendered([configMap('a')]), { settings: { takeOwnership: true } })
      expect((await find(at, 'a'))?.data).toEqual({ mine: 'kept', k: 'v' })
    })

    test.each(['pending-install', 'failed', 'uninstalling'] as const)('goes on from an installation that was left %s', async (state) => {
      const at = place()
      await deploy(at, rendered([configMap('a', { v: '1' }), configMap('left')]))
      await setState(at, 1, state)
      await deploy(at, rendered([configMap('a', { v: '2' })]))
      expect((await find(at, 'a'))?.data).toEqual({ v: '2' })
      expect(await find(at, 'left')).toBeUndefined()
      expect((await s.engine.status(at))?.state).toBe('deployed')
    })

    test.each(['pending-upgrade', 'pending-rollback', 'failed'] as const)(
      'goes on from an upgrade that was left %s, and clears what only that one had',
      async (state) => {
        const at = place()
        await deploy(at, rendered([configMap('a', { v: '1' }), configMap('first')]))
        await deploy(at, rendered([configMap('a', { v: '2' }), configMap('left')]))
        await setState(at, 2, state)
        await setState(at, 1, 'deployed')
        await deploy(at, rendered([configMap('a', { v: '3' })]))
        expect((await find(at, 'a'))?.data).toEqual({ v: '3' })
        expect(await find(at, 'left')).toBeUndefined()
        expect(await s.engine.status(at)).toMatchObject({ version: 3, state: 'deployed' })
      },
    )

    test('names what is not ready when it waits in vain', async () => {
      const at = place()
      const web = {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'web' },
        spec: {
          selector: { matchLabels: { a: 'b' } },
          template: { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'example.invalid/c:1' }] } },
        },
      } as KubeObject
      await expect(deploy(at, rendered([web]), { settings: { timeoutSeconds: 1 } })).rejects.toMatchObject({
        kind: 'timeout',
        message: expect.stringContaining('web not ready'),
      })
      await expect(deploy(place(), rendered([web]), { settings: { timeoutSeconds: 5, atomic: true } })).rejects.toMatchObject({
        kind: 'rolled-back',
        message: expect.stringContaining('has been uninstalled due to atomic being set'),
      })
    })

    test('restores what was changed or deleted by a new revision', async () => {
      const at = place()
      const revision = await deploy(at, rendered([configMap('a', { v: '1' }), configMap('b')]))
      await s.client.patch(
        { apiVersion: 'v1', kind: 'ConfigMap', namespace: at.namespace, name: 'a' },
        { data: { v: 'changed', added: 'stays' } },
        { type: 'merge' },
      )
      await s.client.delete({ apiVersion: 'v1', kind: 'ConfigMap', namespace: at.namespace, name: 'b' })
      const restored = await s.engine.rollback(revision, { force: false, maxHistory: 2, keepFailHistory: false }, s.access)
      expect(restored).toMatchObject({ version: 2, objects: [{ metadata: { name: 'a' } }, { metadata: { name: 'b' } }] })
      expect((await find(at, 'a'))?.data).toEqual({ v: '1', added: 'stays' })
      expect(await find(at, 'b')).toBeDefined()
      expect(await revisions(at)).toEqual(['1 superseded', '2 deployed'])
    })

    test.each([
      [false, ['1 deployed']],
      [true, ['1 deployed', '2 failed']],
    ])('a restoration that is refused leaves the deployed revision in place (keepFailHistory %s)', async (keepFailHistory, expected) => {
      const at = place()
      const service = {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'web' },
        spec: { ports: [{ name: 'web', port: 80 }] },
      } as KubeObject
      const revision = await deploy(at, rendered([service]))
      await s.client.patch(
        { apiVersion: 'v1', kind: 'Service', namespace: at.namespace, name: 'web' },
        { spec: { ports: [{ name: 'web', port: 4242 }] } },
        { type: 'merge' },
      )
      await expect(s.engine.rollback(revision, { force: false, maxHistory: 2, keepFailHistory }, s.access)).rejects.toThrow(
        'Duplicate value',
      )
      expect(await revisions(at)).toEqual(expected)
      const forced = await s.engine.rollback(revision, { force: true, maxHistory: 2, keepFailHistory }, s.access)
      expect((await s.engine.status(at))?.version).toBe(forced.version)
    })

    test('uninstalls its objects but those that are to be kept, and what is gone already is no error', async () => {
      const at = place()
      await deploy(at, rendered([configMap('a'), configMap('kept', {}, { 'helm.sh/resource-policy': 'keep' })]))
      await s.engine.uninstall(at, s.access)
      await s.engine.uninstall(at, s.access)
      expect(await find(at, 'a')).toBeUndefined()
      expect(await find(at, 'kept')).toBeDefined()
      expect(await revisions(at)).toEqual([])
    })

    test('uninstalling may leave the history, from which the release is installed anew', async () => {
      const at = place()
      await deploy(at, rendered([configMap('a')]))
      for (const _ of ['first', 'again']) await s.engine.uninstall(at, s.access, { keepHistory: true })
      expect(await find(at, 'a')).toBeUndefined()
      expect(await revisions(at)).toEqual(['1 uninstalled'])
      await deploy(at, rendered([configMap('a')]))
      expect(await find(at, 'a')).toBeDefined()
      expect((await s.engine.status(at))?.state).toBe('deployed')
      await s.engine.uninstall(at, s.access)
      expect(await revisions(at)).toEqual([])
    })

    test('uninstalling spares what another release has taken over', async () => {
      const one = place()
      const two = { namespace: one.namespace, name: 'other' }
      await deploy(one, rendered([configMap('shared'), configMap('own')]))
      await deploy(two, rendered([configMap('shared')]), { settings: { takeOwnership: true } })
      await s.engine.uninstall(one, s.access)
      expect(await find(one, 'own')).toBeUndefined()
      expect(await find(one, 'shared')).toBeDefined()
      expect(await revisions(one)).toEqual([])
    })

    test('forgetting removes the history alone', async () => {
      const at = place()
      await deploy(at, rendered([configMap('a')]))
      await deploy(at, rendered([configMap('a', { v: '2' })]))
      await s.engine.forget(at)
      expect(await revisions(at)).toEqual([])
      expect(await find(at, 'a')).toBeDefined()
    })

    test('is understood by the helm command', async () => {
      const at = place()
      await deploy(at, rendered([configMap('a')]), { values: { set: 1 } })
      expect(JSON.parse(await s.helm(at, 'list', '-o', 'json'))).toMatchObject([
        { name: 'demo', revision: '1', status: 'deployed', chart: 'demo-v0.0.0+s-1' },
      ])
      expect(JSON.parse(await s.helm(at, 'get', 'values', 'demo', '-o', 'json'))).toEqual({ set: 1 })
      expect(await s.helm(at, 'get', 'manifest', 'demo')).toContain('name: a')
    })
  })
}
