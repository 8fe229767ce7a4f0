// The small pure parts between bytes and objects.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createFakeClock } from '../../testing/fake-clock.ts'
import { createBackoff } from './backoff.ts'
import { decodeObject, errorOf, errorOfStatus, withType } from './decode.ts'
import { createDiscovery } from './discovery.ts'
import { ApiError, ConnectionError, isGone, isTooLargeResourceVersion, UnknownKindError } from './errors.ts'
import { createLineSplitter } from './lines.ts'
import { listPages } from './list.ts'
import { groupVersionPath, objectPath } from './paths.ts'
import { createQuietTimer } from './quiet-timer.ts'
import { isOlderVersion } from './resource-version.ts'
import { retryAfterMs, retryDelayMs } from './retry.ts'

describe('lines', () => {
  test('come out as they went in, however the bytes are cut', () => {
    const line = fc.string({ unit: fc.constantFrom('a', 'ü', '☃', '😀', '{', ' ', '\r'), minLength: 1 })
    fc.assert(
      fc.property(fc.array(line), fc.array(fc.nat({ max: 40 })), (lines, cuts) => {
        const bytes = Buffer.from(lines.map((text) => `${text}\n`).join(''))
        const splitter = createLineSplitter(1_000)
        const found: string[] = []
        let start = 0
        for (const cut of [...cuts, bytes.length]) {
          found.push(...splitter.push(bytes.subarray(start, start + cut)))
          start += cut
        }
        expect(found).toEqual(lines)
        expect(splitter.pending).toBe(0)
      }),
    )
  })

  test('that are empty are left out, that are too long are refused', () => {
    const splitter = createLineSplitter(4)
    expect(splitter.push(Buffer.from('\n\nabcd\nef'))).toEqual(['abcd'])
    expect(splitter.pending).toBe(2)
    expect(() => splitter.push(Buffer.from('ghi'))).toThrow(ConnectionError)
  })
})

describe('paths', () => {
  test.each([
    ['v1', 'pods', true, { namespace: 'a', name: 'b' }, '/api/v1/namespaces/a/pods/b'],
    ['apps/v1', 'deployments', true, {}, '/apis/apps/v1/deployments'],
    [
      'rbac.authorization.k8s.io/v1',
      'clusterroles',
      false,
      { namespace: 'a', name: 'System:X' },
      '/apis/rbac.authorization.k8s.io/v1/clusterroles/System%3AX',
    ],
  ])('%s %s', (apiVersion, plural, namespaced, target, path) => {
    expect(objectPath({ apiVersion, kind: 'K', ...target }, { plural, namespaced })).toBe(path)
  })

  test.each(['', '/v1', 'a/b/c', 'a/', '../v1'])('apiVersion %j is refused', (apiVersion) => {
    expect(() => groupVersionPath(apiVersion)).toThrow()
  })
})

describe('objects', () => {
  test('lose managedFields and get their kind', () => {
    expect(decodeObject({ metadata: { name: 'a', managedFields: [] } })).toEqual({ metadata: { name: 'a' } })
    const item = { metadata: { name: 'a' }, data: 1 } as never
    expect(Object.keys(withType(item, 'v1', 'K'))).toEqual(['apiVersion', 'kind', 'metadata', 'data'])
    const partial = { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: { name: 'a' } }
    expect(withType(partial, 'v1', 'K')).toEqual({ kind: 'K', apiVersion: 'v1', metadata: { name: 'a' } })
  })
})

describe('refusals', () => {
  test('are read from a Status', () => {
    const status = {
      kind: 'Status',
      message: 'no',
      reason: 'Invalid',
      code: 422,
      details: { causes: [{ field: 'spec' }], retryAfterSeconds: 2 },
    }
    expect(errorOf(422, Buffer.from(JSON.stringify(status)), 'GET /x')).toMatchObject({
      status: 422,
      reason: 'Invalid',
      message: 'no',
      retryAfterMs: 2_000,
    })
    expect(errorOfStatus(undefined)).toMatchObject({ status: 500, reason: 'InternalError' })
  })

  test('of proxies are quoted shortly', () => {
    const error = errorOf(502, Buffer.from(`<html>\n  bad   gateway ${'x'.repeat(9_999)}`), 'GET /x')
    expect(error.message).toMatch(/^GET \/x: HTTP 502: <html> bad gateway x+$/)
    expect(error.message.length).toBeLessThan(400)
    expect(errorOf(503, '{"kind":"Stat', 'GET /x')).toMatchObject({ status: 503, reason: 'ServiceUnavailable' })
  })
})

