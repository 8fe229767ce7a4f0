// A hub whose certificate is not trusted: the agent's log says whose it is.
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { KubeObject } from '../../lib/kube/types.ts'
import { testCluster } from '../../testing/cluster.ts'
import { type FaultProxy, startFaultProxy } from '../../testing/fault-proxy.ts'
import { eventually } from '../../testing/kube.ts'
import { BOOTSTRAP, CREDENTIAL, useScene } from './registration-scene.ts'

const scene = useScene({ hub: testCluster('hub'), downstream: testCluster('downstream') })
let proxy: FaultProxy

beforeEach(async () => {
  proxy = await startFaultProxy({ target: testCluster('hub') })
})
afterEach(() => proxy.stop())

const bootstrap = () => ({ ...scene.hub.bootstrap, apiServerURL: proxy.url })

async function mode(agentTLSMode: string): Promise<void> {
  const ref = { apiVersion: 'v1', kind: 'ConfigMap', namespace: scene.place.namespace, name: 'fleet-agent' }
  const data = { config: JSON.stringify({ clientID: 'client-1', agentTLSMode }) }
  await scene.client.patch<KubeObject>(ref, { data }, { type: 'merge' })
}

const named = (): boolean =>
  scene.log.lines.some((line) => {
    const { reason = '' } = JSON.parse(line) as { reason?: string }
    return reason.includes(`the hub ${proxy.url} presents a certificate with subject "CN=fault proxy", issuer "CN=fault proxy", which`)
  })

test.each(['strict', 'system-store'])('while it registers (%s); it goes on when the CA is right', async (agentTLSMode) => {
  await mode(agentTLSMode)
  await scene.place.putSecret(BOOTSTRAP, bootstrap())
  const registered = scene.start()
  await eventually('the certificate is named', named)
  expect(proxy.seen).toEqual([])
  await scene.place.putSecret(BOOTSTRAP, { ...bootstrap(), apiServerCA: proxy.ca })
  expect((await registered).kubeconfig).toContain(proxy.url)
})

test('while it has a credential', async () => {
  await scene.place.putSecret(CREDENTIAL, scene.credentialOf(testCluster('hub').token, { server: proxy.url }))
  const registered = scene.start()
  await eventually('the certificate is named', named)
  expect(proxy.seen).toEqual([])
  await scene.place.putSecret(CREDENTIAL, scene.credentialOf(testCluster('hub').token, { server: proxy.url, ca: proxy.ca }))
  expect((await registered).kubeconfig).toContain(proxy.url)
})
