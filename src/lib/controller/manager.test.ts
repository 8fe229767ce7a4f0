import { expect, test } from 'vitest'
import { createFakeClock } from '../../testing/fake-clock.ts'
import type { InformerFactory } from '../kube/informer.ts'
import type { Controller } from './controller.ts'
import { silentLogger } from './log.ts'
import { createManager, type ManagerOptions, type Runnable } from './manager.ts'

function setup(options: Partial<ManagerOptions> = {}, sync: () => Promise<void> = async () => {}) {
  const clock = createFakeClock()
  const steps: string[] = []
  const stop = new AbortController()
  const factory: InformerFactory = {
    informer: () => {
      throw new Error('not asked for')
    },
    start: (signal) => {
      steps.push('caches start')
      signal.addEventListener('abort', () => steps.push('caches abort'))
    },
    waitSynced: async (signal) => {
      await Promise.race([sync(), rejectOnAbort(signal)])
      steps.push('caches full')
    },
    stop: async () => void steps.push('caches stopped'),
  }
  function part(name: string): Controller & Runnable {
    return {
      name,
      enqueue: () => {},
      enqueueAfter: () => {},
      watch: () => {},
      async run(signal) {
        steps.push(`${name} starts`)
        await abortOf(signal)
        steps.push(`${name} stops`)
      },
    }
  }
  const create = (more: Partial<ManagerOptions> = {}) =>
    createManager({ informers: [factory], controllers: [part('controller')], log: silentLogger, clock, ...options, ...more })
  return { clock, steps, stop, part, create }
}

function abortOf(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    signal.addEventListener('abort', () => resolve())
  })
}

function rejectOnAbort(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(signal.reason)))
}

test('caches, lease, controllers, and the way back', async () => {
  const { clock, steps, stop, part, create } = setup()
  const manager = create({
    runnables: [part('worker'), { ...part('server'), everywhere: true }],
    async leaderElection(lead, signal) {
      steps.push('lease taken')
      await lead(signal)
      steps.push('lease returned')
    },
  })
  const ended = manager.run(stop.signal)
  await clock.advance(10)
  expect(steps).toEqual(['server starts', 'caches start', 'caches full', 'lease taken', 'controller starts', 'worker starts'])
  steps.length = 0
  stop.abort()
  await ended
  expect(steps).toEqual(['server stops', 'controller stops', 'worker stops', 'lease returned', 'caches abort', 'caches stopped'])
})

test('a process with servers only runs until it is asked to stop', async () => {
  const { clock, stop, create } = setup({ controllers: [] })
  let ended = false
  const run = create()
    .run(stop.signal)
    .then(() => {
      ended = true
    })
  await clock.advance(10)
  expect(ended).toBe(false)
  stop.abort()
  await run
})

test('stops while caches are not filled yet', async () => {
  const { clock, steps, stop, create } = setup({}, () => new Promise(() => {}))
  const ended = create().run(stop.signal)
  await clock.advance(10)
  stop.abort()
  await ended
  expect(steps).toEqual(['caches start', 'caches abort', 'caches stopped'])
})

test('caches that cannot be filled are an error', async () => {
  const { stop, create } = setup({}, () => Promise.reject(new Error('forbidden')))
  await expect(create().run(stop.signal)).rejects.toThrow('forbidden')
})

test('a controller that fails stops everything and is the error of the manager', async () => {
  const { steps, stop, part, create } = setup()
  const crashing: Controller = { ...part('bad'), run: () => Promise.reject(new Error('crash')) }
  await expect(create({ controllers: [part('good'), crashing] }).run(stop.signal)).rejects.toThrow('crash')
  expect(steps).toEqual(['caches start', 'caches full', 'good starts', 'good stops', 'caches abort', 'caches stopped'])
})

test('a controller that ends by itself is an error, a runnable that ends is not', async () => {
  const { clock, stop, part, create } = setup()
  const early: Runnable = { name: 'once', run: async () => {} }
  const ended = create({ runnables: [early] }).run(stop.signal)
  await clock.advance(10)
  stop.abort()
  await ended
  await expect(create({ controllers: [{ ...part('c'), run: async () => {} }] }).run(new AbortController().signal)).rejects.toThrow(
    'controller c ended without being asked to',
  )
})

test('a lost lease stops the controllers and is an error', async () => {
  const { clock, steps, stop, create } = setup()
  const lease = new AbortController()
  const ended = create({ leaderElection: (lead) => lead(lease.signal) }).run(stop.signal)
  const outcome = expect(ended).rejects.toThrow('leadership was lost')
  await clock.advance(10)
  lease.abort()
  await outcome
  expect(steps).toContain('controller stops')
})

test('a part that does not stop is left behind after the grace time', async () => {
  const { clock, stop, part, create } = setup()
  const ended = create({ controllers: [{ ...part('stuck'), run: () => new Promise(() => {}) }], graceMs: 1_000 }).run(stop.signal)
  await clock.advance(10)
  stop.abort()
  await clock.advance(1_100)
  await ended
})
