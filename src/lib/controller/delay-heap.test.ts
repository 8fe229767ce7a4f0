import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createDelayHeap } from './delay-heap.ts'

test('keys come out in the order of their times', () => {
  const heap = createDelayHeap()
  heap.add('b', 20)
  heap.add('a', 10)
  heap.add('c', 30)
  expect(heap.nextAt()).toBe(10)
  expect(heap.popDue(9)).toBeUndefined()
  expect([heap.popDue(25), heap.popDue(25), heap.popDue(25)]).toEqual(['a', 'b', undefined])
})

const operation = fc.oneof(
  fc.record({ do: fc.constant('add' as const), key: fc.nat(9).map(String), at: fc.nat(100) }),
  fc.record({ do: fc.constant('remove' as const), key: fc.nat(9).map(String), at: fc.constant(0) }),
  fc.record({ do: fc.constant('pop' as const), key: fc.constant(''), at: fc.nat(100) }),
)

test('property: behaves like a map from key to its earliest time', () => {
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 200 }), (operations) => {
      const heap = createDelayHeap()
      const model = new Map<string, number>()
      for (const { do: what, key, at } of operations) {
        if (what === 'add') {
          heap.add(key, at)
          model.set(key, Math.min(at, model.get(key) ?? Infinity))
        } else if (what === 'remove') {
          expect(heap.remove(key)).toBe(model.delete(key))
        } else {
          const popped = heap.popDue(at)
          const earliest = Math.min(...model.values())
          if (popped === undefined) expect(earliest).toBeGreaterThan(at)
          else expect(model.get(popped)).toBe(earliest)
          if (popped !== undefined) model.delete(popped)
        }
        expect(heap.size).toBe(model.size)
        expect(heap.nextAt() ?? Infinity).toBe(Math.min(...model.values()))
      }
    }),
  )
})
