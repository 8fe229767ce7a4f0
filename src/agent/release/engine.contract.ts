// What every release engine must do, whatever it does it with: run by the test of each engine against a real cluster.
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { exec } from '../../lib/exec/exec.ts'
import type { HelmRelease, ReleaseState } from '../../lib/helm/release.ts'
import { createClient, type KubeClient } from '../../lib/kube/client.ts'
import { type KubeConnection, loadConnection } from '../../lib/kube/connection.ts'
import type { KubeObject } from '../../lib/kube/types.ts'
import { testCluster, uniqueNamespace } from '../../testing/cluster.ts'
import type { Rendered } from '../render/render.ts'
import type { DeployRequest, ReleaseAccess, ReleaseEngine, ReleaseRef, ReleaseSettings } from './engine.ts'
import { createReleaseStore, type ReleaseStore } from './store.ts'

/** A fresh engine over the given client; `bin` is a folder with helm and kubectl. */
type EngineFactory = (context: { client: KubeClient; store: ReleaseStore; bin: string; workDir: string }) => ReleaseEngine

const SET = 'objectset.rio.cattle.io/hash'
const SETTINGS: ReleaseSettings = {
  createNamespace: true,
  takeOwnership: false,
  force: false,
  atomic: false,
  timeoutSeconds: 0,
  waitForJobs: false,
  maxHistory: 2,
  skipSchemaValidation: false,
}

const configMap = (name: string, data: Record<string, string> = { k: 'v' }, annotations: Record<string, string> = {}): KubeObject =>
  ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, labels: { [SET]: 'set' }, annotations }, data }) as KubeObject

const rendered = (manifests: KubeObject[], extra: Partial<Rendered> = {}): Rendered => ({
  style: {},
  chart: { apiVersion: 'v2', name: 'demo', version: 'v0.0.0+s-1' },
  manifests,
  hooks: [],
  definitions: '',
  ...extra,
})

/** A cache that is always empty: the contract is about what stands in the cluster. */
const noCache = { synced: true, get: () => undefined, list: () => [], by: () => [], subscribe: () => () => {}, waitSynced: async () => {} }

