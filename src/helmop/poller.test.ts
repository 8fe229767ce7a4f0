import { beforeEach, expect, test } from 'vitest'
import { ChartError } from '../lib/charts/errors.ts'
import { silentLogger } from '../lib/controller/log.ts'
import { createFakeClock, type FakeClock } from '../testing/fake-clock.ts'
import { createPoller, type Poller, type PollRequest } from './poller.ts'

let clock: FakeClock
let asked: string[]
let polled: string[]
let answer: (charts: readonly string[], signal: AbortSignal) => Promise<ReadonlyMap<string, readonly string[]>>
let poller: Poller

beforeEach(() => {
  clock = createFakeClock()
  asked = []
  polled = []
  answer = async (charts) => new Map(charts.filter((chart) => chart !== 'missing').map((chart) => [chart, ['1.0.0']]))
  poller = createPoller({
    versions: {
      list(repo, charts, _access, signal) {
        asked.push(`${repo} ${[...charts].sort().join(',')}`)
        return answer(charts, signal)
      },
    },
    clock,
    log: silentLogger,
    random: () => 0,
    onPolled: (key) => polled.push(key),
  })
})

const REPO = 'https://charts.example'
const request = (chart = 'a', intervalMs = 10_000, id = REPO): PollRequest => ({ id, repo: REPO, chart, access: {}, intervalMs })

test('a repository is asked once for all charts and all who follow it', async () => {
  expect(poller.follow('1', request('a'))).toBeUndefined()
  poller.follow('2', request('b'))
  poller.follow('3', request('a', 60_000))
  await clock.advance(0)
  expect(asked).toEqual([`${REPO} a,b`])
  expect(polled.sort()).toEqual(['1', '2', '3'])
  expect(poller.follow('2', request('b'))).toEqual({ at: clock.now(), versions: ['1.0.0'] })
  await clock.advance(20_000)
  expect(asked).toHaveLength(3)
})

test('a chart that is added later is asked for at once', async () => {
  poller.follow('1', request('a'))
  await clock.advance(1_000)
  expect(poller.follow('2', request('b'))).toBeUndefined()
  await clock.advance(0)
  expect(asked).toEqual([`${REPO} a`, `${REPO} a,b`])
})

test('a chart that is added while the repository is asked is asked for next', async () => {
  const { promise, resolve } = Promise.withResolvers<ReadonlyMap<string, readonly string[]>>()
  const later = answer
  answer = () => promise
  poller.follow('1', request('a'))
  await clock.advance(0)
  poller.follow('2', request('b'))
  answer = later
  resolve(new Map([['a', ['1.0.0']]]))
  await clock.advance(0)
  expect(asked).toEqual([`${REPO} a`, `${REPO} a,b`])
})

test('without an interval it is asked only when somebody wants to know', async () => {
  poller.follow('1', request('a', Number.POSITIVE_INFINITY))
  await clock.advance(60_000)
  expect(asked).toEqual([])
  poller.refresh('1', clock.now())
  await clock.advance(600_000)
  expect(asked).toHaveLength(1)
  poller.refresh('1', clock.now() - 600_000) // an answer that young is known
  poller.refresh('unknown', clock.now())
  await clock.advance(0)
  expect(asked).toHaveLength(1)
})

test('a repository that does not answer is asked less and less often, or when it wants to be', async () => {
  answer = () => Promise.reject(new ChartError('down'))
  poller.follow('1', request())
  await clock.advance(0)
  expect(poller.follow('1', request())).toMatchObject({ error: { message: 'down' } })
  await clock.advance(70_000) // after 10, 20 and 40 s
  expect(asked).toHaveLength(4)
  answer = () => Promise.reject(new ChartError('busy', { retryAfterMs: 500_000 }))
  await clock.advance(80_000)
  expect(asked).toHaveLength(5)
  await clock.advance(499_000)
  expect(asked).toHaveLength(5)
})

test('a chart that the repository does not have is an error of those who want it', async () => {
  poller.follow('1', request('missing'))
  poller.follow('2', request('a'))
  await clock.advance(0)
  expect(poller.follow('1', request('missing'))?.error?.message).toMatch(/has no chart missing/)
  expect(poller.follow('2', request('a'))?.versions).toEqual(['1.0.0'])
  await clock.advance(10_000)
  expect(asked).toHaveLength(2)
})

test('nobody is told of a repository that nobody follows any more', async () => {
  answer = (_charts, signal) => new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
  poller.follow('1', request())
  await clock.advance(0)
  poller.follow('1', request('a', 10_000, 'other credentials'))
  await clock.advance(0)
  expect(asked).toHaveLength(2)
  poller.forget('1')
  poller.stop()
  await clock.advance(100_000)
  expect([asked.length, polled]).toEqual([2, []])
})
