// Files in a registry, from a published commit to the deployment and to the end of the artifact: a real API server and a real registry.
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import type { Bundle } from '../api/bundle.ts'
import { encodeContent } from '../api/content-id.ts'
import { BUNDLE, CONTENT, GIT_REPO } from '../api/kinds.ts'
import { CONTENT_NAME_LABEL, OCI_STORAGE_SECRET, SHARD_REF_LABEL } from '../api/labels.ts'
import { ociSecrets, type Secret } from '../bundle/oci-secrets.ts'
import { createContentStorage } from '../bundle/oci-storage.ts'
import { cachedStorageSecrets } from '../bundle/oci-storage-secrets.ts'
import { type BundlePublisher, createPublisher, publishedBundles } from '../bundle/publish.ts'
import { configMap, makeFolder, type Tree } from '../bundle/testing/folder.ts'
import { systemClock } from '../lib/controller/clock.ts'
import { silentLogger } from '../lib/controller/log.ts'
import type { KubeClient } from '../lib/kube/client.ts'
import { createInformerFactory, type InformerFactory } from '../lib/kube/informer.ts'
import { artifactLayer } from '../lib/oci/artifact.ts'
import { createRegistries, type Repository } from '../lib/oci/registry.ts'
import { type Controllers, startControllers, Workspace } from '../testing/bundle-workspace.ts'
import { testCluster, uniqueNamespace } from '../testing/cluster.ts'
import { consistently, eventually } from '../testing/eventually.ts'
import { clientOf } from '../testing/kube.ts'
import { PULLER, PUSHER, REGISTRY_PROGRAM, startTestRegistry, type TestRegistry } from '../testing/registry.ts'
import { bundleSecrets, SECRET } from './secrets.ts'

const never = new AbortController().signal
const shard = uniqueNamespace('shard')
const registries = createRegistries()

let client: KubeClient
let factory: InformerFactory
let controllers: Controllers
let publisher: BundlePublisher
let registry: TestRegistry
let later = 0 // how far the clock of the publisher is ahead, in milliseconds