export function describeEngine(name: string, create: EngineFactory, withWorkDir: () => { path: string }): void {
  describe(`the ${name} engine`, () => {
    let connection: KubeConnection
    let client: KubeClient
    let store: ReleaseStore
    let engine: ReleaseEngine
    let access: ReleaseAccess

    beforeAll(async () => {
      const cluster = testCluster('downstream')
      connection = await loadConnection({ kubeconfig: cluster.kubeconfig })
      client = createClient(connection)
      store = createReleaseStore(client, noCache)
      engine = create({ client, store, bin: cluster.bin, workDir: withWorkDir().path })
      access = { client, kubeconfig: () => connection.toKubeconfig() }
    })
    afterAll(() => client.close())

    const place = (): ReleaseRef => ({ namespace: uniqueNamespace('engine'), name: 'demo' })
    const find = ({ namespace }: ReleaseRef, object: string, type = { apiVersion: 'v1', kind: 'ConfigMap' }) =>
      client.find<KubeObject & { data?: Record<string, string> }>({ ...type, namespace, name: object })
    const revisions = async (release: ReleaseRef) => (await store.revisions(release)).map(({ version, state }) => `${version} ${state}`)

    async function deploy(
      release: ReleaseRef,
      what: Rendered,
      options: Partial<Omit<DeployRequest, 'settings'>> & { settings?: Partial<ReleaseSettings> } = {},
    ) {
      const owner = { bundleId: 'demo', agentNamespace: 'agents', serviceAccount: '', keepResources: false }
      const request = {
        release,
        rendered: what,
        owner,
        commit: undefined,
        values: {},
        deployment: 'v1',
        current: await engine.status(release),
        ...options,
      }
      return engine.deploy({ ...request, settings: { ...SETTINGS, ...options.settings } }, access)
    }

    async function setState(release: ReleaseRef, version: number, status: ReleaseState) {
      const stored = (await store.read({ ...release, version })) as HelmRelease
      await store.write({ ...stored, info: { ...stored.info, status } })
    }

    test('installs objects into a namespace it creates, and remembers for whom', async () => {
      const at = place()
      expect(await engine.status(at)).toBeUndefined()
      const objects = [configMap('a', { literal: '{{ .Release.Name }}', on: 'yes' }), configMap('b')]
      const owner = { bundleId: 'demo', agentNamespace: 'agents', serviceAccount: 'sa', keepResources: true }
      const revision = await deploy(at, rendered(objects), { owner, commit: 'abc', deployment: 'mine', values: { set: { by: 'user' } } })
      expect(revision).toMatchObject({ ...at, version: 1 })
      expect((await find(at, 'a'))?.data).toEqual({ literal: '{{ .Release.Name }}', on: 'yes' })
      expect(await engine.status(at)).toMatchObject({ version: 1, state: 'deployed', owner, deployment: 'mine', applyMethod: 'ssa' })
      const stored = await store.read(revision)
      expect(stored?.chart?.metadata).toMatchObject({
        name: 'demo',
        version: 'v0.0.0+s-1',
        annotations: { 'fleet.cattle.io/commit': 'abc' },
      })
      expect(stored?.config).toEqual({ set: { by: 'user' } })
      expect((await engine.read(revision))?.objects.map(({ metadata }) => metadata.name)).toEqual(['a', 'b'])
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
      await client.apply(
        { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', namespace: at.namespace }, data: { v: 'other' } } as KubeObject,
        { fieldManager: 'other', force: true },
      )
      await deploy(at, rendered([configMap('a', { v: '2' })]))
      expect((await find(at, 'a'))?.data).toEqual({ v: '2' })
    })

    test('takes over from the agent of Go Fleet: a field that the new version drops goes, whoever wrote it', async () => {
      const at = place()
      const object = configMap('a', { kept: '1', dropped: '1' })
      await deploy(at, rendered([object]))
      const secret = { apiVersion: 'v1', kind: 'Secret', namespace: at.namespace, name: 'sh.helm.release.v1.demo.v1' }
      await client.patch(
        secret,
        { metadata: { labels: { 'fleet.cattle.io/deployment': null, 'fleet.cattle.io/bundle-id': null } } },
        { type: 'merge' },
      )
      await client.apply(
        { ...object, metadata: { ...object.metadata, namespace: at.namespace } },
        { fieldManager: 'fleetagent', force: true },
      )
      await deploy(at, rendered([configMap('a', { kept: '2' }), configMap('b')]))
      expect((await find(at, 'a'))?.data).toEqual({ kept: '2' })
      expect((await find(at, 'b'))?.data).toEqual({ k: 'v' })
    })

    test('runs hooks and keeps them out of the objects', async () => {
      const at = place()
      const hook = configMap('hook', {}, { 'helm.sh/hook': 'post-install' })
      const revision = await deploy(at, rendered([configMap('a')], { hooks: [hook] }))
      expect(await find(at, 'hook')).toBeDefined()
      expect(revision.objects.map(({ metadata }) => metadata.name)).toEqual(['a'])
      expect((await engine.read(revision))?.objects.map(({ metadata }) => metadata.name)).toEqual(['a'])
    })

    test('refuses objects of others, unless it is to adopt them', async () => {
      const at = place()
      await client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: at.namespace } })
      await client.create({ ...configMap('a', { mine: 'kept' }), metadata: { name: 'a', namespace: at.namespace } })
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
      expect((await engine.status(at))?.state).toBe('deployed')
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
        expect(await engine.status(at)).toMatchObject({ version: 3, state: 'deployed' })
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
      await expect(deploy(place(), rendered([web]), { settings: { timeoutSeconds: 1, atomic: true } })).rejects.toMatchObject({
        kind: 'rolled-back',
        message: expect.stringContaining('has been uninstalled due to atomic being set'),
      })
    })

    test('restores what was changed or deleted by a new revision', async () => {
      const at = place()
      const revision = await deploy(at, rendered([configMap('a', { v: '1' }), configMap('b')]))
      await client.patch(
        { apiVersion: 'v1', kind: 'ConfigMap', namespace: at.namespace, name: 'a' },
        { data: { v: 'changed', added: 'stays' } },
        { type: 'merge' },
      )
      await client.delete({ apiVersion: 'v1', kind: 'ConfigMap', namespace: at.namespace, name: 'b' })
      const restored = await engine.rollback(revision, { force: false, maxHistory: 2, keepFailHistory: false }, access)
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
      await client.patch(
        { apiVersion: 'v1', kind: 'Service', namespace: at.namespace, name: 'web' },
        { spec: { ports: [{ name: 'web', port: 4242 }] } },
        { type: 'merge' },
      )
      await expect(engine.rollback(revision, { force: false, maxHistory: 2, keepFailHistory }, access)).rejects.toThrow('Duplicate value')
      expect(await revisions(at)).toEqual(expected)
      const forced = await engine.rollback(revision, { force: true, maxHistory: 2, keepFailHistory }, access)
      expect((await engine.status(at))?.version).toBe(forced.version)
    })

    test('uninstalls its objects but those that are to be kept, and what is gone already is no error', async () => {
      const at = place()
      await deploy(at, rendered([configMap('a'), configMap('kept', {}, { 'helm.sh/resource-policy': 'keep' })]))
      await engine.uninstall(at, access)
      await engine.uninstall(at, access)
      expect(await find(at, 'a')).toBeUndefined()
      expect(await find(at, 'kept')).toBeDefined()
      expect(await revisions(at)).toEqual([])
    })

    test('uninstalling may leave the history, from which the release is installed anew', async () => {
      const at = place()
      await deploy(at, rendered([configMap('a')]))
      for (const _ of ['first', 'again']) await engine.uninstall(at, access, { keepHistory: true })
      expect(await find(at, 'a')).toBeUndefined()
      expect(await revisions(at)).toEqual(['1 uninstalled'])
      await deploy(at, rendered([configMap('a')]))
      expect(await find(at, 'a')).toBeDefined()
      expect((await engine.status(at))?.state).toBe('deployed')
      await engine.uninstall(at, access)
      expect(await revisions(at)).toEqual([])
    })

    test('uninstalling spares what another release has taken over', async () => {
      const one = place()
      const two = { namespace: one.namespace, name: 'other' }
      await deploy(one, rendered([configMap('shared'), configMap('own')]))
      await deploy(two, rendered([configMap('shared')]), { settings: { takeOwnership: true } })
      await engine.uninstall(one, access)
      expect(await find(one, 'own')).toBeUndefined()
      expect(await find(one, 'shared')).toBeDefined()
      expect(await revisions(one)).toEqual([])
    })

    test('forgetting removes the history alone', async () => {
      const at = place()
      await deploy(at, rendered([configMap('a')]))
      await deploy(at, rendered([configMap('a', { v: '2' })]))
      await engine.forget(at)
      expect(await revisions(at)).toEqual([])
      expect(await find(at, 'a')).toBeDefined()
    })

    test('is understood by the helm command', async () => {
      const at = place()
      await deploy(at, rendered([configMap('a')]), { values: { set: 1 } })
      const { bin, kubeconfig } = testCluster('downstream')
      const helm = async (...args: string[]) =>
        (
          await exec(join(bin, 'helm'), [...args, '-n', at.namespace, '--kubeconfig', kubeconfig], {
            env: { HOME: withWorkDir().path },
            timeoutMs: 20_000,
          })
        ).stdout
      expect(JSON.parse(await helm('list', '-o', 'json'))).toMatchObject([
        { name: 'demo', revision: '1', status: 'deployed', chart: 'demo-v0.0.0+s-1' },
      ])
      expect(JSON.parse(await helm('get', 'values', 'demo', '-o', 'json'))).toEqual({ set: 1 })
      expect(await helm('get', 'manifest', 'demo')).toContain('name: a')
    })
  })
}
