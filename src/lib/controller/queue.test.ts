import fc from 'fast-check'
import { expect, test } from 'vitest'
import { startCpuTimer } from '../../testing/cpu-time.ts'
import { createFakeClock } from '../../testing/fake-clock.ts'
import type { ControllerMetrics } from './metrics.ts'
import { createWorkQueue, type WorkQueueOptions } from './queue.ts'

function setup(options: Partial<WorkQueueOptions> = {}) {
  const clock = createFakeClock()
  let wakes = 0
  const queue = createWorkQueue({ name: 'test', clock, onReady: () => wakes++, ...options })
  function takeAll(): string[] {
    const keys: string[] = []
    for (let key = queue.take(); key !== undefined; key = queue.take()) keys.push(key)
    return keys
  }
  return { clock, queue, takeAll, wakes: () => wakes }
}

test('a key that is added often is taken once, in the order of first adds', () => {
  const { queue, takeAll } = setup()
  for (const key of ['a', 'b', 'a', 'c', 'b']) queue.add(key)
  expect(queue.depth).toBe(3)
  expect(takeAll()).toEqual(['a', 'b', 'c'])
})

test('a key added while it is worked on comes again after done, not before', () => {
  const { queue, takeAll, wakes } = setup()
  queue.add('a')
  expect(queue.take()).toBe('a')
  queue.add('a')
  queue.add('a')
  expect(queue.take()).toBeUndefined()
  expect(wakes()).toBe(1)
  queue.done('a')
  expect(wakes()).toBe(2)
  expect(takeAll()).toEqual(['a'])
  queue.done('a')
  expect(takeAll()).toEqual([])
})

test('of several delays the earliest holds', async () => {
  const { queue, clock, takeAll } = setup()
  queue.addAfter('a', 100)
  queue.addAfter('a', 50)
  queue.addAfter('a', 80)
  await clock.advance(49)
  expect(takeAll()).toEqual([])
  await clock.advance(1)
  expect(takeAll()).toEqual(['a'])
  queue.done('a')
  await clock.advance(1_000)
  expect(takeAll()).toEqual([])
})

test('a delay of nothing adds at once', () => {
  const { queue, takeAll } = setup()
  queue.addAfter('a', 0)
  expect(takeAll()).toEqual(['a'])
})

test('a wish of the worker lapses when the key is taken for another reason, a wish from outside stays', async () => {
  const { queue, clock, takeAll } = setup()
  queue.retryAfter('a', 1_000)
  queue.addAfter('b', 1_000)
  queue.add('a')
  queue.add('b')
  for (const key of takeAll()) queue.done(key)
  await clock.advance(2_000)
  expect(takeAll()).toEqual(['b'])
})

test('the last wish of the worker replaces the one before', async () => {
  const { queue, clock, takeAll } = setup()
  queue.retryAfter('a', 100)
  queue.retryAfter('a', 200)
  await clock.advance(150)
  expect(takeAll()).toEqual([])
  await clock.advance(50)
  expect(takeAll()).toEqual(['a'])
})

test('delays of failures double up to the cap and start anew after forget', () => {
  const { queue } = setup({ backoff: { baseMs: 5, maxMs: 60 } })
  expect([1, 2, 3, 4, 5, 6].map(() => queue.retry('a'))).toEqual([5, 10, 20, 40, 60, 60])
  expect(queue.retry('b')).toBe(5)
  queue.forget('a')
  expect(queue.retry('a')).toBe(5)
  expect(queue.retry('a', 500)).toBe(500)
})

test('property: a delay of a failure lies between base and cap and never shrinks', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1_000 }), fc.integer({ min: 1_000, max: 1_000_000 }), fc.nat(200), (baseMs, maxMs, failures) => {
      const { queue } = setup({ backoff: { baseMs, maxMs } })
      let last = 0
      for (let i = 0; i <= failures; i++) {
        const delay = queue.retry('a')
        expect(delay).toBeGreaterThanOrEqual(Math.max(baseMs, last))
        expect(delay).toBeLessThanOrEqual(maxMs)
        last = delay
      }
      queue.close()
    }),
  )
})

