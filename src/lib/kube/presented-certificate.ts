// Whose certificate a server presents that is not trusted: asked with a handshake of its own, in which nothing is sent.
import { isIP } from 'node:net'
import { connect, type PeerCertificate } from 'node:tls'
import { type Clock, systemClock } from '../controller/clock.ts'
import type { KubeConnection } from './connection.ts'
import { ConnectionError } from './errors.ts'

const HANDSHAKE_MS = 5_000
const MAX_NAME = 200

/** Whether a connection failed because the server's certificate is not trusted, or not for this server. */
export function isUntrusted(error: unknown): error is ConnectionError {
  return error instanceof ConnectionError && /CERT|SELF_SIGNED|ISSUER|SIGNATURE/.test(error.code)
}

/** As `subject "CN=…", issuer "CN=…"`; undefined when it cannot be had, as behind a proxy. Never throws. */
export async function presentedCertificate(connection: KubeConnection, clock: Clock = systemClock): Promise<string | undefined> {
  const { protocol, hostname, port } = new URL(connection.server)
  if (protocol !== 'https:' || connection.proxyUrl()) return undefined
  const host = hostname.replace(/^\[|\]$/g, '')
  const servername = connection.tls().servername ?? (isIP(host) ? undefined : host)
  const certificate = await shakeHands({ host, port: Number(port || 443), servername }, clock)
  if (!certificate?.subject) return undefined
  return `subject ${nameOf(certificate.subject)}, issuer ${nameOf(certificate.issuer)}`
}

function shakeHands(
  { host, port, servername }: { host: string; port: number; servername: string | undefined },
  clock: Clock,
): Promise<PeerCertificate | undefined> {
  return new Promise((resolve) => {
    // not verified, as it has just been refused: this connection carries nothing and is closed at once
    const socket = connect({ host, port, ...(servername ? { servername } : {}), rejectUnauthorized: false })
    const end = (certificate?: PeerCertificate): void => {
      clock.clearTimeout(timer)
      socket.destroy()
      resolve(certificate)
    }
    const timer = clock.setTimeout(() => end(), HANDSHAKE_MS)
    socket.on('secureConnect', () => end(socket.getPeerCertificate()))
    socket.on('error', () => end())
    socket.on('close', () => end())
  })
}

/** The server chose these texts: printable characters only, and not too many. */
function nameOf(name: PeerCertificate['subject'] | undefined): string {
  const parts = Object.entries(name ?? {}).flatMap(([key, value]) => [value].flat().map((text) => `${key}=${text}`))
  const text = parts.join(', ').replaceAll(/[^\x20-\x7e\u00a0-\uffff]/g, '?')
  return JSON.stringify(text.length > MAX_NAME ? `${text.slice(0, MAX_NAME - 1)}…` : text)
}