describe('retries', () => {
  const random = (): number => 0
  const refused = (status: number, wait?: number): ApiError => new ApiError({ status, reason: '', message: '', retryAfterMs: wait })

  test.each([
    [refused(429, 2_000), 'POST', 1, 2_000],
    [refused(429), 'POST', 1, 1_000],
    [refused(503, 500), 'PATCH', 7, 500],
    [refused(503, 500), 'PATCH', 8, undefined],
    [refused(503), 'GET', 1, undefined],
    [refused(409), 'PUT', 1, undefined],
    [new ConnectionError('', 'ECONNRESET'), 'GET', 1, 50],
    [new ConnectionError('', 'ECONNRESET'), 'GET', 2, undefined],
    [new ConnectionError('', 'ECONNRESET'), 'POST', 1, undefined],
    [new ConnectionError('', 'TIMEOUT'), 'GET', 1, undefined],
    [new Error('other'), 'GET', 1, undefined],
  ])('%s %s after %s attempts: %s ms', (error, method, attempts, expected) => {
    expect(retryDelayMs(error, { method, attempts, random })).toBe(expected)
  })

  test.each([
    ['5', 5_000],
    ['Thu, 01 Jan 1970 00:00:09 GMT', 8_000],
    ['Thu, 01 Jan 1970 00:00:00 GMT', 0],
    ['soon', undefined],
    ['', undefined],
    [undefined, undefined],
  ])('Retry-After: %s', (header, expected) => {
    expect(retryAfterMs(header, 1_000)).toBe(expected)
  })

  test('of watches wait between 0.8 and 30 s', () => {
    const slow = createBackoff(() => 0.999999)
    const waits = Array.from({ length: 8 }, () => Math.round(slow.next() / 100) / 10)
    expect(waits).toEqual([1.6, 3.2, 6.4, 12.8, 25.6, 30, 30, 30])
    expect(createBackoff(() => 0).next()).toBe(800)
    const unreachable = createBackoff(() => 0.999999)
    expect(Array.from({ length: 6 }, () => Math.round(unreachable.next(0, 10_000)))).toEqual([1_600, 3_200, 6_400, 10_000, 10_000, 10_000])
    expect(slow.next(60_000)).toBe(60_000)
    expect(slow.next(10_000_000)).toBe(120_000)
    slow.reset()
    expect(slow.next()).toBeLessThan(1_601)
  })
})

test('resource versions are compared as numbers, others not at all', () => {
  expect(isOlderVersion('99', '100')).toBe(true)
  expect(isOlderVersion('100', '99')).toBe(false)
  expect(isOlderVersion('100', '100')).toBe(false)
  expect(isOlderVersion('123456789012345678901', '123456789012345678902')).toBe(true)
  expect(isOlderVersion('a', '100')).toBe(false)
  expect(isOlderVersion(undefined, '100')).toBe(false)
})

test('silence is noticed, not earlier and not later', async () => {
  const clock = createFakeClock()
  const timer = createQuietTimer(clock, 1_000, new AbortController().signal)
  await clock.advance(900)
  timer.reset()
  await clock.advance(900)
  expect(timer.fired).toBe(false)
  await clock.advance(100)
  expect([timer.fired, timer.signal.aborted]).toEqual([true, true])
})

describe('discovery', () => {
  const list = {
    resources: [
      { name: 'pods', kind: 'Pod', namespaced: true, verbs: ['get'] },
      { name: 'pods/status', kind: 'Pod', namespaced: true },
    ],
  }

  test('asks once for all kinds of a version, and again for what is missing, but not all the time', async () => {
    const clock = createFakeClock()
    const asked: string[] = []
    let answer: object = list
    const discovery = createDiscovery(async (path) => {
      asked.push(path)
      return answer
    }, clock)
    const pod = { apiVersion: 'v1', kind: 'Pod' }
    const mapping = { plural: 'pods', namespaced: true, verbs: ['get'] }
    expect(await Promise.all([discovery.mapping(pod), discovery.mapping(pod)])).toEqual([mapping, mapping])
    expect(asked).toEqual(['/api/v1'])
    const node = { apiVersion: 'v1', kind: 'Node' }
    await expect(discovery.mapping(node)).rejects.toThrow(UnknownKindError)
    expect(asked).toHaveLength(1)
    answer = { resources: [{ name: 'nodes', kind: 'Node', namespaced: false }] }
    await clock.advance(3_000)
    expect(await discovery.mapping(node)).toMatchObject({ plural: 'nodes', namespaced: false })
    expect(asked).toHaveLength(2)
  })

  test('does not take failures for answers', async () => {
    let error: Error | undefined = new ConnectionError('down', 'ECONNREFUSED')
    const discovery = createDiscovery(async () => {
      if (error) throw error
      return list
    }, createFakeClock())
    const pod = { apiVersion: 'v1', kind: 'Pod' }
    await expect(discovery.mapping(pod)).rejects.toThrow('down')
    error = undefined
    expect((await discovery.mapping(pod)).plural).toBe('pods')
  })
})

describe('lists', () => {
  const type = { apiVersion: 'v1', kind: 'Pod' }
  const expired = new ApiError({ status: 410, reason: 'Expired', message: '' })
  const page = (name: string, token?: string) => ({
    metadata: { resourceVersion: '7', ...(token ? { continue: token } : {}) },
    items: [{ metadata: { name } }] as never[],
  })

  test('start again when a page is not served any more, in the end without pages', async () => {
    const asked: string[] = []
    const result = await listPages(
      async ({ limit, continue: token, resourceVersion }) => {
        asked.push(`${limit ?? 'all'} ${token ?? '-'} ${resourceVersion ?? '-'}`)
        if (token) throw expired
        return limit ? page('a', 'next') : page('b')
      },
      type,
      { pageSize: 2, resourceVersion: '0' },
    )
    expect(asked).toEqual(['2 - 0', '2 next -', '2 - 0', '2 next -', 'all - 0'])
    expect(result).toEqual({ items: [{ ...type, metadata: { name: 'b' } }], resourceVersion: '7' })
  })

  test('end with the error when even that fails', async () => {
    await expect(listPages(async () => Promise.reject(expired), type, {})).rejects.toSatisfy(isGone)
  })
})

test('a version from the future is known by its cause', () => {
  const details = { causes: [{ reason: 'ResourceVersionTooLarge' }], retryAfterSeconds: 1 }
  expect(isTooLargeResourceVersion(new ApiError({ status: 504, reason: 'Timeout', message: '', details }))).toBe(true)
  expect(isTooLargeResourceVersion(new ApiError({ status: 504, reason: 'Timeout', message: '' }))).toBe(false)
})
