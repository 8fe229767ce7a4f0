// Files of bundles in an OCI registry: they reach the member, a registry that is away loses nothing, and a wrong certificate is named.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Bundle } from '../../api/bundle.ts'
import type { BundleDeployment } from '../../api/bundle-deployment.ts'
import { BUNDLE, BUNDLE_DEPLOYMENT } from '../../api/kinds.ts'
import { OCI_STORAGE_SECRET } from '../../api/labels.ts'
import { WORKSPACE } from '../../devcluster/fleet-objects.ts'
import type { KubeObject } from '../../lib/kube/types.ts'
import { createRegistries } from '../../lib/oci/registry.ts'
import { eventually } from '../eventually.ts'
import { configMap, configMapRef, useFleet } from '../fleet.ts'
import { PULLER, PUSHER, REGISTRY_PROGRAM, startTestRegistry, type TestRegistry } from '../registry.ts'

const never = new AbortController().signal

describe.skipIf(!REGISTRY_PROGRAM)('files in a registry (skipped without docker-registry and openssl)', () => {
  const fleet = useFleet()
  let registry: TestRegistry
  beforeAll(async () => {
    registry = await startTestRegistry({ tls: true, guarded: true })
  })
  afterAll(() => registry?.stop())

  async function storageSecret(name: string, values: Record<string, string> = {}): Promise<void> {
    const agent = { agentUsername: PULLER.username, agentPassword: PULLER.password }
    const all = { reference: `${registry.host}/${name}`, cacerts: registry.ca, ...PUSHER, ...agent, ...values }
    const data = Object.fromEntries(Object.entries(all).map(([key, value]) => [key, Buffer.from(value).toString('base64')]))
    const secret = { apiVersion: 'v1', kind: 'Secret', type: OCI_STORAGE_SECRET, metadata: { name, namespace: WORKSPACE }, data }
    await fleet.hub.apply(secret as KubeObject, { fieldManager: 'story', force: true })
  }

  const textOf = async (namespace: string) =>
    (await fleet.down.find<KubeObject & { data?: { text?: string } }>(configMapRef('one', namespace)))?.data?.text
  const files = (namespace: string, text: string) => ({
    'raw/one.yaml': configMap('one', { text }),
    'raw/fleet.yaml': `defaultNamespace: ${namespace}\n`,
  })

  async function deploymentOf(gitRepo: string): Promise<BundleDeployment> {
    const [deployment] = await fleet.deployments(gitRepo)
    if (!deployment) throw new Error(`${gitRepo} has no deployment`)
    return deployment
  }

  test('a commit is deployed out of it, the next one too, and the artifact goes with the GitRepo', async () => {
    await storageSecret('stored')
    const repository = await fleet.git.repository('stored', files('stored', 'first'))
    await fleet.gitRepo('stored', { repo: repository.url, paths: ['raw'], ociRegistrySecret: 'stored' })
    await fleet.ready('stored', await repository.head())
    expect(await textOf('stored')).toBe('first')
    const { spec, metadata } = await deploymentOf('stored')
    expect(spec.ociContents).toBe(true)
    const id = spec.deploymentID?.split(':')[0] ?? ''
    const copy = await fleet.hub.get<KubeObject & { data?: Record<string, string> }>({
      apiVersion: 'v1',
      kind: 'Secret',
      name: id,
      namespace: metadata.namespace ?? '',
    })
    expect(Object.keys(copy.data ?? {}).sort()).toEqual(['agentPassword', 'agentUsername', 'cacerts', 'reference'])

    const commit = await repository.commit({ 'raw/one.yaml': configMap('one', { text: 'second' }) })
    await fleet.ready('stored', commit)
    expect(await textOf('stored')).toBe('second')
    const registries = createRegistries()
    const artifact = (name: string) =>
      registries
        .repository({ host: registry.host, path: `stored/${name}` }, { caBundle: registry.ca, credentials: PUSHER })
        .head('latest', never)
    const second = (await deploymentOf('stored')).spec.deploymentID?.split(':')[0] ?? ''
    await eventually(async () => expect([await artifact(id), await artifact(second)]).toEqual([undefined, expect.any(String)]))
    await fleet.hub.delete({ apiVersion: 'fleet.cattle.io/v1alpha1', kind: 'GitRepo', name: 'stored', namespace: WORKSPACE })
    await eventually(async () => expect(await artifact(second)).toBeUndefined())
    await fleet.gone(fleet.down, configMapRef('one', 'stored'))
    await registries.close()
  })

  test('a registry that is away for a while loses nothing', async () => {
    await storageSecret('away')
    const repository = await fleet.git.repository('away', files('away', 'first'))
    await fleet.gitRepo('away', { repo: repository.url, paths: ['raw'], ociRegistrySecret: 'away' })
    await fleet.ready('away', await repository.head())
    await registry.down()
    const commit = await repository.commit({ 'raw/one.yaml': configMap('one', { text: 'second' }) })
    await fleet.gitRepoCondition('away', 'Stalled', 'True', /the registry of 127\.0\.0\.1:\d+\/away\/s-\w+:latest cannot be reached/)
    expect(await textOf('away')).toBe('first')
    await registry.up()
    await fleet.ready('away', commit)
    expect(await textOf('away')).toBe('second')
    await fleet.gitRepoCondition('away', 'Stalled', 'False')
  })

  test('another registry takes over at once, not with the next commit', async () => {
    await storageSecret('moved')
    const repository = await fleet.git.repository('moved', files('moved', 'first'))
    await fleet.gitRepo('moved', { repo: repository.url, paths: ['raw'], ociRegistrySecret: 'moved' })
    await fleet.ready('moved', await repository.head())
    const id = (await deploymentOf('moved')).spec.deploymentID?.split(':')[0] ?? ''
    const other = await startTestRegistry({ tls: true, guarded: true })
    const registries = createRegistries()
    try {
      await storageSecret('moved', { reference: `${other.host}/elsewhere`, cacerts: other.ca, password: 'mistaken' })
      await fleet.gitRepoCondition('moved', 'Stalled', 'True', /does not accept the credentials .* \(in secret fleet-default\/moved\)/)
      expect(await textOf('moved')).toBe('first')
      await storageSecret('moved', { reference: `${other.host}/elsewhere`, cacerts: other.ca })
      await fleet.gitRepoCondition('moved', 'Stalled', 'False')
      const stored = registries.repository({ host: other.host, path: `elsewhere/${id}` }, { caBundle: other.ca, credentials: PUSHER })
      await eventually(async () => expect(await stored.head('latest', never)).toEqual(expect.any(String)))
      const ref = { ...BUNDLE, name: (await fleet.bundles('moved'))[0]?.metadata.name ?? '', namespace: WORKSPACE }
      await eventually(async () =>
        expect((await fleet.hub.get<Bundle>(ref)).status?.ociReference).toBe(`oci://${other.host}/elsewhere/${id}:latest`),
      )
      // the agent finds it there, too
      await fleet.hub.patch(ref, { spec: { forceSyncGeneration: 3 } }, { type: 'merge' })
      await fleet.ready('moved', await repository.head())
    } finally {
      await Promise.all([registries.close(), other.stop()])
    }
  })

  test('the default secret is used when it comes, and when it goes the files are back in the cluster', async () => {
    const repository = await fleet.git.repository('default', files('default', 'first'))
    await fleet.gitRepo('default', { repo: repository.url, paths: ['raw'] })
    await fleet.ready('default', await repository.head())
    const stored = async () =>
      (await fleet.bundles('default')).map(({ spec }) => [spec.contentsId !== undefined, spec.resources?.length ?? 0])
    expect(await stored()).toEqual([[false, 1]])
    await storageSecret('ocistorage')
    await eventually(async () => expect(await stored()).toEqual([[true, 0]]))
    await eventually(async () => expect((await deploymentOf('default')).spec.ociContents).toBe(true))
    await fleet.ready('default', await repository.head())
    await fleet.hub.delete({ apiVersion: 'v1', kind: 'Secret', name: 'ocistorage', namespace: WORKSPACE })
    await eventually(async () => expect(await stored()).toEqual([[false, 1]]))
    await eventually(async () => expect((await deploymentOf('default')).spec.ociContents ?? false).toBe(false))
    await fleet.ready('default', await repository.head())
    expect(await textOf('default')).toBe('first')
  })

  test('an artifact that is not what it should be is not deployed, and the deployment says so', async () => {
    await storageSecret('forged')
    const repository = await fleet.git.repository('forged', files('forged', 'first'))
    await fleet.gitRepo('forged', { repo: repository.url, paths: ['raw'], ociRegistrySecret: 'forged', paused: true })
    const bundle = await eventually(async () => {
      const [found] = await fleet.bundles('forged')
      expect(found?.spec.contentsId).toBeDefined()
      return found
    })
    const registries = createRegistries()
    const id = bundle?.spec.contentsId ?? ''
    const stored = registries.repository({ host: registry.host, path: `forged/${id}` }, { caBundle: registry.ca, credentials: PUSHER })
    const manifest = await stored.manifest('latest', never)
    const layer = await stored.pushBlob(Buffer.from('{"resources":[]}\n'), 'application/fleet.file', never)
    const forged = { ...manifest?.content, layers: [{ ...layer, annotations: { id } }] }
    await stored.pushManifest('latest', manifest?.mediaType ?? '', Buffer.from(JSON.stringify(forged)), never)
    await fleet.gitRepo('forged', { repo: repository.url, paths: ['raw'], ociRegistrySecret: 'forged' })
    const { name, namespace = '' } = await eventually(async () => (await deploymentOf('forged')).metadata)
    const ref = { ...BUNDLE_DEPLOYMENT, name, namespace }
    await fleet.condition(ref, 'Deployed', 'False', new RegExp(`invalid or corrupt manifest. Expecting id: "${id}"`))
    await stored.pushManifest('latest', manifest?.mediaType ?? '', manifest?.bytes ?? Buffer.alloc(0), never)
    await fleet.ready('forged', await repository.head())
    await registries.close()
  })

  test('a certificate of an unknown authority is named, on the hub and at the member', async () => {
    await storageSecret('distrusted', { cacerts: '' })
    const repository = await fleet.git.repository('distrusted', files('distrusted', 'first'))
    await fleet.gitRepo('distrusted', { repo: repository.url, paths: ['raw'], ociRegistrySecret: 'distrusted' })
    await fleet.gitRepoCondition(
      'distrusted',
      'Stalled',
      'True',
      /certificate of the registry .* signed by an unknown authority .* \(as cacerts in secret fleet-default\/distrusted\)/,
    )
    await storageSecret('distrusted')
    await fleet.ready('distrusted', await repository.head())

    const { metadata } = await deploymentOf('distrusted')
    const [bundle] = await fleet.bundles('distrusted')
    const secret = { apiVersion: 'v1', kind: 'Secret', name: bundle?.spec.contentsId ?? '', namespace: WORKSPACE }
    const ref = { ...BUNDLE_DEPLOYMENT, name: metadata.name, namespace: metadata.namespace ?? '' }
    const kept = await fleet.hub.get<KubeObject & { data?: Record<string, string> }>(secret)
    await fleet.hub.patch(secret, { data: { cacerts: null } }, { type: 'merge' })
    await fleet.hub.patch({ ...BUNDLE, name: metadata.name, namespace: WORKSPACE }, { spec: { forceSyncGeneration: 7 } }, { type: 'merge' })
    await fleet.condition(ref, 'Deployed', 'False', /certificate of the registry .* signed by an unknown authority/)
    expect(await textOf('distrusted')).toBe('first')
    await fleet.hub.patch(secret, { data: kept.data }, { type: 'merge' })
    await fleet.condition(ref, 'Deployed', 'True')
  })
})
