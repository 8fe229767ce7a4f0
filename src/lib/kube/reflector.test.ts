// The decisions of a reflector, with a server that does what is written down. How it does on the wire: faults.api.test.ts.
import { afterEach, describe, expect, test } from 'vitest'
import { createFakeClock } from '../../testing/fake-clock.ts'
import { type Logger, silentLogger } from '../controller/log.ts'
import type { KubeClient, ListOptions, WatchEvent, WatchOptions } from './client.ts'
import { ApiError, ConnectionError } from './errors.ts'
import { runReflector } from './reflector.ts'
import type { KubeObject } from './types.ts'

type ListAnswer = string | Error
/** Events, then the end: an error, or a clean one. */
type WatchAnswer = { events?: WatchEvent[]; end?: Error; forMs?: number }

const POD = { apiVersion: 'v1', kind: 'Pod' }
const runs: { signal: AbortController; ended: Promise<void> }[] = []

afterEach(async () => {
  for (const { signal, ended } of runs.splice(0)) {
    signal.abort()
    await ended
  }
})

function object(name: string, resourceVersion: string): KubeObject {
  return { ...POD, metadata: { name, resourceVersion } }
}

function event(type: WatchEvent['type'], version: string): WatchEvent {
  return { type, object: object('a', version) }
}

function refusal(status: number, reason = '', cause?: string): ApiError {
  return new ApiError({ status, reason, message: `${status} ${reason}`, details: cause ? { causes: [{ reason: cause }] } : undefined })
}

/** Starts a reflector on scripted answers (the last one repeats) and returns what it asked and told. */
function start(lists: ListAnswer[], watches: WatchAnswer[]) {
  const clock = createFakeClock()
  const asked: string[] = []
  const told: string[] = []
  const warnings: string[] = []
  const signal = new AbortController()
  const client = {
    async list(_: unknown, { resourceVersion, resourceVersionMatch }: ListOptions) {
      asked.push(`list ${resourceVersion ?? 'newest'}${resourceVersionMatch ? ` ${resourceVersionMatch}` : ''}`)
      const answer = lists.length > 1 ? lists.shift() : lists[0]
      if (answer instanceof Error) throw answer
      return { items: [object('a', answer ?? '')], resourceVersion: answer ?? '' }
    },
    async *watch(_: unknown, { resourceVersion, signal: abort }: WatchOptions) {
      asked.push(`watch ${resourceVersion}`)
      const { events = [], end, forMs = 0 } = (watches.length > 1 ? watches.shift() : watches[0]) ?? {}
      if (end instanceof ApiError && events.length === 0) throw end
      yield* events
      await new Promise<void>((resolve, reject) => {
        clock.setTimeout(resolve, forMs)
        abort?.addEventListener('abort', () => reject(abort.reason))
      })
      if (end) throw end
    },
  } as unknown as KubeClient
  const log: Logger = { ...silentLogger, child: () => log, warn: (_, message) => warnings.push(message) }
  const handler = {
    replace: (objects: KubeObject[]) => told.push(`replace ${objects.map((item) => item.metadata.resourceVersion)}`),
    apply: ({ type, object: changed }: WatchEvent) => told.push(`${type} ${changed.metadata.resourceVersion}`),
  }
  const ended = runReflector({ client, type: POD, project: (item) => item, handler, clock, log, random: () => 0 }, signal.signal)
  runs.push({ signal, ended })
  return { clock, asked, told, warnings }
}

const FOREVER: WatchAnswer = { forMs: 1e9 }

