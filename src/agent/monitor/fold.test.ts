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

  test('an object that is both modified and not ready counts as modified', () => {
    const seen = states(
      ['a', present('a', { patch: '{}', summary: WAITING })],
      ['b', present('b', { summary: WAITING })],
      ['c', present('c')],
    )
    const state = fold([wanted('a'), wanted('b'), wanted('c')], seen, [], {})
    expect(state.resourceCounts).toEqual({ desiredReady: 3, modified: 1, notReady: 1, ready: 1 })
    expect(state.nonReadyStatus.map(({ name }) => name)).toEqual(['a', 'b'])
    const only = fold([wanted('a')], seen, [], {})
    expect([only.ready, only.resourceCounts]).toEqual([false, { desiredReady: 1, modified: 1 }])
  })

  test('the order is that of kind, namespace and name as one text', () => {
    const at = (namespace: string) => {
      const { object, ref } = wanted('x')
      return { object: { ...object, metadata: { name: 'x', namespace } }, ref: { ...ref, namespace } }
    }
    const { modifiedStatus } = fold([at('app'), at('app-b')], new Map(), [], {})
    expect(modifiedStatus.map(({ namespace }) => namespace)).toEqual(['app-b', 'app'])
  })

  test('long patches and messages are cut', () => {
    const patch = JSON.stringify({ data: { text: 'x'.repeat(100_000) } })
    const summary = { ...WAITING, message: ['short', 'y'.repeat(100_000), 'never'] }
    const { modifiedStatus, nonReadyStatus } = fold([wanted('a')], states(['a', present('a', { patch, summary })]), [], {})
    expect(modifiedStatus[0]?.patch).toHaveLength(16_384)
    expect(modifiedStatus[0]?.patch).toMatch(/^\{"data":\{"text":"x+…$/)
    expect(nonReadyStatus[0]?.summary.message?.map((text) => text.length)).toEqual([5, 16_379])
  })

  test('of very many resources those in trouble and the first ones are listed, all are counted', () => {
    const names = Array.from({ length: 10_000 }, (_, index) => `settings-${String(index).padStart(5, '0')}`)
    const all = names.map((name) => wanted(name))
    const seen = states(...names.map((name): [string, ObjectState] => [name, present(name)]))
    seen.set(objectKey(wanted('settings-09998').ref), present('settings-09998', { patch: '{}' }))
    seen.set(objectKey(wanted('settings-09999').ref), present('settings-09999', { summary: WAITING }))
    const state = fold(all, seen, [], {})
    expect(state.resourceCounts).toEqual({ desiredReady: 10_000, modified: 1, notReady: 1, ready: 9_998 })
    expect(Buffer.byteLength(JSON.stringify(state.resources))).toBeLessThan(400_000)
    const listed = state.resources.map(({ name }) => name)
    expect(listed.length).toBeGreaterThan(3_000)
    expect(listed).toEqual([...names.slice(0, listed.length - 2), 'settings-09998', 'settings-09999'])
    expect(state.incompleteState).toBe(false)
    expect(fold(all.toReversed(), seen, [], {})).toEqual(state)
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
