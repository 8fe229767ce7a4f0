import { afterEach, beforeEach, expect, test } from 'vitest'
import { createClient, type KubeClient } from '../../lib/kube/client.ts'
import { loadConnection } from '../../lib/kube/connection.ts'
import { testCluster } from '../../testing/cluster.ts'
import { type FaultProxy, startFaultProxy } from '../../testing/fault-proxy.ts'
import { eventually } from '../../testing/kube.ts'
import type { Upstream } from '../upstream.ts'
import { BOOTSTRAP, CREDENTIAL, useScene } from './registration-scene.ts'
import { type CredentialEnd, watchCredential } from './watch-credential.ts'

const scene = useScene({ hub: testCluster('hub'), downstream: testCluster('downstream') })
let proxy: FaultProxy
let hub: KubeClient
let upstream: Upstream
let end: CredentialEnd | undefined

/** An agent that registered through the proxy, and works. */
beforeEach(async () => {
  proxy = await startFaultProxy({ target: testCluster('hub') })
  await scene.place.putSecret(BOOTSTRAP, throughProxy())
  upstream = await scene.start()
  const connection = await loadConnection({ kubeconfigText: upstream.kubeconfig })
  hub = createClient(connection)
  end = undefined
  const options = { ...scene.options(), kubeconfig: upstream.kubeconfig, hub: { client: hub, namespace: connection.namespace } }
  void scene.track(watchCredential(options, scene.signal)).then((reason) => (end = reason))
  await new Promise((resolve) => setTimeout(resolve, 500))
  proxy.forget()
})

afterEach(async () => {
  await hub.close()
  await proxy.stop()
})

const throughProxy = () => ({ ...scene.hub.bootstrap, apiServerURL: proxy.url, apiServerCA: proxy.ca })
const asked = (): boolean => proxy.seen.length > 0

test('an agent whose credential is refused starts over as soon as there is a bootstrap secret', async () => {
  await scene.hub.revoke()
  await eventually('the token is refused', () => scene.refuses(upstream))
  expect(end).toBeUndefined()
  await scene.place.putSecret(BOOTSTRAP, throughProxy())
  await eventually('it starts over', () => end === 'lost')
  const next = await scene.start()
  expect(next.kubeconfig).not.toBe(upstream.kubeconfig)
})

test('a credential that is refused only later is noticed, too', async () => {
  await scene.place.putSecret(BOOTSTRAP, throughProxy())
  await eventually('it asks the hub', asked)
  expect(end).toBeUndefined()
  await scene.hub.revoke()
  await eventually('it starts over', () => end === 'lost', 60_000)
})

test('a credential that somebody has replaced by another good one is taken up', async () => {
  await scene.place.putSecret(CREDENTIAL, scene.credentialOf('canary-token'))
  await eventually('it has looked at the bad one', async () => (await scene.place.secret(CREDENTIAL)) !== undefined)
  await new Promise((resolve) => setTimeout(resolve, 4_000))
  expect(end).toBeUndefined()
  await scene.place.putSecret(CREDENTIAL, scene.credentialOf(testCluster('hub').token))
  await eventually('it starts over', () => end === 'lost')
  expect(scene.logged('canary-token')).toEqual([])
})

test('a hub that is away is no reason to start over', async () => {
  proxy.fail({ status: 503, count: Number.POSITIVE_INFINITY })
  await scene.place.putSecret(BOOTSTRAP, throughProxy())
  await eventually('it asks the hub', asked)
  await new Promise((resolve) => setTimeout(resolve, 3_000))
  expect(end).toBeUndefined()
})

test('as long as nothing changes the hub is not asked', async () => {
  await scene.place.drop(CREDENTIAL)
  await new Promise((resolve) => setTimeout(resolve, 3_000))
  expect(proxy.seen).toEqual([])
  expect(end).toBeUndefined()
})
