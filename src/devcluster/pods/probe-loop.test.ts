import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../lib/controller/clock.ts'
import { hostPort, isSupported, probeLoop } from './probe-loop.ts'
import type { Container, Probe } from './types.ts'

const container: Container = { name: 'main', ports: [{ name: 'http', containerPort: 8080 }] }
let healthy = false
const server = createServer((request, response) => {
  response.statusCode = healthy && request.url === '/healthz' ? 204 : 503
  response.end()
})
let port = 0
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  port = (server.address() as AddressInfo).port
})
afterAll(() => {
  server.close()
})

async function verdicts(probe: Probe, count: number, before: (seen: number) => void = () => {}): Promise<boolean[]> {
  const seen: boolean[] = []
  const abort = new AbortController()
  const timed = { ...probe, periodSeconds: 0.02 }
  before(0)
  await probeLoop(timed, container, { 8080: port }, systemClock, abort.signal, (passed) => {
    seen.push(passed)
    before(seen.length)
    if (seen.length === count) abort.abort()
  })
  return seen
}

describe('probeLoop', () => {
  it('reports only changes of the verdict, on the host port of a named port', async () => {
    const probe = { httpGet: { path: '/healthz', port: 'http' }, failureThreshold: 2 }
    const seen = await verdicts(probe, 3, (count) => {
      healthy = count === 1
    })
    expect(seen).toEqual([false, true, false])
  })

  it('asks for a connection', async () => {
    expect(await verdicts({ tcpSocket: { port: 8080 } }, 1)).toEqual([true])
    expect(await verdicts({ tcpSocket: { port: 1 }, failureThreshold: 1 }, 1)).toEqual([false])
  })
})

describe('hostPort', () => {
  it.each([
    [8080, { 8080: 9000 }, 9000],
    ['8080', {}, 8080],
    ['http', {}, 8080],
    ['other', {}, 0],
  ])('%s with %j is %d', (given, ports, expected) => {
    expect(hostPort(given, container, ports)).toBe(expected)
  })
})

it('takes exec probes as passed', () => {
  expect(isSupported({})).toBe(false)
  expect(isSupported(undefined)).toBe(false)
  expect(isSupported({ tcpSocket: { port: 1 } })).toBe(true)
})
