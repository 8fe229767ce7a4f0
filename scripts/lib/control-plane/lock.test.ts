import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { LockHolder, LockWorld } from './lock.ts'
import { ABANDONED_AFTER_MS, acquireLock, isAbandoned } from './lock.ts'

const me: LockHolder = { pid: 1, host: 'here', token: 'me' }
const other: LockHolder = { pid: 2, host: 'here', token: 'other' }

function world(overrides: Partial<LockWorld> = {}): LockWorld {
  return { now: () => Date.now(), sleep: () => Promise.resolve(), isAlive: () => true, ...overrides }
}

describe('isAbandoned', () => {
  const at = 1_000_000
  it.each([
    ['a living process with a heartbeat', other, at - 1000, true, false],
    ['a process that is gone', other, at - 1000, false, true],
    ['a living process without a heartbeat', other, at - ABANDONED_AFTER_MS - 1, true, true],
    ['another machine with a heartbeat', { ...other, host: 'there' }, at - 1000, false, false],
    ['another machine without a heartbeat', { ...other, host: 'there' }, at - ABANDONED_AFTER_MS - 1, false, true],
    ['an unreadable file that is new', undefined, at - 1000, true, false],
    ['an unreadable file that is old', undefined, at - ABANDONED_AFTER_MS - 1, true, true],
  ])('%s', (_what, holder, heartbeat, alive, abandoned) => {
    expect(isAbandoned(holder, heartbeat, me, world({ now: () => at, isAlive: () => alive }))).toBe(abandoned)
  })
})

describe('acquireLock', () => {
  let dir = ''
  let file = ''
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'lock-'))
    file = join(dir, 'key.lock')
  })
  afterEach(() => rmSync(dir, { recursive: true }))

  function acquire(holder: LockHolder, overrides: Partial<LockWorld> = {}, onWait: () => void = () => {}): Promise<() => void> {
    return acquireLock({ file, holder, world: world(overrides), onWait, limitMs: 60_000 })
  }

  it('is free again after the release, and leaves nothing behind', async () => {
    const release = await acquire(me)
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(me)
    release()
    expect(readdirSync(dir)).toEqual([])
  })

  it('waits for a living holder', async () => {
    const release = await acquire(other)
    let waits = 0
    const sleep = () => {
      if (++waits === 3) release()
      return Promise.resolve()
    }
    const releaseMine = await acquire(me, { sleep })
    expect(waits).toBe(3)
    releaseMine()
  })

  it('takes over the lock of a dead process at once', async () => {
    writeFileSync(file, JSON.stringify(other))
    let waited = false
    const release = await acquire(me, { isAlive: () => false }, () => {
      waited = true
    })
    expect(waited).toBe(false)
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(me)
    release()
  })

  it('takes over an old unreadable lock', async () => {
    writeFileSync(file, '{"pid":')
    const old = new Date(Date.now() - ABANDONED_AFTER_MS - 5000)
    utimesSync(file, old, old)
    const release = await acquire(me)
    release()
    expect(existsSync(file)).toBe(false)
  })

  it('gives up after the limit and says who holds it', async () => {
    const release = await acquire(other)
    let now = Date.now()
    const sleep = () => {
      now += 10_000
      utimesSync(file, new Date(now), new Date(now))
      return Promise.resolve()
    }
    await expect(acquire(me, { now: () => now, sleep })).rejects.toThrow('is held by process 2 on here')
    release()
  })

  it('does not release a lock that somebody took over', async () => {
    const release = await acquire(me)
    writeFileSync(file, JSON.stringify(other))
    release()
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(other)
  })
})
