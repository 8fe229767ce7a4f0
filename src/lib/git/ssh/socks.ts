// A way through a SOCKS 5 proxy (RFC 1928, RFC 1929). The proxy looks up the name of the host.
import { isIP, type Socket } from 'node:net'
import { unlessAborted } from '../abort.ts'
import type { SshAddress } from '../url.ts'
import type { SshProxy } from './proxy.ts'
import { ProxyAnswerError } from './proxy-errors.ts'

const VERSION = 5
const CONNECT = 1
const [NO_CREDENTIALS, BY_PASSWORD, NOTHING_SUITS] = [0, 2, 0xff]
const [IPV4, NAME, IPV6] = [1, 3, 4]
const MAX_TEXT_BYTES = 255
const REPLIES = [
  'granted',
  'general failure',
  'not allowed by its rules',
  'network unreachable',
  'host unreachable',
  'connection refused',
  'timed out on its way',
  'command not supported',
  'kind of address not supported',
]

/** Asks the proxy at the other end of a connected socket for a way to `address`; afterwards the socket leads there. Throws ProxyAnswerError, or what the socket fails with. */
export async function askSocksProxy(socket: Socket, address: SshAddress, { credentials }: SshProxy, signal: AbortSignal): Promise<void> {
  const read = (count: number): Promise<Buffer> => unlessAborted(signal, readExactly(socket, count))
  const methods = credentials ? [NO_CREDENTIALS, BY_PASSWORD] : [NO_CREDENTIALS]
  socket.write(Buffer.from([VERSION, methods.length, ...methods]))
  const [version, method] = await read(2)
  if (version !== VERSION) throw new ProxyAnswerError('is no proxy', 'it does not speak SOCKS 5')
  if (method === BY_PASSWORD && credentials) await showCredentials(socket, read, credentials)
  else if (method !== NO_CREDENTIALS)
    throw new ProxyAnswerError('wants credentials', method === NOTHING_SUITS ? 'it takes none of ours' : `method ${method}`)

  socket.write(Buffer.concat([Buffer.from([VERSION, CONNECT, 0]), encodeHost(address.host), port(address.port)]))
  const [replyVersion, reply = 1, , kind] = await read(4)
  if (replyVersion !== VERSION) throw new ProxyAnswerError('is no proxy', 'it does not speak SOCKS 5')
  if (reply !== 0) throw new ProxyAnswerError('refuses', REPLIES[reply] ?? `code ${reply}`)
  await read((await lengthOf(kind, read)) + 2) // where the proxy stands itself
}

async function showCredentials(
  socket: Socket,
  read: (count: number) => Promise<Buffer>,
  { username, password }: NonNullable<SshProxy['credentials']>,
): Promise<void> {
  socket.write(Buffer.concat([Buffer.from([1]), text(username, 'the user name'), text(password, 'the password')]))
  const [, status] = await read(2)
  if (status !== 0) throw new ProxyAnswerError('wants credentials', 'it does not take these')
}

async function lengthOf(kind: number | undefined, read: (count: number) => Promise<Buffer>): Promise<number> {
  if (kind === IPV4) return 4
  if (kind === IPV6) return 16
  if (kind === NAME) return (await read(1))[0] ?? 0
  throw new ProxyAnswerError('is no proxy', 'it does not speak SOCKS 5')
}

function encodeHost(host: string): Buffer {
  if (isIP(host) === 4) return Buffer.from([IPV4, ...host.split('.').map(Number)])
  if (isIP(host) === 6) return Buffer.concat([Buffer.from([IPV6]), ipv6(host)])
  return Buffer.concat([Buffer.from([NAME]), text(host, 'the name of the host')])
}

/** Of an address in any spelling: the form of a URL has only hexadecimal groups. */
function ipv6(host: string): Buffer {
  const plain = new URL(`http://[${host.replace(/%.*$/, '')}]`).hostname.slice(1, -1)
  const [left = [], right = []] = plain.split('::').map((half) => half.split(':').filter(Boolean))
  const groups = [...left, ...Array<string>(8 - left.length - right.length).fill('0'), ...right]
  return Buffer.concat(groups.map((group) => port(Number.parseInt(group, 16))))
}

function port(value: number): Buffer {
  return Buffer.from([value >> 8, value & 0xff])
}

function text(value: string, what: string): Buffer {
  const bytes = Buffer.from(value)
  if (bytes.length === 0 || bytes.length > MAX_TEXT_BYTES)
    throw new ProxyAnswerError('refuses', `${what} is ${bytes.length === 0 ? 'empty' : `longer than ${MAX_TEXT_BYTES} bytes`}`)
  return Buffer.concat([Buffer.from([bytes.length]), bytes])
}

/** The next bytes, and not one more: what follows belongs to whoever gets the socket. */
async function readExactly(socket: Socket, count: number): Promise<Buffer> {
  for (;;) {
    const bytes = socket.read(count) as Buffer | null
    if (bytes?.length === count) return bytes
    if (bytes || socket.readableEnded || socket.destroyed) throw closed()
    await becomesReadable(socket)
  }
}

function becomesReadable(socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      socket.off('readable', onReadable).off('end', onEnd).off('close', onEnd).off('error', onError)
    }
    const onReadable = (): void => {
      stop()
      resolve()
    }
    const onEnd = (): void => onError(closed())
    const onError = (error: Error): void => {
      stop()
      reject(error)
    }
    socket.on('readable', onReadable).on('end', onEnd).on('close', onEnd).on('error', onError)
  })
}

function closed(): Error {
  return Object.assign(new Error('the connection was closed'), { code: 'ECONNRESET' })
}
