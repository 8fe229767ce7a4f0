import { expect, test } from 'vitest'
import type { Bundle } from '../api/bundle.ts'
import { BUNDLE } from '../api/kinds.ts'
import { OCI_STORAGE_SECRET } from '../api/labels.ts'
import type { KubeClient } from '../lib/kube/client.ts'
import { ApiError } from '../lib/kube/errors.ts'
import { OciError } from '../lib/oci/errors.ts'
import type { Registries } from '../lib/oci/registry.ts'
import { digestStored, SECRET, type Secret } from './oci-secrets.ts'
import { createContentStorage } from './oci-storage.ts'

const { signal } = new AbortController()
const bundle: Bundle = {
  ...BUNDLE,
  metadata: { name: 'app', namespace: 'ws', uid: 'u1' },
  spec: { resources: [{ name: 'a.yaml', content: 'kind: ConfigMap' }] },
}

function secretWith(reference: string, name = 'ocistorage'): Secret {
  return {
    ...SECRET,
    type: OCI_STORAGE_SECRET,
    metadata: { name, namespace: 'ws', resourceVersion: '1' },
    data: { reference: Buffer.from(reference).toString('base64') },
  }
}

/** A cluster with the secret of contents that were pushed to `old.example`, and registries of which `broken` do not answer. */
async function setup({ reference = 'new.example/fleet', isPushed = true, broken = [] as string[], hasRace = false } = {}) {
  const done: string[] = []
  let stored: Secret | undefined
  const client = {
    find: async () => stored,
    create: async (secret: Secret) => {
      done.push('secret created')
      stored = secret
      return secret
    },
    update: async (secret: Secret) => {
      if (hasRace) {
        stored = { ...secret, metadata: { ...secret.metadata, resourceVersion: '2' } }
        throw new ApiError({ status: 409, reason: 'Conflict', message: 'the object has been modified' })
      }
      done.push('secret updated')
      stored = secret
      return secret
    },
  } as unknown as KubeClient
  const registries = {
    repository: ({ host }: { host: string }) => ({
      name: host,
      manifest: async () => {
        if (broken.includes(host)) throw new OciError('unreachable', `${host} cannot be reached`)
      },
      pushBlob: async (_bytes: Buffer, mediaType: string) => ({ mediaType, digest: 'sha256:0', size: 0 }),
      pushManifest: async () => void done.push(`pushed to ${host}`),
    }),
  } as unknown as Registries
  const secrets = { registry: async () => secretWith(reference), contents: () => stored && digestStored(stored) }
  const storage = await createContentStorage({ client, secrets, registries }).open('ws', undefined)
  const { bundle: stripped } = storage?.strip({ bundle, values: { data: {}, hash: '' }, scans: [] }) ?? { bundle }
  if (isPushed) stored = secretWith('old.example/fleet', stripped.spec.contentsId)
  const push = () => storage?.push([stripped], () => stripped, signal)
  return { done, push, referenceNow: () => Buffer.from(stored?.data?.reference ?? '', 'base64').toString() }
}

test('a secret stands for the artifact before there is one', async () => {
  const { done, push, referenceNow } = await setup({ isPushed: false })
  await push()
  expect(done).toEqual(['secret created', 'pushed to new.example'])
  expect(referenceNow()).toBe('new.example/fleet')
})

test('a secret that deployments use is changed when the files are where it then points', async () => {
  const { done, push, referenceNow } = await setup()
  await push()
  expect(done).toEqual(['pushed to new.example', 'secret updated'])
  expect(referenceNow()).toBe('new.example/fleet')
})

test('a registry that cannot be written to takes nothing away from what is deployed', async () => {
  const { done, push, referenceNow } = await setup({ broken: ['new.example'] })
  await expect(push()).rejects.toThrow('new.example cannot be reached')
  expect(done).toEqual([])
  expect(referenceNow()).toBe('old.example/fleet')
})

test('another bundle with the same files may have changed the secret first', async () => {
  const { push, referenceNow } = await setup({ hasRace: true })
  await push()
  expect(referenceNow()).toBe('new.example/fleet')
})
