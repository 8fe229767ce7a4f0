import { afterEach, beforeEach, expect, test } from 'vitest'
import {
  MANAGED_LABEL,
  SET_ID_ANNOTATION,
  SET_OWNER_GVK_ANNOTATION,
  SET_OWNER_NAME_ANNOTATION,
  SET_OWNER_NAMESPACE_ANNOTATION,
} from '../api/labels.ts'
import { silentLogger } from '../lib/controller/log.ts'
import { ApiError, UnknownKindError } from '../lib/kube/errors.ts'
import type { InformerEvent } from '../lib/kube/informer.ts'
import type { KubeObject, ObjectRef } from '../lib/kube/types.ts'
import { createFakeClock, type FakeClock } from '../testing/fake-clock.ts'
import { createCleanupController } from './cleanup-controller.ts'
import { MANAGED_KINDS } from './informers.ts'
import { SECRET } from './kinds.ts'
import type { RegistrationDeps } from './settings.ts'

const OWNER = { apiVersion: 'management.example.com/v3', kind: 'Machine' }

let clock: FakeClock
let asked: number
let deleted: ObjectRef[]
let stop: AbortController
let running: Promise<void>

const member: KubeObject = {
  ...SECRET,
  metadata: {
    name: 'thing',
    namespace: 'ws',
    uid: 'thing-uid',
    labels: { [MANAGED_LABEL]: 'true' },
    annotations: {
      [SET_ID_ANNOTATION]: 'machines',
      [SET_OWNER_GVK_ANNOTATION]: `${OWNER.apiVersion}, Kind=${OWNER.kind}`,
      [SET_OWNER_NAME_ANNOTATION]: 'm-1',
      [SET_OWNER_NAMESPACE_ANNOTATION]: 'ws',
    },
  },
}

function cacheOf(...objects: KubeObject[]): object {
  return {
    synced: true,
    get: (name: string) => objects.find(({ metadata }) => metadata.name === name),
    list: () => objects,
    by: () => [],
    subscribe(handler: (event: InformerEvent<KubeObject>) => void) {
      for (const object of objects) handler({ type: 'added', object })
      return () => {}
    },
    waitSynced: async () => {},
  }
}

/** Runs the controller over one member of a set; `find` is what the API server says of its owner. */
function start(find: () => Promise<KubeObject | undefined>, object = member): void {
  const client = {
    mapping: async () => ({ plural: 'machines', namespaced: true, verbs: [] }),
    find() {
      asked++
      return find()
    },
    async delete(ref: ObjectRef) {
      deleted.push(ref)
      return true
    },
  }
  const managed = Object.fromEntries(MANAGED_KINDS.map((kind) => [kind, kind === 'Secret' ? cacheOf(object) : cacheOf()]))
  const informers = { managed, namespaces: cacheOf(), clusters: cacheOf(), registrations: cacheOf(), tokens: cacheOf() }
  const controller = createCleanupController({ client, clock, informers, log: silentLogger, workers: 1 } as unknown as RegistrationDeps)
  running = controller.run(stop.signal)
}

beforeEach(() => {
  clock = createFakeClock()
  asked = 0
  deleted = []
  stop = new AbortController()
})
afterEach(async () => {
  stop.abort()
  await clock.advance(60_000)
  await running
})

test('what has lost its owner goes', async () => {
  start(async () => undefined)
  await clock.advance(0)
  expect(deleted).toEqual([{ ...SECRET, name: 'thing', namespace: 'ws' }])
})

test('an owner in no namespace, of a kind that lives in one, is not asked for: it cannot exist', async () => {
  const annotations = { ...member.metadata.annotations, [SET_OWNER_NAMESPACE_ANNOTATION]: '' }
  start(() => Promise.reject(new Error('Machine m-1 needs a namespace')), { ...member, metadata: { ...member.metadata, annotations } })
  await clock.advance(0)
  expect([deleted.length, asked]).toEqual([1, 0])
})

const refusal = new ApiError({ status: 403, reason: 'Forbidden', message: 'machines is forbidden' })

test.each([
  ['may not be read', () => Promise.reject(refusal)],
  ['is of a kind that nobody knows', () => Promise.reject(new UnknownKindError(OWNER))],
  ['is there', async () => ({ ...OWNER, metadata: { name: 'm-1' } })],
])('what belongs to an owner that %s stays, and nobody is asked again', async (_, find) => {
  start(find)
  await clock.advance(600_000)
  expect([deleted, asked]).toEqual([[], 1])
})
