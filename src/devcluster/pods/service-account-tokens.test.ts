import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { silentLogger } from '../../lib/controller/log.ts'
import type { KubeClient } from '../../lib/kube/client.ts'
import type { FakeClock } from '../../testing/fake-clock.ts'
import { createFakeClock } from '../../testing/fake-clock.ts'
import { keepToken, writeToken } from './service-account-tokens.ts'
import type { Pod } from './types.ts'

const pod: Pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'pod-1', namespace: 'ns', uid: 'u1' },
  spec: { serviceAccountName: 'worker', containers: [] },
}
const file = { path: 'token', expirationSeconds: 1000 }

let folder = ''
let clock: FakeClock
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tokens-'))
  clock = createFakeClock()
})
afterEach(() => rmSync(folder, { recursive: true }))

// Issues token-1, token-2, …; fails while `failing` says so.
function issuer(failing: () => boolean = () => false) {
  const requests: { path: string; body: unknown }[] = []
  let count = 0
  const request = async (_method: string, path: string, options: { body: unknown }) => {
    if (failing()) throw new Error('not now')
    requests.push({ path, body: options.body })
    return { status: { token: `token-${++count}`, expirationTimestamp: new Date(clock.now() + 1_000_000).toISOString() } }
  }
  return { client: { request } as unknown as KubeClient, requests }
}

const token = (): string => readFileSync(join(folder, 'token'), 'utf8')

it('asks for a token of the account, bound to the pod, and says when to renew it', async () => {
  const { client, requests } = issuer()
  expect(await writeToken(client, clock, pod, folder, { ...file, audience: 'vault' })).toBe(800_000)
  expect(token()).toBe('token-1')
  expect(requests).toMatchObject([
    {
      path: '/api/v1/namespaces/ns/serviceaccounts/worker/token',
      body: { spec: { expirationSeconds: 1000, audiences: ['vault'], boundObjectRef: { kind: 'Pod', name: 'pod-1', uid: 'u1' } } },
    },
  ])
})

it('renews it before it runs out, and tries again after a failure', async () => {
  let failing = false
  const { client } = issuer(() => failing)
  const abort = new AbortController()
  const firstMs = await writeToken(client, clock, pod, folder, file)
  const keeping = keepToken(client, clock, pod, folder, file, firstMs, silentLogger, abort.signal)
  await clock.advance(firstMs - 1)
  expect(token()).toBe('token-1')
  failing = true
  await clock.advance(1)
  expect(token()).toBe('token-1')
  failing = false
  await clock.advance(10_000)
  await vi.waitFor(() => expect(token()).toBe('token-2'), { timeout: 15_000 })
  abort.abort()
  await keeping
})
