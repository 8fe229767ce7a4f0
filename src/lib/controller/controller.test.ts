import { expect, test } from 'vitest'
import { createFakeClock } from '../../testing/fake-clock.ts'
import { ApiError } from '../kube/errors.ts'
import type { Informer, InformerEvent } from '../kube/informer.ts'
import type { KubeObject } from '../kube/types.ts'
import { type Controller, type ControllerOptions, createController } from './controller.ts'
import { TerminalError, WaitingError } from './errors.ts'
import { type Logger, silentLogger } from './log.ts'

function recordingLogger(): { log: Logger; lines: string[] } {
  const lines: string[] = []
  const log: Logger = {
    ...silentLogger,
    warn: (_fields, message) => lines.push(`warn ${message}`),
    error: (_fields, message) => lines.push(`error ${message}`),
    child: () => log,
  }
  return { log, lines }
}

function setup(reconcile: ControllerOptions['reconcile'], options: Partial<ControllerOptions> = {}) {
  const clock = createFakeClock()
  const { log, lines } = recordingLogger()
  const stop = new AbortController()
  const results: string[] = []
  const controller = createController({
    name: 'test',
    workers: 2,
    reconcile,
    clock,
    log,
    metrics: { count: (_name, labels) => labels.result && results.push(labels.result), set: () => {}, observe: () => {} },
    ...options,
  })
  const ended = controller.run(stop.signal)
  return { clock, controller, lines, results, stop, ended }
}

function fakeInformer(): { informer: Informer<KubeObject>; emit(name: string): void } {
  const handlers = new Set<(event: InformerEvent<KubeObject>) => void>()
  const informer: Informer<KubeObject> = {
    synced: true,
    get: () => undefined,
    list: () => [],
    by: () => [],
    subscribe(handler) {
      handlers.add(handler)
      return () => handlers.delete(handler)
    },
    waitSynced: async () => {},
  }
  function emit(name: string): void {
    const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'ns' } }
    for (const handler of handlers) handler({ type: 'modified', object })
  }
  return { informer, emit }
}

test('reconciles each key, at most as many at a time as there are workers', async () => {
  let running = 0
  let most = 0
  const done: string[] = []
  const { clock, controller, results } = setup(async (key) => {
    most = Math.max(most, ++running)
    await new Promise((resolve) => clock.setTimeout(() => resolve(undefined), 10))
    running--
    done.push(key)
  })
  for (const key of ['a', 'b', 'c', 'd', 'e']) controller.enqueue(key)
  await clock.advance(100)
  expect(done).toEqual(['a', 'b', 'c', 'd', 'e'])
  expect(most).toBe(2)
  expect(results).toEqual(Array(5).fill('success'))
})

test('keys enqueued before run are kept', async () => {
  const clock = createFakeClock()
  const done: string[] = []
  const controller = createController({ name: 'x', workers: 1, clock, log: silentLogger, reconcile: async (key) => void done.push(key) })
  controller.enqueue('a')
  await clock.advance(10)
  expect(done).toEqual([])
  void controller.run(new AbortController().signal)
  await clock.advance(0)
  expect(done).toEqual(['a'])
})

test('an error is tried again with growing delays until it succeeds', async () => {
  const at: number[] = []
  const { clock, controller, lines, results } = setup(async () => {
    at.push(clock.now() - start)
    if (at.length < 4) throw new Error('no')
  })
  const start = clock.now()
  controller.enqueue('a')
  await clock.advance(1_000)
  expect(at).toEqual([0, 5, 15, 35])
  expect(lines).toEqual(Array(3).fill('error reconcile failed'))
  expect(results).toEqual(['error', 'error', 'error', 'success'])
})

test('a terminal error is not tried again before the next event, and logged once', async () => {
  let runs = 0
  const { clock, controller, lines } = setup(async () => {
    runs++
    throw new TerminalError('name is not allowed')
  })
  controller.enqueue('a')
  await clock.advance(3_600_000)
  expect(runs).toBe(1)
  controller.enqueue('a')
  await clock.advance(1_000)
  expect(runs).toBe(2)
  expect(lines).toEqual(['warn reconcile failed, waits for a change of the object'])
})

test('waiting comes back after its time and is no error', async () => {
  const at: number[] = []
  const { clock, controller, lines, results } = setup(async () => {
    at.push(clock.now() - start)
    if (at.length < 3) throw new WaitingError('secret a is missing', { retryAfterMs: 100 })
  })
  const start = clock.now()
  controller.enqueue('a')
  await clock.advance(1_000)
  expect(at).toEqual([0, 100, 200])
  expect(lines).toEqual([])
  expect(results).toEqual(['requeue_after', 'requeue_after', 'success'])
})

test('an event makes the requested requeue void: the new reconcile decides anew', async () => {
  const at: number[] = []
  const { clock, controller } = setup(async () => {
    at.push(clock.now() - start)
    return at.length === 1 ? { requeueAfterMs: 1_000 } : {}
  })
  const start = clock.now()
  controller.enqueue('a')
  await clock.advance(500)
  controller.enqueue('a')
  await clock.advance(5_000)
  expect(at).toEqual([0, 500])
})

