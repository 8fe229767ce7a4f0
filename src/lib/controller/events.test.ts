import { expect, test } from 'vitest'
import { createFakeClock } from '../../testing/fake-clock.ts'
import type { KubeClient } from '../kube/client.ts'
import type { KubeObject } from '../kube/types.ts'
import { createEventRecorder, type EventInput } from './events.ts'
import { silentLogger } from './log.ts'

type Recorded = KubeObject & { note: string; series?: { count: number }; [field: string]: unknown }

function setup(fail: () => boolean = () => false) {
  const clock = createFakeClock()
  const created: Recorded[] = []
  const patched: { name: string; body: { series: { count: number } } }[] = []
  const client = {
    create: async (object: Recorded) => {
      if (fail()) throw new Error('forbidden')
      created.push(object)
      return object
    },
    patch: async (ref: { name: string }, body: { series: { count: number } }) => {
      patched.push({ name: ref.name, body })
      return ref
    },
  } as unknown as KubeClient
  const recorder = createEventRecorder(client, { component: 'fleet-gitops', instance: 'pod-1', clock, log: silentLogger })
  return { clock, created, patched, recorder }
}

function gitRepo(name: string): KubeObject {
  return {
    apiVersion: 'fleet.cattle.io/v1alpha1',
    kind: 'GitRepo',
    metadata: { name, namespace: 'ns', uid: `uid-${name}`, resourceVersion: '5' },
  }
}

const input: EventInput = { type: 'Normal', reason: 'GotNewCommit', action: 'GetNewCommit', note: 'abc' }

test('an event names object, reason, action and who reports', async () => {
  const { clock, created, recorder } = setup()
  recorder.event(gitRepo('repo'), input)
  await clock.advance(0)
  expect(created).toHaveLength(1)
  expect(created[0]).toMatchObject({
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    metadata: { namespace: 'ns', name: expect.stringMatching(/^repo\.[0-9a-f]+$/) },
    eventTime: '2026-01-01T00:00:00.000000Z',
    reportingController: 'fleet-gitops',
    reportingInstance: 'pod-1',
    type: 'Normal',
    reason: 'GotNewCommit',
    action: 'GetNewCommit',
    note: 'abc',
    regarding: {
      apiVersion: 'fleet.cattle.io/v1alpha1',
      kind: 'GitRepo',
      name: 'repo',
      namespace: 'ns',
      uid: 'uid-repo',
      resourceVersion: '5',
    },
  })
})

test('the same event again becomes a series, written at once and then each five minutes', async () => {
  const { clock, created, patched, recorder } = setup()
  for (let i = 0; i < 12; i++) {
    recorder.event(gitRepo('repo'), input)
    await clock.advance(60_000)
  }
  expect(created).toHaveLength(1)
  expect(patched.map((patch) => patch.body.series.count)).toEqual([2, 7, 12])
  expect(patched.every((patch) => patch.name === created[0]?.metadata.name)).toBe(true)
})

test('after a pause, and for another note, a new event is made', async () => {
  const { clock, created, recorder } = setup()
  recorder.event(gitRepo('repo'), input)
  recorder.event(gitRepo('repo'), { ...input, note: 'def' })
  await clock.advance(7 * 60_000)
  recorder.event(gitRepo('repo'), input)
  await clock.advance(0)
  expect(created.map((event) => event.note)).toEqual(['abc', 'def', 'abc'])
  expect(new Set(created.map((event) => event.metadata.name)).size).toBe(3)
})

test('a note is cut to a kilobyte between characters', async () => {
  const { clock, created, recorder } = setup()
  recorder.event(gitRepo('repo'), { ...input, note: 'ü'.repeat(2_000) })
  await clock.advance(0)
  const note = created[0]?.note ?? ''
  expect(Buffer.byteLength(note)).toBeLessThanOrEqual(1_024)
  expect(note).toMatch(/^ü+…$/)
})

test('an object gets a burst of events, then one a minute; others are not affected', async () => {
  const { clock, created, recorder } = setup()
  for (let i = 0; i < 100; i++) {
    recorder.event(gitRepo('loud'), { ...input, note: `${i}` })
    await clock.advance(1)
  }
  expect(created).toHaveLength(25)
  recorder.event(gitRepo('quiet'), input)
  await clock.advance(60_000)
  recorder.event(gitRepo('loud'), { ...input, note: 'later' })
  await clock.advance(0)
  expect(created).toHaveLength(27)
})

test('a failure is swallowed, and the next event is tried anew', async () => {
  let failing = true
  const { clock, created, recorder } = setup(() => failing)
  recorder.event(gitRepo('repo'), input)
  await clock.advance(1)
  failing = false
  recorder.event(gitRepo('repo'), input)
  await clock.advance(1)
  expect(created).toHaveLength(1)
})

test('names that are long or end in a dot stay valid', async () => {
  const { clock, created, recorder } = setup()
  recorder.event({ ...gitRepo('x'), metadata: { name: `${'a'.repeat(199)}.b` } }, input)
  await clock.advance(0)
  expect(created[0]?.metadata).toMatchObject({ namespace: 'default', name: expect.stringMatching(/^a{199}\.[0-9a-f]+$/) })
})
