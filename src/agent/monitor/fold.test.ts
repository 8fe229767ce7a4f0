import { describe, expect, test } from 'vitest'
import type { KubeObject } from '../../lib/kube/types.ts'
import { fold, type ObjectState } from './fold.ts'
import { objectKey } from './live-objects.ts'

const READY = { state: 'active', error: false, transitioning: false, message: [] }
const WAITING = { state: 'in-progress', error: false, transitioning: true, message: ['Ready: 0/1'] }

function wanted(name: string, kind = 'ConfigMap') {
  const ref = { apiVersion: 'v1', kind, name, namespace: 'app' }
  return { object: { apiVersion: 'v1', kind, metadata: { name, namespace: 'app' } } as KubeObject, ref }
}

function present(name: string, more: Partial<Extract<ObjectState, { uid: string }>> = {}): ObjectState {
  return { ref: wanted(name).ref, uid: `uid-${name}`, resourceVersion: '1', createdAt: 'then', summary: READY, ...more }
}

function states(...entries: [string, ObjectState][]): Map<string, ObjectState> {
  return new Map(entries.map(([name, state]) => [objectKey(wanted(name).ref), state]))
}

describe('fold', () => {
  test('all there, ready and unchanged', () => {
    const state = fold([wanted('b'), wanted('a')], states(['a', present('a')], ['b', present('b')]), [], {})
    expect(state).toMatchObject({
      ready: true,
      nonModified: true,
      modifiedStatus: [],
      nonReadyStatus: [],
      incompleteState: false,
      resourceCounts: { desiredReady: 2, ready: 2 },
    })
    expect(state.resources).toEqual([
      { kind: 'ConfigMap', apiVersion: 'v1', namespace: 'app', name: 'a', createdAt: 'then' },
      { kind: 'ConfigMap', apiVersion: 'v1', namespace: 'app', name: 'b', createdAt: 'then' },
    ])
  })

  test('one missing, one of somebody else, one changed, one left over, one not ready', () => {
    const all = ['gone', 'foreign', 'changed', 'slow'].map((name) => wanted(name))
    const seen = states(
      ['gone', { missing: true }],
      ['foreign', { missing: true, exists: true }],
      ['changed', present('changed', { patch: '{}' })],
      ['slow', present('slow', { summary: WAITING })],
    )
    const state = fold(all, seen, [wanted('kept').ref], {})
    const at = { kind: 'ConfigMap', apiVersion: 'v1', namespace: 'app' }
    expect(state.modifiedStatus).toEqual([
      { ...at, name: 'changed', patch: '{}' },
      { ...at, name: 'foreign', missing: true, exist: true },
      { ...at, name: 'gone', missing: true },
      { ...at, name: 'kept', delete: true },
    ])
    expect(state.nonReadyStatus).toEqual([
      { uid: 'uid-slow', ...at, name: 'slow', summary: { state: 'in-progress', transitioning: true, message: ['Ready: 0/1'] } },
    ])
    expect(state.resourceCounts).toEqual({ desiredReady: 4, missing: 2, orphaned: 1, modified: 1, notReady: 1 })
    expect([state.ready, state.nonModified]).toEqual([false, false])
  })

  test('lists are cut at ten, and say so', () => {
    const all = Array.from({ length: 12 }, (_, index) => wanted(`x${index}`))
    const state = fold(all, new Map(), [], {})
    expect([state.modifiedStatus.length, state.incompleteState, state.resourceCounts.missing]).toEqual([10, true, 12])
  })

  test('a missing object that is to be ignored counts nowhere', () => {
    const options = {
      diff: { comparePatches: [{ apiVersion: 'v1', kind: 'ConfigMap', namespace: 'app', name: 'gone', operations: [{ op: 'ignore' }] }] },
    }
    expect(fold([wanted('gone')], new Map(), [], options)).toMatchObject({ nonModified: true, resourceCounts: {} })
  })

  test('a Job that goes when it is done is not missed, others are', () => {
    const [once, always] = [wanted('once', 'Job'), wanted('always', 'Job')]
    const goes = { ...once, object: { ...once.object, spec: { ttlSecondsAfterFinished: 0 } } }
    const state = fold([goes, always], new Map(), [], {})
    expect(state.modifiedStatus).toEqual([{ ...always.ref, missing: true }])
    expect(state.resourceCounts).toEqual({ desiredReady: 1, missing: 1 })
    const foreign = new Map([[objectKey(once.ref), { missing: true, exists: true } as const]])
    expect(fold([goes], foreign, [], {}).nonModified).toBe(false)
  })
})
