import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { silentLogger } from '../lib/controller/log.ts'
import { DEFAULT_GIT_LIMITS } from '../lib/git/types.ts'
import { createFakeClock, type FakeClock } from '../testing/fake-clock.ts'
import { type Checkouts, createCheckouts } from './checkouts.ts'

const PID = 4_194_303 // more than Linux gives
let dir: string
let clock: FakeClock
let fetched: string[]
let fetchAs: (commit: string, into: string, signal: AbortSignal) => Promise<void>
let checkouts: Checkouts

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'checkouts-'))
  clock = createFakeClock()
  fetched = []
  fetchAs = async (_commit, into) => void (await mkdir(into))
  checkouts = make()
  await checkouts.open()
})
afterEach(async () => {
  await checkouts.close()
  await rm(dir, { recursive: true, force: true })
})

function make(pid = PID): Checkouts {
  const backend = {
    fetch(_remote: unknown, commit: string, into: string, _options: unknown, signal: AbortSignal) {
      fetched.push(commit)
      return fetchAs(commit, into, signal)
    },
  }
  return createCheckouts({ backend, dir, limits: DEFAULT_GIT_LIMITS, clock, log: silentLogger, pid, lingerMs: 10_000 })
}
const acquire = (commit: string, remoteId = 'r', signal = new AbortController().signal) =>
  checkouts.acquire({ remoteId, remote: { url: 'https://git.example/a' }, commit }, signal)
async function folders(): Promise<string[]> {
  const [own] = await readdir(dir)
  return (await readdir(join(dir, own ?? ''))).sort()
}
/** Rejects as soon as the signal is aborted. */
function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason)
    signal.addEventListener('abort', () => reject(signal.reason))
  })
}
/** Removals are real, time is not. */
const settled = () => expect.poll(folders, { timeout: 15_000 })

describe('checkouts', () => {
  test('are shared by those who read the same commit with the same rights', async () => {
    const [a, b, other] = await Promise.all([acquire('c1'), acquire('c1'), acquire('c1', 'other')])
    expect(a.root).toBe(b.root)
    expect(other.root).not.toBe(a.root)
    expect(fetched).toEqual(['c1', 'c1'])
  })

  test('stay until the last user and a while have gone', async () => {
    const [a, b] = await Promise.all([acquire('c1'), acquire('c1')])
    a.release()
    a.release()
    await clock.advance(60_000)
    expect(await folders()).toHaveLength(1)
    b.release()
    await clock.advance(9_000)
    ;(await acquire('c1')).release()
    expect(fetched).toEqual(['c1'])
    await clock.advance(9_000)
    expect(await folders()).toHaveLength(1)
    await clock.advance(1_000)
    await settled().toEqual([])
    ;(await acquire('c1')).release()
    expect(fetched).toEqual(['c1', 'c1'])
  })

  test('that fail are told to all who wait, and tried anew by the next', async () => {
    fetchAs = () => Promise.reject(new Error('broken'))
    const results = await Promise.allSettled([acquire('c1'), acquire('c1')])
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    fetchAs = async (_commit, into) => void (await mkdir(into))
    await acquire('c1')
    expect(fetched).toEqual(['c1', 'c1'])
  })

  test('are given up when nobody waits any more, and not before', async () => {
    const stops = [new AbortController(), new AbortController()]
    let given: AbortSignal | undefined
    fetchAs = (_commit, _into, signal) => {
      given = signal
      return aborted(signal)
    }
    const waiting = Promise.allSettled(stops.map((stop) => acquire('c1', 'r', stop.signal)))
    stops[0]?.abort(new Error('gave up'))
    await clock.advance(0)
    expect(given?.aborted).toBe(false)
    stops[1]?.abort(new Error('gave up'))
    expect((await waiting).map((one) => one.status === 'rejected' && one.reason.message)).toEqual(['gave up', 'gave up'])
    expect(given?.aborted).toBe(true)
    await expect(acquire('c1', 'r', stops[0]?.signal)).rejects.toThrow('gave up')
  })

  describe('that take long', () => {
    let done: PromiseWithResolvers<void>
    beforeEach(() => {
      done = Promise.withResolvers()
      done.promise.catch(() => {}) // told by the fetch
      fetchAs = (_commit, into, signal) => mkdir(into).then(() => Promise.race([done.promise, aborted(signal)]))
    })
    const late = {
      name: 'WaitingError',
      retryAfterMs: 5_000,
      message: expect.stringMatching(/^commit c1 of https:\/\/git.example\/a is being fetched/),
    }
    async function waitsFor(ms: number): Promise<void> {
      const told = expect(acquire('c1')).rejects.toMatchObject(late)
      await clock.advance(ms)
      await told
    }

    test('are waited for once, then looked at now and then, and go on meanwhile', async () => {
      await waitsFor(15_000)
      await clock.advance(5_000)
      await waitsFor(500)
      done.resolve()
      await clock.advance(5_000)
      ;(await acquire('c1')).release()
      expect(fetched).toEqual(['c1'])
    })

    test('and fail while nobody looks tell it to the first who comes back', async () => {
      await waitsFor(15_000)
      done.reject(new Error('broken'))
      await clock.advance(5_000)
      await expect(acquire('c1')).rejects.toThrow('broken')
      fetchAs = async (_commit, into) => void (await mkdir(into))
      await acquire('c1')
      expect(fetched).toEqual(['c1', 'c1'])
    })

    test('are given up when nobody comes back', async () => {
      await waitsFor(15_000)
      await clock.advance(60_000)
      await settled().toEqual([])
      done.resolve()
      ;(await acquire('c1')).release()
      expect(fetched).toEqual(['c1', 'c1'])
    })
  })

  test('of processes that are gone are removed at the start, those of living ones stay', async () => {
    const names = [`${PID}-aaaaaaaaaaaa`, `${PID - 1}-bbbbbbbbbbbb`, `${process.pid}-cccccccccccc`, 'something-else', '12-notours']
    for (const name of names) await mkdir(join(dir, name))
    await writeFile(join(dir, `${PID}-aaaaaaaaaaaa`, 'file'), '')
    const again = make()
    await again.open()
    const left = await readdir(dir)
    expect(left).toEqual(expect.arrayContaining([`${process.pid}-cccccccccccc`, 'something-else', '12-notours']))
    expect(left).not.toContain(`${PID}-aaaaaaaaaaaa`)
    expect(left).not.toContain(`${PID - 1}-bbbbbbbbbbbb`)
    await again.close()
  })

  test('are all removed at the end, those in use and under way too', async () => {
    await acquire('c1')
    fetchAs = (_commit, into, signal) => mkdir(into).then(() => aborted(signal))
    const pending = expect(acquire('c2')).rejects.toThrow('stops')
    await checkouts.close()
    await pending
    expect(await readdir(dir)).toEqual([])
  })
})
