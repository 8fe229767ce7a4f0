import { describe, expect, test } from 'vitest'
import { hasPlace, type PlaceHolder, type PlaceSeeker, slowAfterMs } from './job-places.ts'

const jobs = (count: number, kind: PlaceSeeker['kind'], host: string, ageMs = 0): PlaceHolder[] =>
  Array.from({ length: count }, () => ({ kind, host, ageMs }))
const ask: PlaceSeeker = { kind: 'resolve', host: 'a' }
const fetch: PlaceSeeker = { kind: 'fetch', host: 'a' }
const push: PlaceSeeker = { kind: 'push', host: 'a' }

describe('a question', () => {
  test('has one of 16 places', () => {
    expect(hasPlace(ask, jobs(15, 'resolve', 'a'))).toBe(true)
    expect(hasPlace(ask, jobs(16, 'resolve', 'b'))).toBe(false)
  })

  test('does not wait for those of servers that are slow', () => {
    const slow = slowAfterMs('resolve')
    expect(slow).toBe(2_000)
    expect(hasPlace(ask, jobs(16, 'resolve', 'b', slow - 1))).toBe(false)
    expect(hasPlace(ask, jobs(16, 'resolve', 'b', slow))).toBe(true)
    expect(hasPlace(ask, [...jobs(100, 'resolve', 'b', slow), ...jobs(16, 'resolve', 'b')])).toBe(false)
    expect(hasPlace(ask, jobs(128, 'resolve', 'b', slow))).toBe(false)
  })

  test('does not wait for other jobs', () => {
    expect(hasPlace(ask, [...jobs(8, 'fetch', 'a'), ...jobs(2, 'push', 'a')])).toBe(true)
  })
})

describe('a fetch', () => {
  const slow = slowAfterMs('fetch')

  test('has one of four places, the last of them only if its host does not have all others', () => {
    expect(hasPlace(fetch, jobs(2, 'fetch', 'a'))).toBe(true)
    expect(hasPlace(fetch, jobs(3, 'fetch', 'a'))).toBe(false)
    expect(hasPlace(fetch, jobs(3, 'fetch', 'b'))).toBe(true)
    expect(hasPlace(fetch, [...jobs(2, 'fetch', 'a'), ...jobs(2, 'fetch', 'b')])).toBe(false)
  })

  test('finds a place beside servers that dribble', () => {
    expect(hasPlace(fetch, jobs(4, 'fetch', 'b', slow))).toBe(true)
    expect(hasPlace(fetch, [...jobs(4, 'fetch', 'b', slow), ...jobs(3, 'fetch', 'c')])).toBe(true)
    expect(hasPlace(fetch, [...jobs(4, 'fetch', 'b', slow), ...jobs(4, 'fetch', 'c', slow)])).toBe(false)
  })

  test('waits when its own host dribbles', () => {
    expect(hasPlace(fetch, jobs(3, 'fetch', 'a', slow))).toBe(true)
    expect(hasPlace(fetch, jobs(4, 'fetch', 'a', slow))).toBe(false)
  })
})

test('a push has one of two places', () => {
  expect(hasPlace(push, [...jobs(1, 'push', 'a'), ...jobs(4, 'fetch', 'a')])).toBe(true)
  expect(hasPlace(push, jobs(2, 'push', 'b'))).toBe(false)
  expect(hasPlace(push, jobs(2, 'push', 'b', slowAfterMs('push')))).toBe(true)
})