test('of a batch of errors the one that has to be tried again decides', async () => {
  let runs = 0
  const { clock, controller } = setup(async () => {
    if (runs++ === 0) throw new AggregateError([new TerminalError('a'), new Error('b')])
    throw new AggregateError([new TerminalError('a'), new TerminalError('b')])
  })
  controller.enqueue('a')
  await clock.advance(60_000)
  expect(runs).toBe(2)
})

test('a conflict is tried again without noise; a server that asks for time gets it', async () => {
  const at: number[] = []
  const errors = [apiError(409), apiError(429, 3_000)]
  const { clock, controller, lines } = setup(async () => {
    at.push(clock.now() - start)
    const error = errors.shift()
    if (error) throw error
  })
  const start = clock.now()
  controller.enqueue('a')
  await clock.advance(10_000)
  expect(at).toEqual([0, 100, 3_100])
  expect(lines).toEqual(['error reconcile failed'])
})

function apiError(status: number, retryAfterMs?: number): ApiError {
  return new ApiError({
    status,
    reason: status === 409 ? 'Conflict' : 'TooManyRequests',
    message: 'no',
    ...(retryAfterMs ? { retryAfterMs } : {}),
  })
}

test('a reconcile that takes too long is aborted and tried again', async () => {
  let runs = 0
  const { clock, controller, lines } = setup(
    (_key, signal) => {
      if (runs++ > 0) return Promise.resolve()
      return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    },
    { timeoutMs: 1_000 },
  )
  controller.enqueue('a')
  await clock.advance(2_000)
  expect(runs).toBe(2)
  expect(lines).toEqual(['error reconcile failed'])
})

test('a reconcile that ignores its abort holds its key but not its worker', async () => {
  const runs: string[] = []
  let release: (() => void) | undefined
  const { clock, controller, lines } = setup(
    (key) => {
      runs.push(key)
      if (key !== 'stuck' || release) return Promise.resolve()
      return new Promise((resolve) => {
        release = resolve
      })
    },
    { timeoutMs: 1_000, workers: 1 },
  )
  controller.enqueue('stuck')
  controller.enqueue('other')
  await clock.advance(5_000)
  expect(runs).toEqual(['stuck'])
  await clock.advance(10_000)
  controller.enqueue('stuck')
  await clock.advance(10)
  expect(runs).toEqual(['stuck', 'other'])
  expect(lines).toEqual(['error reconcile ignores its time limit, its worker moves on'])
  release?.()
  await clock.advance(10)
  expect(runs).toEqual(['stuck', 'other', 'stuck'])
})

test('events are mapped to keys; a mapping that throws is logged and harmless', async () => {
  const done: string[] = []
  const { informer, emit } = fakeInformer()
  const { clock, controller, lines } = setup(async (key) => void done.push(key))
  controller.watch(informer)
  controller.watch(informer, (event) => {
    if (event.object.metadata.name === 'bad') throw new Error('no label')
    return ['x', 'y']
  })
  emit('bad')
  emit('good')
  await clock.advance(10)
  expect(done).toEqual(['ns/bad', 'ns/good', 'x', 'y'])
  expect(lines).toEqual(['error event could not be mapped to keys'])
})

test('a burst of events is folded', async () => {
  let runs = 0
  const { informer, emit } = fakeInformer()
  const { clock, controller } = setup(async () => void runs++)
  controller.watch(informer, undefined, { debounceMs: 200 })
  for (let i = 0; i < 10; i++) {
    emit('a')
    await clock.advance(15)
  }
  expect(runs).toBe(0)
  await clock.advance(60)
  expect(runs).toBe(1)
  await clock.advance(1_000)
  expect(runs).toBe(1)
})

test('stopping takes no more keys, finishes what runs and returns', async () => {
  const done: string[] = []
  const { clock, controller, stop, ended } = setup(
    async (key) => {
      await new Promise((resolve) => clock.setTimeout(() => resolve(undefined), 1_000))
      done.push(key)
    },
    { workers: 1 },
  )
  controller.enqueue('a')
  controller.enqueue('b')
  await clock.advance(500)
  stop.abort()
  await clock.advance(2_000)
  await ended
  expect(done).toEqual(['a'])
})

test('stopping waits no longer than the grace time, then aborts', async () => {
  let reason: unknown
  const { clock, controller, stop, ended } = setup(
    (_key, signal) =>
      new Promise((_resolve, reject) =>
        signal.addEventListener('abort', () => {
          reason = signal.reason
          reject(signal.reason)
        }),
      ),
    { graceMs: 5_000 },
  )
  controller.enqueue('a')
  await clock.advance(100)
  stop.abort()
  await clock.advance(4_000)
  expect(reason).toBeUndefined()
  await clock.advance(2_000)
  await ended
  expect(reason).toMatchObject({ message: 'controller test stops' })
})

test('stopping gives up on a reconcile that never ends', async () => {
  const { clock, controller, stop, ended } = setup(() => new Promise(() => {}), { graceMs: 5_000 })
  controller.enqueue('a')
  await clock.advance(100)
  stop.abort()
  await clock.advance(15_000)
  await ended
})

test('a controller runs once', async () => {
  const { controller, stop, ended }: { controller: Controller; stop: AbortController; ended: Promise<void> } = setup(async () => {})
  stop.abort()
  await ended
  await expect(controller.run(stop.signal)).rejects.toThrow('runs only once')
})
