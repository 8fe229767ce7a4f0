import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { SshConnection } from './connection.ts'
import { createSshConnections, type SshConnections } from './connections.ts'

interface FakeConnection extends SshConnection {
  /** As if the server had closed it. */
  breakOff(): void
  readonly bound: (AbortSignal | undefined)[]
}

function fake(): FakeConnection {
  const ended = Promise.withResolvers<never>()
  ended.promise.catch(() => {})
  const bound: (AbortSignal | undefined)[] = []
  let isOpen = true
  const close = (): void => {
    isOpen = false
    ended.reject(new Error('closed'))
  }
  return {
    bound,
    close,
    breakOff: close,
    isOpen: () => isOpen,
    boundTo: (signal) => bound.push(signal),
    whileOpen: (work) => Promise.race([work, ended.promise]),
    exec: () => Promise.reject(new Error('not here')),
  }
}

describe('kept connections', () => {
  let now = 0
  let kept: SshConnections
  beforeEach(() => {
    now = 1_000
    kept = createSshConnections({ now: () => now, idleMs: 60_000, maxAgeMs: 300_000, perId: 2, total: 3 })
  })
  afterEach(() => kept.close())

  test('are given to one at a time, the last one first', () => {
    const [first, second] = [fake(), fake()]
    kept.keep('a', first)
    kept.keep('a', second)
    expect(first.bound).toEqual([undefined])
    expect(kept.take('b', 'other')).toBeUndefined()
    expect(kept.take('a', 'repo')).toBe(second)
    expect(kept.take('a', 'repo')).toBe(first)
    expect(kept.take('a', 'repo')).toBeUndefined()
  })

  test('are few, for each login and in all', () => {
    const all = [fake(), fake(), fake(), fake(), fake()]
    const [a1, a2, a3, b1, c1] = all as [FakeConnection, FakeConnection, FakeConnection, FakeConnection, FakeConnection]
    for (const one of [a1, a2, a3]) kept.keep('a', one)
    expect([a1, a2, a3].map((one) => one.isOpen())).toEqual([false, true, true])
    kept.keep('b', b1)
    kept.keep('c', c1)
    expect(all.map((one) => one.isOpen())).toEqual([false, false, true, true, true])
  })

  test('are closed when the repository comes with other credentials', () => {
    const [old, another] = [fake(), fake()]
    kept.take('a', 'repo')
    kept.keep('a', old)
    kept.keep('z', another)
    expect(kept.take('b', 'another repo')).toBeUndefined()
    expect(old.isOpen()).toBe(true)
    expect(kept.take('b', 'repo')).toBeUndefined()
    expect(old.isOpen()).toBe(false)
    expect(another.isOpen()).toBe(true)
  })

  test('that broke meanwhile are forgotten', async () => {
    const [good, broken] = [fake(), fake()]
    kept.keep('a', good)
    kept.keep('a', broken)
    broken.breakOff()
    expect(kept.take('a', 'repo')).toBe(good)
    kept.keep('a', broken)
    expect(kept.take('a', 'repo')).toBeUndefined()
  })

  test('are closed when nobody wants them for long', async () => {
    const brief = createSshConnections({ now: () => now, idleMs: 30 })
    const one = fake()
    brief.keep('a', one)
    await expect.poll(() => one.isOpen(), { timeout: 15_000 }).toBe(false)
    expect(brief.take('a', 'repo')).toBeUndefined()
  })

  test('do not grow old', () => {
    const one = fake()
    kept.keep('a', one)
    now += 299_999
    kept.keep('a', kept.take('a', 'repo') as SshConnection)
    expect(kept.take('a', 'repo')).toBe(one)
    now += 1
    kept.keep('a', one)
    expect(one.isOpen()).toBe(false)
  })

  test('are all closed in the end, and those that come later', () => {
    const [one, late] = [fake(), fake()]
    kept.keep('a', one)
    kept.close()
    kept.keep('a', late)
    expect([one.isOpen(), late.isOpen()]).toEqual([false, false])
  })
})