describe.skipIf(!REGISTRY_PROGRAM)('files in a registry (skipped without docker-registry and openssl)', () => {
  beforeAll(async () => {
    const { kubeconfig } = testCluster('hub')
    ;[client, controllers, registry] = await Promise.all([
      clientOf(kubeconfig),
      startControllers(kubeconfig, shard),
      startTestRegistry({ guarded: true }),
    ])
    factory = createInformerFactory(client, { log: silentLogger })
    const secrets = cachedStorageSecrets({
      client,
      metadata: factory.informer({ type: SECRET, metadataOnly: true }),
      contents: factory.informer(ociSecrets),
      clock: { ...systemClock, now: () => Date.now() + later },
    })
    publisher = createPublisher({
      client,
      bundles: factory.informer(publishedBundles),
      valuesSecrets: factory.informer(bundleSecrets),
      storage: createContentStorage({ client, registries, secrets }),
      log: silentLogger,
    })
    factory.start(never)
    await factory.waitSynced()
  })

  afterAll(async () => {
    await controllers?.stop()
    await factory?.stop()
    await registry?.stop()
    await registries.close()
    await client?.close()
  })

  async function workspace(secret: Record<string, string> = {}): Promise<Workspace> {
    const ws = await Workspace.create(client, shard)
    await ws.cluster('one')
    await storageSecret(ws, 'ocistorage', secret)
    return ws
  }

  async function storageSecret(ws: Workspace, name: string, values: Record<string, string> = {}, type = OCI_STORAGE_SECRET) {
    const all: Record<string, string> = { reference: `${registry.host}/${ws.name}`, basicHTTP: 'true', ...PUSHER, ...values }
    const data = Object.fromEntries(Object.entries(all).map(([key, value]) => [key, Buffer.from(value).toString('base64')]))
    await client.apply<Secret>(
      { ...SECRET, metadata: { name, namespace: ws.name }, ...{ type, data } },
      { fieldManager: 'test', force: true },
    )
    await eventually(async () => {
      const { metadata } = await client.get({ ...SECRET, name, namespace: ws.name })
      expect(factory.informer({ type: SECRET, metadataOnly: true }).get(name, ws.name)?.metadata.resourceVersion).toBe(
        metadata.resourceVersion,
      )
    })
  }

  async function publish(ws: Workspace, tree: Tree, { name = 'repo', commit = 'c1', ociRegistrySecret = '' } = {}) {
    const spec = { repo: 'url', targets: [{ name: 'all', clusterSelector: {} }], ...(ociRegistrySecret ? { ociRegistrySecret } : {}) }
    const gitRepo = { ...GIT_REPO, metadata: { name, namespace: ws.name, labels: { [SHARD_REF_LABEL]: shard } }, spec }
    await using folder = await makeFolder(tree)
    const outcome = await publisher.publish(gitRepo, { commit, root: folder.root }, never)
    await eventually(async () => {
      const { items } = await client.list<Bundle>(BUNDLE, { namespace: ws.name })
      for (const { metadata, spec: stored } of items) {
        const cached = factory.informer(publishedBundles).get(metadata.name, ws.name)
        expect(cached?.spec).toEqual(stored)
        const id = stored.contentsId
        if (!id) continue
        const secret = await client.get({ ...SECRET, name: id, namespace: ws.name })
        expect(factory.informer(ociSecrets).get(id, ws.name)?.metadata.resourceVersion).toBe(secret.metadata.resourceVersion)
      }
    })
    return outcome
  }

  function repository(ws: Workspace, id: string): Repository {
    return registries.repository({ host: registry.host, path: `${ws.name}/${id}` }, { basicHttp: true, credentials: PUSHER })
  }

  function texts(secret: Secret | undefined): Record<string, string> {
    return Object.fromEntries(Object.entries(secret?.data ?? {}).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]))
  }

  const contentsOf = async (ws: Workspace, name = 'repo') => (await ws.getBundle(name)).spec.contentsId ?? ''
  const isThere = async (ws: Workspace, id: string) => (await repository(ws, id).head('latest', never)) !== undefined

  test('a bundle has its id, agents get a secret of their own, and there is no Content', async () => {
    const ws = await workspace({ agentUsername: PULLER.username, agentPassword: PULLER.password, note: 'not ours' })
    await publish(ws, { 'cm.yaml': configMap('a') })
    const expected = encodeContent([{ name: 'cm.yaml', content: configMap('a') }])
    const bundle = await ws.getBundle('repo')
    expect(bundle.spec).toMatchObject({ contentsId: expected.id })
    expect(bundle.spec.resources).toBeUndefined()
    const layer = await artifactLayer(repository(ws, expected.id), 'latest', { id: expected.id }, never)
    expect(layer.mediaType).toBe('application/fleet.file')
    expect(String(await repository(ws, expected.id).blob(layer, never))).toBe(expected.json)
    const kept = await ws.object<Secret>('Secret', expected.id)
    expect(kept?.type).toBe(OCI_STORAGE_SECRET)
    expect(kept?.metadata.labels).toMatchObject({ 'fleet.cattle.io/bundle-internal-secret': 'true' })
    expect(kept?.metadata.ownerReferences).toEqual([
      { ...BUNDLE, name: 'repo', uid: bundle.metadata.uid, controller: true, blockOwnerDeletion: true },
    ])
    expect(Object.keys(texts(kept)).sort()).toEqual(['agentPassword', 'agentUsername', 'basicHTTP', 'password', 'reference', 'username'])

    const deployment = await ws.deployment('repo', 'one')
    expect(deployment.spec.ociContents).toBe(true)
    expect(deployment.spec.deploymentID?.split(':')[0]).toBe(expected.id)
    expect(deployment.metadata.labels?.[CONTENT_NAME_LABEL]).toBeUndefined()
    expect(await client.find({ ...CONTENT, name: expected.id })).toBeUndefined()
    const copy = await eventually(async () => {
      const found = await ws.object<Secret>('Secret', expected.id, ws.namespaceOf('one'))
      expect(found).toBeDefined()
      return found
    })
    expect(texts(copy)).toEqual({
      reference: `${registry.host}/${ws.name}`,
      basicHTTP: 'true',
      agentUsername: PULLER.username,
      agentPassword: PULLER.password,
    })
    await ws.awaitBundle('repo', ({ status }) =>
      expect(status?.ociReference).toBe(`oci://${registry.host}/${ws.name}/${expected.id}:latest`),
    )
  })

  test('nothing is asked of the registry when nothing changed, also when only the commit did', async () => {
    const ws = await workspace()
    await publish(ws, { 'cm.yaml': configMap('a') })
    await registry.down()
    onTestFinished(() => registry.up())
    expect(await publish(ws, { 'cm.yaml': configMap('a') })).toMatchObject({ created: 0, updated: 0, deleted: 0 })
    expect(await publish(ws, { 'cm.yaml': configMap('a') }, { commit: 'c2' })).toMatchObject({ updated: 1 })
    await expect(publish(ws, { 'cm.yaml': configMap('b') }, { commit: 'c3' })).rejects.toThrow(/registry of .* cannot be reached/)
    expect((await ws.getBundle('repo')).metadata.labels?.['fleet.cattle.io/commit']).toBe('c2')
  })

  test('agents get what there is when they have no credentials of their own; new ones reach them', async () => {
    const ws = await workspace()
    await publish(ws, { 'cm.yaml': configMap('a') })
    const id = await contentsOf(ws)
    const copied = async () => texts(await ws.object<Secret>('Secret', id, ws.namespaceOf('one')))
    await eventually(async () => expect(await copied()).toMatchObject(PUSHER))
    await storageSecret(ws, 'ocistorage', { agentUsername: PULLER.username, agentPassword: PULLER.password })
    await publish(ws, { 'cm.yaml': configMap('a') })
    await eventually(async () => {
      expect(await copied()).toMatchObject({ agentUsername: PULLER.username, agentPassword: PULLER.password })
      expect(Object.keys(await copied())).not.toContain('password')
    })
  })

  test('an artifact goes when its bundle has other files, none in a registry, or goes itself', async () => {
    const ws = await workspace()
    await publish(ws, { 'cm.yaml': configMap('a') })
    const first = await contentsOf(ws)
    await ws.deployment('repo', 'one')
    await publish(ws, { 'cm.yaml': configMap('b') }, { commit: 'c2' })
    const second = await contentsOf(ws)
    await eventually(async () => {
      expect([await isThere(ws, first), await isThere(ws, second)]).toEqual([false, true])
      expect(await ws.object('Secret', first)).toBeUndefined()
      expect(await ws.object('Secret', first, ws.namespaceOf('one'))).toBeUndefined()
    })
    await client.delete({ ...SECRET, name: 'ocistorage', namespace: ws.name })
    await eventually(() => expect(factory.informer({ type: SECRET, metadataOnly: true }).get('ocistorage', ws.name)).toBeUndefined())
    await publish(ws, { 'cm.yaml': configMap('b') }, { commit: 'c2' })
    expect((await ws.getBundle('repo')).spec).toMatchObject({ resources: [{ name: 'cm.yaml' }] })
    const moved = await ws.deployment('repo', 'one', ({ spec }) => expect(spec.ociContents).toBeUndefined())
    expect(moved.metadata.labels?.[CONTENT_NAME_LABEL]).toBe(second)
    await eventually(async () => expect(await isThere(ws, second)).toBe(false))

    await storageSecret(ws, 'ocistorage')
    await publish(ws, { 'cm.yaml': configMap('c') }, { commit: 'c3' })
    const third = await contentsOf(ws)
    expect(await isThere(ws, third)).toBe(true)
    await ws.deleteBundle('repo')
    await eventually(async () =>
      expect([await isThere(ws, third), await client.find({ ...BUNDLE, name: 'repo', namespace: ws.name })]).toEqual([false, undefined]),
    )
  })

  test('an artifact stays as long as another bundle has it, in this workspace or the next', async () => {
    const ws = await workspace()
    const next = await Workspace.create(client, shard)
    await storageSecret(next, 'ocistorage', { reference: `${registry.host}/${ws.name}` })
    const tree = { 'cm.yaml': configMap('shared') }
    await publish(ws, tree)
    await publish(ws, tree, { name: 'second' })
    await publish(next, tree)
    const id = await contentsOf(ws)
    expect([await contentsOf(ws, 'second'), await contentsOf(next)]).toEqual([id, id])
    await ws.deleteBundle('repo')
    await eventually(async () =>
      expect((await ws.object('Secret', id))?.metadata.ownerReferences?.map(({ name }) => name)).toEqual(['second']),
    )
    await ws.deleteBundle('second')
    await eventually(async () => expect(await ws.object('Secret', id)).toBeUndefined())
    await consistently(async () => expect(await isThere(ws, id)).toBe(true), { forMs: 1_000 })
    await next.deleteBundle('repo')
    await eventually(async () => expect(await isThere(ws, id)).toBe(false))
  })

  test('a registry that cannot be reached delays the end of a bundle, which tells so, but not for ever', async () => {
    const ws = await workspace()
    const own = await startTestRegistry({ guarded: true })
    onTestFinished(() => own.stop())
    await storageSecret(ws, 'mine', { reference: `${own.host}/x` })
    await publish(ws, { 'cm.yaml': configMap('a') }, { ociRegistrySecret: 'mine' })
    const id = await contentsOf(ws)
    await own.down()
    await ws.deleteBundle('repo')
    await eventually(async () => expect(await client.find({ ...BUNDLE, name: 'repo', namespace: ws.name })).toBeUndefined(), {
      timeoutMs: 60_000,
    })
    const { items } = await client.list<{ reason?: string; note?: string } & Secret>(
      { apiVersion: 'events.k8s.io/v1', kind: 'Event' },
      { namespace: ws.name },
    )
    const event = items.find(({ reason }) => reason === 'FailedToDeleteOCIArtifact')
    expect(event?.note).toMatch(new RegExp(`failed to delete the artifact ${id} .* cannot be reached`))
    expect(JSON.stringify(items)).not.toMatch(/canary/)
  })

  test('a secret that is missing, of another type or incomplete is named', async () => {
    const ws = await workspace()
    const tree = { 'cm.yaml': configMap('a') }
    await expect(publish(ws, tree, { ociRegistrySecret: 'absent' })).rejects.toThrow(
      `secret ${ws.name}/absent with the OCI registry is missing`,
    )
    await storageSecret(ws, 'opaque', {}, 'Opaque')
    await expect(publish(ws, tree, { ociRegistrySecret: 'opaque' })).rejects.toThrow(/opaque with the OCI registry has the type Opaque/)
    await storageSecret(ws, 'empty', { reference: '' })
    await expect(publish(ws, tree, { ociRegistrySecret: 'empty' })).rejects.toThrow(/empty: the key reference is missing/)
    await storageSecret(ws, 'half', { agentUsername: 'x' })
    await expect(publish(ws, tree, { ociRegistrySecret: 'half' })).rejects.toThrow(/agentUsername has no agentPassword/)
    expect(await client.find({ ...BUNDLE, name: 'repo', namespace: ws.name })).toBeUndefined()
  })

  test('a publishing that was interrupted is finished by the next', async () => {
    const ws = await workspace()
    await publish(ws, { 'cm.yaml': configMap('a') })
    const id = await contentsOf(ws)
    // as if the process had ended before it could do the last steps, or another had begun to delete the artifact
    await client.patch({ ...SECRET, name: id, namespace: ws.name }, { metadata: { ownerReferences: null } }, { type: 'merge' })
    await repository(ws, id).deleteManifest('latest', never)
    await eventually(() => expect(factory.informer(ociSecrets).get(id, ws.name)?.metadata.ownerReferences).toBeUndefined())
    await publish(ws, { 'cm.yaml': configMap('a') })
    expect([await isThere(ws, id), (await ws.object('Secret', id))?.metadata.ownerReferences?.length]).toEqual([true, 1])
  })

  test('what an interrupted publishing left behind is deleted later', async () => {
    const ws = await workspace()
    await publish(ws, { 'cm.yaml': configMap('a') })
    const left = await contentsOf(ws)
    // as if the process had ended before the bundle was written: nobody owns the secret
    const ref = { ...SECRET, name: left, namespace: ws.name }
    await client.patch(ref, { metadata: { ownerReferences: null } }, { type: 'merge' })
    await publish(ws, { 'cm.yaml': configMap('b') }, { commit: 'c2' })
    await consistently(async () => expect(await isThere(ws, left)).toBe(true), { forMs: 500 })
    later = 3_600_000
    onTestFinished(() => {
      later = 0
    })
    await publish(ws, { 'cm.yaml': configMap('b') }, { commit: 'c3' })
    await eventually(async () => expect([await isThere(ws, left), await ws.object('Secret', left)]).toEqual([false, undefined]))
    expect(await isThere(ws, await contentsOf(ws))).toBe(true)
  })
})
