import { expect, test } from 'vitest'
import { loadConnection } from '../../lib/kube/connection.ts'
import { createFakeClock } from '../../testing/fake-clock.ts'
import { createSelfSigned } from '../../testing/self-signed.ts'
import { readBootstrap } from './bootstrap.ts'
import { kubeconfigText, openHub, pinnedCa } from './hub.ts'

const options = { clock: createFakeClock(), random: () => 0 }
const { signal } = new AbortController()

test('a kubeconfig says where, whom to trust, who and in which namespace', async () => {
  const ca = createSelfSigned().cert
  const text = kubeconfigText({ server: 'https://hub:6443/k8s', ca, token: 'tok', namespace: 'ns' })
  const connection = await loadConnection({ kubeconfigText: text, trusted: false })
  expect([connection.server, connection.namespace, connection.tls().ca]).toEqual(['https://hub:6443/k8s', 'ns', ca])
  expect(await connection.authorize()).toEqual({ authorization: 'Bearer tok' })
})

test('without a CA the certificates of the system decide', async () => {
  const text = kubeconfigText({ server: 'https://hub', ca: '\n', token: 'tok', namespace: 'ns' })
  expect(text).not.toContain('certificate-authority')
  const hub = await openHub(text, options)
  expect(hub.ca).toBe('')
  await hub.client.close()
})

test('strict needs a CA and encryption', async () => {
  const ca = createSelfSigned().cert
  await expect(pinnedCa({ server: 'https://hub', ca: '' }, 'strict', options, signal)).rejects.toThrow('has no apiServerCA')
  await expect(pinnedCa({ server: 'http://u:secret@hub', ca }, 'strict', options, signal)).rejects.toThrow(
    /^agentTLSMode is strict, but apiServerURL is not encrypted: use https$/,
  )
  expect(await pinnedCa({ server: 'https://hub', ca }, 'strict', options, signal)).toBe(ca)
})

test('without a mode the given CA is kept, and nothing is asked', async () => {
  expect(await pinnedCa({ server: 'https://hub', ca: 'CA' }, '', options, signal)).toBe('CA')
  expect(await pinnedCa({ server: 'https://hub', ca: '' }, 'system-store', options, signal)).toBe('')
})

test('a bootstrap secret that is not complete says what it lacks, and nothing of what it has', () => {
  const data = { token: Buffer.from('canary').toString('base64'), clusterNamespace: Buffer.from('ws').toString('base64') }
  const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'fleet-agent-bootstrap', namespace: 'ns' }, data }
  expect(() => readBootstrap(secret)).toThrow('secret ns/fleet-agent-bootstrap lacks apiServerURL, systemRegistrationNamespace')
  expect(() => readBootstrap(secret)).not.toThrow('canary')
})