test('a closed queue hands out nothing, takes nothing and keeps no timer', async () => {
  const { queue, clock, takeAll } = setup()
  queue.add('a')
  queue.addAfter('b', 10)
  queue.close()
  queue.add('c')
  queue.addAfter('d', 10)
  await clock.advance(100)
  expect(takeAll()).toEqual([])
})

test('counts adds, retries and depth', async () => {
  const seen: string[] = []
  const metrics: ControllerMetrics = {
    count: (name) => seen.push(name),
    set: (name, labels, value) => seen.push(`${name}{${labels.name}} ${value}`),
    observe: (name, _labels, seconds) => seen.push(`${name} ${seconds}`),
  }
  const { queue, clock } = setup({ metrics })
  queue.add('a')
  queue.add('a')
  await clock.advance(500)
  queue.take()
  await clock.advance(1_500)
  queue.done('a')
  queue.retry('a')
  expect(seen).toEqual([
    'workqueue_adds_total',
    'workqueue_depth{test} 1',
    'workqueue_queue_duration_seconds 0.5',
    'workqueue_depth{test} 0',
    'workqueue_work_duration_seconds 1.5',
    'workqueue_retries_total',
  ])
})

const operation = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constantFrom('add' as const, 'retry' as const), key: fc.nat(5).map(String), ms: fc.constant(0) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constantFrom('addAfter' as const, 'retryAfter' as const), key: fc.nat(5).map(String), ms: fc.nat(50) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constantFrom('take' as const, 'done' as const), key: fc.nat(5).map(String), ms: fc.constant(0) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('advance' as const), key: fc.constant(''), ms: fc.nat(60) }) },
)

test('property: no key is worked on twice at a time, and the queue runs dry when nothing is added', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { maxLength: 60 }), async (operations) => {
      const { queue, clock } = setup()
      const working = new Set<string>()
      function take(): string | undefined {
        const key = queue.take()
        if (key === undefined) return undefined
        expect(working.has(key)).toBe(false)
        working.add(key)
        return key
      }
      for (const { do: what, key, ms } of operations) {
        if (what === 'advance') await clock.advance(ms)
        else if (what === 'take') take()
        else if (what === 'done') {
          queue.done(key)
          working.delete(key)
        } else if (what === 'add') queue.add(key)
        else if (what === 'addAfter') queue.addAfter(key, ms)
        else if (what === 'retryAfter') queue.retryAfter(key, ms)
        else queue.retry(key)
      }
      for (let round = 0; round < 20; round++) {
        for (const key of working) queue.done(key)
        working.clear()
        await clock.advance(100_000)
        for (let key = take(); key !== undefined; key = take()) expect(working).toContain(key)
      }
      expect(queue.depth).toBe(0)
      expect(queue.take()).toBeUndefined()
    }),
    { numRuns: 60 },
  )
})

test('property: whatever is added is taken after its last add', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ key: fc.nat(5).map(String), ms: fc.nat(20), work: fc.boolean() }), { maxLength: 60 }),
      async (adds) => {
        const { queue, clock } = setup()
        const version = new Map<string, number>()
        const seen = new Map<string, number>()
        const working = new Map<string, number>()
        function work(): void {
          for (const [key, at] of working) {
            seen.set(key, at)
            queue.done(key)
          }
          working.clear()
          for (let key = queue.take(); key !== undefined; key = queue.take()) working.set(key, version.get(key) ?? 0)
        }
        for (const { key, ms, work: now } of adds) {
          version.set(key, (version.get(key) ?? 0) + 1)
          queue.addAfter(key, ms)
          if (now) work()
          await clock.advance(5)
        }
        await clock.advance(100)
        work()
        work()
        work()
        expect(seen).toEqual(version)
      },
    ),
    { numRuns: 60 },
  )
})

test('200,000 keys go through in reasonable time', () => {
  const { queue } = setup()
  const spent = startCpuTimer()
  for (let i = 0; i < 200_000; i++) queue.add(`ns/${i}`)
  for (let i = 0; i < 200_000; i++) queue.add(`ns/${i}`)
  let taken = 0
  for (let key = queue.take(); key !== undefined; key = queue.take()) {
    queue.done(key)
    taken++
  }
  expect(taken).toBe(200_000)
  expect(spent()).toBeLessThan(5_000)
})
