// A socket that leads to an ssh server, straight or through a proxy.
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { connect, type Socket } from 'node:net'
import { unlessAborted } from '../abort.ts'
import type { SshAddress } from '../url.ts'
import type { SshProxy } from './proxy.ts'
import { ProxyAnswerError, toProxyError } from './proxy-errors.ts'
import { askSocksProxy } from './socks.ts'

export interface DialOptions {
  readonly address: SshAddress
  readonly proxy?: SshProxy | undefined
  /** Until the socket leads to the server, in milliseconds. */
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

const MAX_HEADER_BYTES = 16 * 1_024

/** Rejects with the reason of the signal, a GitError that names the proxy, or an error of the socket. Whoever gets the socket looks whether it is still open. */
export async function dial({ address, proxy, timeoutMs, signal }: DialOptions): Promise<Socket> {
  signal.throwIfAborted()
  const late = new AbortController()
  const timer = setTimeout(() => late.abort(Object.assign(new Error('no connection in time'), { code: 'ETIMEDOUT' })), timeoutMs)
  const limited = AbortSignal.any([signal, late.signal])
  try {
    return await (proxy ? throughProxy(proxy, address, limited) : straight(address, limited))
  } catch (error) {
    signal.throwIfAborted()
    throw proxy ? toProxyError(error, proxy) : error
  } finally {
    clearTimeout(timer)
  }
}

function throughProxy(proxy: SshProxy, address: SshAddress, signal: AbortSignal): Promise<Socket> {
  return proxy.kind === 'socks5' ? bySocks(proxy, address, signal) : byConnect(proxy, address, signal)
}

async function straight({ host, port }: Pick<SshAddress, 'host' | 'port'>, signal: AbortSignal): Promise<Socket> {
  const socket = connect({ host, port, noDelay: true })
  const connected = new Promise<void>((resolve, reject) => socket.on('error', reject).once('connect', resolve))
  try {
    await unlessAborted(signal, connected)
    return socket
  } catch (error) {
    socket.destroy()
    throw error
  }
}

async function bySocks(proxy: SshProxy, address: SshAddress, signal: AbortSignal): Promise<Socket> {
  const socket = await straight(proxy, signal)
  try {
    await askSocksProxy(socket, address, proxy, signal)
    return socket
  } catch (error) {
    socket.destroy()
    throw error
  }
}

async function byConnect(proxy: SshProxy, { host, port }: SshAddress, signal: AbortSignal): Promise<Socket> {
  const target = `${host.includes(':') ? `[${host}]` : host}:${port}`
  const { username = '', password = '' } = proxy.credentials ?? {}
  const basic = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
  const request = (proxy.kind === 'https' ? httpsRequest : httpRequest)({
    ...proxy.tls,
    host: proxy.host,
    port: proxy.port,
    method: 'CONNECT',
    path: target,
    headers: { host: target, ...(proxy.credentials ? { 'proxy-authorization': basic } : {}) },
    agent: false,
    maxHeaderSize: MAX_HEADER_BYTES,
  })
  const failed = Promise.withResolvers<never>()
  request.on('error', failed.reject)
  try {
    return await unlessAborted(signal, Promise.race([failed.promise, tunnel(request)]))
  } catch (error) {
    request.destroy()
    throw error
  }
}

function tunnel(request: ClientRequest): Promise<Socket> {
  return new Promise((resolve, reject) => {
    request.once('connect', ({ statusCode = 0 }: IncomingMessage, socket: Socket, head: Buffer) => {
      socket.on('error', () => {}) // whoever gets it looks whether it is open
      if (statusCode >= 200 && statusCode < 300) {
        socket.setNoDelay(true)
        if (head.length > 0) socket.unshift(head)
        resolve(socket)
        return
      }
      socket.destroy()
      reject(new ProxyAnswerError(statusCode === 407 ? 'wants credentials' : 'refuses', `status ${statusCode}`))
    })
    request.end()
  })
}
