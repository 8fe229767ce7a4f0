import { beforeEach, expect, test } from 'vitest'
import type { ClusterSpec } from '../api/cluster.ts'
import type { KubeClient } from '../lib/kube/client.ts'
import type { Informer } from '../lib/kube/informer.ts'
import type { KubeObject, ObjectRef } from '../lib/kube/types.ts'
import { SECRET, secretObject } from './kinds.ts'
import { createKubeconfigSecrets } from './kubeconfig-secret.ts'
import { cluster } from './objects.testing.ts'

let asked: string[]
beforeEach(() => {
  asked = []
})

/** Secrets of every name in every namespace. */
function secrets() {
  const version: KubeObject = { ...SECRET, metadata: { name: 'way' } }
  const client = {
    async find({ name, namespace = '' }: ObjectRef) {
      asked.push(`${namespace}/${name}`)
      return secretObject({ name, namespace }, { value: 'kubeconfig', apiServerURL: 'https://hub.example.com', apiServerCA: 'ca' })
    },
  } as unknown as KubeClient
  return createKubeconfigSecrets(client, { secretNames: { get: () => version } as unknown as Informer<KubeObject> })
}

const named = (spec: ClusterSpec) => cluster({ kubeConfigSecret: 'way', ...spec })

test('a secret is read beside its cluster, or where the cluster says', async () => {
  const { read } = secrets()
  await read(named({}))
  await read(named({ kubeConfigSecretNamespace: 'fleet-default' }))
  expect(asked).toEqual(['ws/way', 'fleet-default/way'])
})

test('address and CA are read once a version', async () => {
  const { facts } = secrets()
  const expected = { apiServerURL: 'https://hub.example.com', apiServerCA: Buffer.from('ca') }
  expect([await facts(named({})), await facts(named({}))]).toEqual([expected, expected])
  expect(asked).toEqual(['ws/way'])
})

test('a secret in a namespace that the cluster must not use is never read', async () => {
  const { read, facts } = secrets()
  const foreign = named({ kubeConfigSecretNamespace: 'kube-system' })
  await expect(read(foreign)).rejects.toThrow('kubeConfigSecretNamespace "kube-system" is not an allowed Fleet namespace')
  expect(await facts(foreign)).toBeUndefined()
  expect(asked).toEqual([])
})