describe('a reflector', () => {
  test('lists the newest state, then watches from there, and goes on where a watch ended', async () => {
    const { clock, asked, told } = start(
      ['10'],
      [{ events: [event('MODIFIED', '11'), event('BOOKMARK', '15')] }, { events: [event('DELETED', '17')], forMs: 60_000 }, FOREVER],
    )
    await clock.advance(0)
    expect(asked).toEqual(['list newest', 'watch 10', 'watch 15'])
    await clock.advance(60_000)
    expect(asked.at(-1)).toBe('watch 17')
    expect(told).toEqual(['replace 10', 'MODIFIED 11', 'DELETED 17'])
  })

  test('never takes a list that is older than what it knows', async () => {
    const { clock, asked, told } = start(
      ['100', '99', '101'],
      [{ events: [event('MODIFIED', '100'), event('BOOKMARK', '100')], end: refusal(410) }, FOREVER],
    )
    await clock.advance(0)
    await clock.advance(2_000)
    expect(asked).toEqual(['list newest', 'watch 100', 'list 100 NotOlderThan', 'list newest', 'watch 101'])
    expect(told).toEqual(['replace 100', 'MODIFIED 100', 'replace 101'])
  })

  test('asks for the newest state when its version is from the future, as after a restored backup', async () => {
    const tooLarge = refusal(504, 'Timeout', 'ResourceVersionTooLarge')
    const { clock, asked } = start(['100', tooLarge, '50'], [{ end: refusal(410, 'Expired') }, FOREVER])
    await clock.advance(5_000)
    expect(asked).toEqual(['list newest', 'watch 100', 'list 100 NotOlderThan', 'list newest', 'watch 50'])
    const back = start(['100', '50'], [{ events: [event('BOOKMARK', '49')], forMs: 1e9 }, FOREVER])
    await back.clock.advance(0)
    expect(back.asked).toEqual(['list newest', 'watch 100', 'list newest', 'watch 50'])
  })

  test('lists again at once when a good watch ended with 410, but not in a busy loop', async () => {
    const { clock, asked } = start(['10'], [{ forMs: 60_000, end: refusal(410) }, { end: refusal(410) }])
    await clock.advance(60_000)
    expect(asked.slice(0, 4)).toEqual(['list newest', 'watch 10', 'list 10 NotOlderThan', 'watch 10'])
    const before = asked.length
    await clock.advance(8_000)
    expect(asked.length - before).toBeLessThanOrEqual(20)
  })

  test('does not run in circles when watches end at once', async () => {
    const { clock, asked } = start(['10'], [{}])
    await clock.advance(8_000)
    expect(asked.length).toBeLessThanOrEqual(12)
    expect(asked.length).toBeGreaterThan(8)
  })

  test('keeps its place while the server is away', async () => {
    const { clock, asked, warnings } = start(['10'], [{ end: new ConnectionError('down', 'ECONNREFUSED') }])
    await clock.advance(20_000)
    expect(new Set(asked.slice(1))).toEqual(new Set(['watch 10']))
    expect(warnings).toEqual(['cannot watch objects, retrying'])
  })

  test('lists again when a watch keeps failing for another reason', async () => {
    const { clock, asked } = start(
      ['10'],
      [{ end: refusal(400) }, { end: refusal(400) }, { end: new ConnectionError('', 'MALFORMED') }, FOREVER],
    )
    await clock.advance(10_000)
    expect(asked).toEqual(['list newest', 'watch 10', 'watch 10', 'watch 10', 'list 10 NotOlderThan', 'watch 10'])
  })

  test('waits as long as the server asks', async () => {
    const busy = new ApiError({ status: 429, reason: 'TooManyRequests', message: 'busy', retryAfterMs: 20_000 })
    const { clock, asked } = start([busy, '10'], [FOREVER])
    await clock.advance(19_999)
    expect(asked).toEqual(['list newest'])
    await clock.advance(1)
    expect(asked).toEqual(['list newest', 'list newest', 'watch 10'])
  })

  test('connects again when nothing is heard, not even a bookmark', async () => {
    const { clock, asked, warnings } = start(['10'], [FOREVER])
    await clock.advance(99_999)
    expect(asked).toEqual(['list newest', 'watch 10'])
    await clock.advance(1)
    expect(asked).toEqual(['list newest', 'watch 10', 'watch 10'])
    await clock.advance(199_999)
    expect(asked).toHaveLength(3)
    await clock.advance(1)
    expect(asked).toHaveLength(4)
    expect(warnings).toEqual([])
  })

  test('warns again only when the reason changes', async () => {
    const { clock, warnings } = start([refusal(403, 'a'), refusal(403, 'a'), refusal(403, 'b'), '10'], [FOREVER])
    await clock.advance(10_000)
    expect(warnings).toEqual(['cannot list objects, retrying', 'cannot list objects, retrying'])
  })
})
