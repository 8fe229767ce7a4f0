import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { AGENT_CREDENTIAL_SECRET, CLUSTER_LABEL } from '../api/labels.ts'
import { silentLogger } from '../lib/controller/log.ts'
import type { InformerEvent } from '../lib/kube/informer.ts'
import type { ObjectMeta, ObjectRef } from '../lib/kube/types.ts'
import { createFakeClock, type FakeClock } from '../testing/fake-clock.ts'
import { createCredentialController } from './credential-controller.ts'
import { SECRET, type Secret } from './kinds.ts'
import { NOW } from './objects.testing.ts'
import type { RegistrationDeps } from './settings.ts'

const NAMESPACE = 'fleet-clusters-system'
const MINUTE = 60_000

let clock: FakeClock
let secrets: Secret[]
let deleted: { ref: ObjectRef; uid: string | undefined }[]
let stop: AbortController
let running: Promise<void>

const credential = (change: Partial<ObjectMeta> = {}, type = AGENT_CREDENTIAL_SECRET): Secret => ({
  ...SECRET,
  metadata: {
    name: 'c-1',
    namespace: NAMESPACE,
    uid: 'secret-uid',
    creationTimestamp: new Date(NOW).toISOString(),
    labels: { [CLUSTER_LABEL]: 'one' },
    ...change,
  },
  type,
})

/** Runs the controller over secrets that are there when it starts. */
function start(...live: Secret[]): void {
  secrets = live
  const cache = {
    synced: true,
    get: (name: string, namespace: string) => secrets.find(({ metadata }) => metadata.name === name && metadata.namespace === namespace),
    subscribe(handler: (event: InformerEvent<Secret>) => void) {
      for (const object of secrets) handler({ type: 'added', object })
      return () => {}
    },
    waitSynced: async () => {},
  }
  const client = {
    async delete(ref: ObjectRef, { uid }: { uid?: string } = {}) {
      deleted.push({ ref, uid })
      secrets = secrets.filter(({ metadata }) => metadata.name !== ref.name)
      return true
    },
  }
  const controller = createCredentialController({
    client,
    clock,
    informers: { managed: { Secret: cache } },
    settings: { systemNamespace: 'fleet-system' },
    log: silentLogger,
    workers: 1,
  } as unknown as RegistrationDeps)
  running = controller.run(stop.signal)
}

beforeEach(() => {
  clock = createFakeClock(NOW)
  deleted = []
  stop = new AbortController()
})
afterEach(async () => {
  stop.abort()
  await clock.advance(MINUTE)
  await running
})

describe('a credential that waits for its agent', () => {
  test('lives for 40 minutes and no longer', async () => {
    start(credential())
    await clock.advance(40 * MINUTE - 1)
    expect(deleted).toEqual([])
    await clock.advance(1)
    expect(deleted).toEqual([{ ref: { ...SECRET, name: 'c-1', namespace: NAMESPACE }, uid: 'secret-uid' }])
  })

  test('has no longer life because the hub was restarted', async () => {
    await clock.advance(39 * MINUTE)
    start(credential())
    await clock.advance(MINUTE - 1)
    expect(deleted).toEqual([])
    await clock.advance(1)
    expect(deleted).toHaveLength(1)
  })

  test('goes at once when its time ran out while the hub was away', async () => {
    await clock.advance(90 * MINUTE)
    start(credential())
    await clock.advance(0)
    expect(deleted).toHaveLength(1)
  })

  test.each([
    ['another namespace', credential({ namespace: 'elsewhere' })],
    ['another type', credential({}, 'Opaque')],
    ['no cluster', credential({ labels: {} })],
    ['a deletion under way', credential({ deletionTimestamp: new Date(NOW).toISOString() })],
  ])('is left alone when it has %s', async (_, secret) => {
    start(secret)
    await clock.advance(90 * MINUTE)
    expect(deleted).toEqual([])
  })
})
