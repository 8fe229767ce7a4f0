import { beforeEach, describe, expect, test } from 'vitest'
import { silentLogger } from '../lib/controller/log.ts'
import { GitError } from '../lib/git/errors.ts'
import type { GitRef, GitRemote } from '../lib/git/types.ts'
import { createFakeClock, type FakeClock } from '../testing/fake-clock.ts'
import { createPoller, type Poller, type PollRequest } from './poller.ts'

let clock: FakeClock
let asked: string[]
let polled: string[]
let answer: (remote: GitRemote, ref: GitRef, signal: AbortSignal) => Promise<string>
let poller: Poller

beforeEach(() => {
  clock = createFakeClock()
  asked = []
  polled = []
  answer = async () => 'c1'
  poller = createPoller({
    backend: {
      resolve(remote, ref, signal) {
        asked.push(remote.url)
        return answer(remote, ref, signal)
      },
    },
    clock,
    log: silentLogger,
    random: () => 0,
    onPolled: (key) => polled.push(key),
  })
})

const request = (url = 'https://git.example/a', intervalMs = 10_000): PollRequest => ({
  id: url,
  remote: { url },
  ref: { branch: 'main' },
  intervalMs,
})
const times = (): number => asked.length

describe('the poller', () => {
  test('asks at once, then at each interval, and tells each follower each time', async () => {
    expect(poller.follow('a', request())).toBeUndefined()
    await clock.advance(0)
    expect([times(), polled]).toEqual([1, ['a']])
    expect(poller.follow('a', request())).toEqual({ at: clock.now(), commit: 'c1' })
    await clock.advance(30_000)
    expect(times()).toBe(4)
  })

  test('asks once for all who follow the same, as often as the most eager wants', async () => {
    for (const key of ['a', 'b', 'c']) poller.follow(key, request())
    poller.follow('d', request('https://git.example/a', 2_000))
    await clock.advance(10_000)
    expect(times()).toBe(6)
    poller.forget('d')
    asked = []
    await clock.advance(22_000)
    expect(times()).toBe(3)
    expect(new Set(polled)).toEqual(new Set(['a', 'b', 'c', 'd']))
  })

  test('takes a shorter interval at once', async () => {
    poller.follow('a', request('https://git.example/a', 3_600_000))
    await clock.advance(60_000)
    expect(times()).toBe(1)
    poller.follow('a', request('https://git.example/a', 2_000))
    await clock.advance(0)
    expect(times()).toBe(2)
  })

  test('stops asking what nobody follows any more', async () => {
    let aborted = false
    answer = (_remote, _ref, signal) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          aborted = true
          reject(signal.reason)
        })
      })
    poller.follow('a', request())
    await clock.advance(0)
    poller.follow('a', request('https://git.example/b'))
    await clock.advance(60_000)
    expect(aborted).toBe(true)
    expect(asked).toEqual(['https://git.example/a', 'https://git.example/b'])
    poller.stop()
    await clock.advance(600_000)
    expect([times(), polled]).toEqual([2, []])
  })

  test('asks less and less often while it fails, and as before once it succeeds', async () => {
    answer = () => Promise.reject(new GitError('unreachable', 'gone'))
    poller.follow('a', request())
    await clock.advance(79_999)
    expect(times()).toBe(4) // after 0, 10, 30 and 70 s
    expect(poller.follow('a', request())?.error?.message).toBe('gone')
    answer = async () => 'c2'
    await clock.advance(70_001)
    expect(times()).toBe(5)
    expect(poller.follow('a', request())?.commit).toBe('c2')
    await clock.advance(20_000)
    expect(times()).toBe(7)
  })

  test('looks for a ref that is not there yet at the usual pace', async () => {
    answer = () => Promise.reject(new GitError('unknown-ref', 'none'))
    poller.follow('a', request())
    await clock.advance(60_000)
    expect(times()).toBe(7)
  })

  test('stays away as long as the server asks', async () => {
    answer = () => Promise.reject(new GitError('unreachable', 'busy', { retryAfterMs: 45_000 }))
    poller.follow('a', request())
    await clock.advance(44_000)
    expect(times()).toBe(1)
    await clock.advance(1_000)
    expect(times()).toBe(2)
  })

  test('with polling disabled asks only when told to, and again after a failure', async () => {
    const disabled = request('https://git.example/a', Number.POSITIVE_INFINITY)
    poller.follow('a', disabled)
    await clock.advance(60_000)
    expect(times()).toBe(0)
    answer = () => Promise.reject(new Error('broken'))
    poller.refresh('a', clock.now())
    await clock.advance(15_000)
    expect(times()).toBe(2)
    expect(poller.follow('a', disabled)?.error).toMatchObject({ kind: 'other' })
    answer = async () => 'c1'
    await clock.advance(600_000)
    expect(times()).toBe(3)
  })

  test('told to ask, asks unless a poll began since', async () => {
    const { promise, resolve } = Promise.withResolvers<string>()
    answer = () => promise
    poller.follow('a', request())
    await clock.advance(1_000)
    poller.refresh('a', clock.now() - 1_000)
    poller.refresh('a', clock.now())
    poller.refresh('a', clock.now())
    resolve('c1')
    await clock.advance(0)
    expect(times()).toBe(2)
    poller.refresh('a', clock.now() - 500)
    poller.refresh('nobody', clock.now())
    expect(times()).toBe(2)
  })
})
