// Asks a container, from the host, whether it is up.
import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { connect } from 'node:net'
import type { Clock } from '../../lib/controller/clock.ts'
import { sleep } from '../../lib/controller/clock.ts'
import type { Container, Probe } from './types.ts'

/** Where the ports of a container are on this host: container port → host port; without an entry they are the same. */
export type PortMap = Readonly<Record<number, number>>

/** True for probes that are carried out here; `exec` and `grpc` are taken as passed. */
export function isSupported(probe: Probe | undefined): probe is Probe {
  return probe?.httpGet !== undefined || probe?.tcpSocket !== undefined
}

/**
 * Probes until the signal is aborted and reports each change of the verdict.
 * @param onVerdict called with true after `successThreshold` successes and false after `failureThreshold` failures, when that is news
 */
export async function probeLoop(
  probe: Probe,
  container: Container,
  ports: PortMap,
  clock: Clock,
  signal: AbortSignal,
  onVerdict: (passed: boolean) => void,
): Promise<void> {
  let verdict: boolean | undefined
  let streak = { passed: false, length: 0 }
  await pause(clock, (probe.initialDelaySeconds ?? 0) * 1000, signal)
  while (!signal.aborted) {
    const passed = await probeOnce(probe, container, ports, signal)
    if (signal.aborted) return
    streak = { passed, length: streak.passed === passed ? streak.length + 1 : 1 }
    const threshold = passed ? (probe.successThreshold ?? 1) : (probe.failureThreshold ?? 3)
    if (streak.length >= threshold && verdict !== passed) {
      verdict = passed
      onVerdict(passed)
    }
    await pause(clock, (probe.periodSeconds ?? 10) * 1000, signal)
  }
}

async function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  // The end of the container ends the pause: the loop looks at the signal itself.
  await sleep(clock, ms, signal).catch(() => undefined)
}

function probeOnce(probe: Probe, container: Container, ports: PortMap, signal: AbortSignal): Promise<boolean> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout((probe.timeoutSeconds ?? 1) * 1000)])
  const { httpGet, tcpSocket } = probe
  const port = hostPort((httpGet ?? tcpSocket)?.port ?? 0, container, ports)
  return httpGet === undefined ? tcpAnswers(port, limit) : httpAnswers(httpGet, port, limit)
}

/** The port on this host behind a port number or name of a container; 0 for a name that it does not have. */
export function hostPort(port: number | string, container: Container, ports: PortMap): number {
  const numeric = /^\d+$/.test(String(port)) ? Number(port) : container.ports?.find(({ name }) => name === port)?.containerPort
  return ports[numeric ?? 0] ?? numeric ?? 0
}

function httpAnswers(httpGet: NonNullable<Probe['httpGet']>, port: number, signal: AbortSignal): Promise<boolean> {
  const https = httpGet.scheme?.toUpperCase() === 'HTTPS'
  const headers = Object.fromEntries((httpGet.httpHeaders ?? []).map(({ name, value }) => [name, value]))
  const options = { host: '127.0.0.1', port, path: httpGet.path ?? '/', headers, signal, agent: false }
  return new Promise((resolve) => {
    // As the kubelet: the certificate of a probed container is not checked.
    const outgoing = https ? httpsRequest({ ...options, rejectUnauthorized: false }) : httpRequest(options)
    outgoing.once('response', (response) => {
      response.resume()
      const status = response.statusCode ?? 0
      resolve(status >= 200 && status < 400)
    })
    outgoing.once('error', () => resolve(false))
    outgoing.end()
  })
}

function tcpAnswers(port: number, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, signal })
    socket.once('error', () => resolve(false))
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
  })
}
