import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import type { BundleResource } from '../api/bundle.ts'
import { encodeContent } from '../api/content-id.ts'
import { OCI_STORAGE_SECRET } from '../api/labels.ts'
import { artifactOf } from '../api/oci-storage.ts'
import type { KubeClient } from '../lib/kube/client.ts'
import { pushArtifact } from '../lib/oci/artifact.ts'
import { createRegistries, IMAGE_MANIFEST, type Repository } from '../lib/oci/registry.ts'
import { PULLER, REGISTRY_PROGRAM, startTestRegistry, type TestRegistry } from '../testing/registry.ts'
import { createRegistryContents } from './oci-contents.ts'

const never = new AbortController().signal
const LIMITS = { maxBytes: 10_000, maxFiles: 10 }
const deployment = { apiVersion: 'x', kind: 'BundleDeployment', metadata: { name: 'app', namespace: 'cluster-one' }, spec: {} }
const registries = createRegistries()
afterAll(() => registries.close())

function hubWith(values: Record<string, string> | undefined, type = OCI_STORAGE_SECRET): KubeClient {
  const data = Object.fromEntries(Object.entries(values ?? {}).map(([key, value]) => [key, Buffer.from(value).toString('base64')]))
  const find = async () => values && { metadata: { namespace: 'cluster-one' }, type, data }
  return { find } as unknown as KubeClient
}

const files = (hub: KubeClient, id: string) => createRegistryContents({ hub, registries }).files(deployment, id, LIMITS, never)

test('a secret that is missing is waited for; one of another type is refused', async () => {
  await expect(files(hubWith(undefined), 's-1')).rejects.toMatchObject({
    name: 'WaitingError',
    reason: 'WaitingForRegistrySecret',
    message: 'the secret cluster-one/s-1 with the registry of the contents is missing on the hub',
  })
  await expect(files(hubWith({ reference: 'h' }, 'Opaque'), 's-1')).rejects.toThrow(
    /is not of the type fleet.cattle.io\/bundle-oci-storage/,
  )
  await expect(files(hubWith({}), 's-1')).rejects.toThrow(/secret cluster-one\/s-1 on the hub: the key reference is missing/)
})

describe.skipIf(!REGISTRY_PROGRAM)('contents in a registry (skipped without docker-registry and openssl)', { timeout: 60_000 }, () => {
  let registry: TestRegistry
  beforeAll(async () => {
    registry = await startTestRegistry({ guarded: true })
  })
  afterAll(() => registry?.stop())

  const hub = () =>
    hubWith({ reference: `${registry.host}/ws`, basicHTTP: 'true', agentUsername: PULLER.username, agentPassword: PULLER.password })

  function repositoryOf(id: string): Repository {
    return registries.repository({ host: registry.host, path: `ws/${id}` }, { basicHttp: true, credentials: PULLER })
  }

  async function push(resources: BundleResource[], json = encodeContent(resources).json): Promise<string> {
    const { id } = encodeContent(resources)
    await pushArtifact(repositoryOf(id), 'latest', artifactOf(id, json), never)
    return id
  }

  test('are files again, however their JSON is spaced', async () => {
    const resources = [{ name: 'a.yaml', content: 'a: 1' }]
    expect(await files(hub(), await push(resources))).toEqual([{ name: 'a.yaml', content: Buffer.from('a: 1') }])
    const spaced = [{ name: 'b.yaml', content: 'b: 1' }]
    expect(await files(hub(), await push(spaced, JSON.stringify({ resources: spaced }, null, 2)))).toHaveLength(1)
  })

  test('that have another id are refused', async () => {
    const id = await push([{ name: 'a.yaml', content: 'c: 1' }], encodeContent([{ name: 'a.yaml', content: 'd: 1' }]).json)
    await expect(files(hub(), id)).rejects.toThrow(new RegExp(`^invalid or corrupt manifest. Expecting id: "${id}", got "s-`))
    const none = await push([{ name: 'a.yaml', content: 'e: 1' }], 'nonsense')
    await expect(files(hub(), none)).rejects.toThrow(/holds no list of files/)
  })

  test('that are absent, in several layers, or too large are refused', async () => {
    await expect(files(hub(), 's-absent')).rejects.toMatchObject({ kind: 'not-found' })
    await expect(files(hub(), await push([{ name: 'a.yaml', content: 'x'.repeat(20_000) }]))).rejects.toMatchObject({ kind: 'too-large' })
    const repository = repositoryOf('s-two')
    const layer = { ...(await repository.pushBlob(Buffer.from('x'), 'application/fleet.file', never)), annotations: { id: 's-two' } }
    const config = await repository.pushBlob(Buffer.from('{}'), 'application/vnd.oci.empty.v1+json', never)
    const manifest = { schemaVersion: 2, mediaType: IMAGE_MANIFEST, config, layers: [layer, layer] }
    await repository.pushManifest('latest', IMAGE_MANIFEST, Buffer.from(JSON.stringify(manifest)), never)
    await expect(files(hub(), 's-two')).rejects.toThrow(/has 2 layers, it should have one/)
  })

  test('of a registry that is down are told as such', async () => {
    const own = await startTestRegistry()
    onTestFinished(() => own.stop())
    await own.down()
    await expect(files(hubWith({ reference: `${own.host}/ws`, basicHTTP: 'true' }), 's-1')).rejects.toMatchObject({ kind: 'unreachable' })
  })
})
