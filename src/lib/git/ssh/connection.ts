// A connection to an ssh server, with limits on everything, on which commands are run. No agent, no forwarding, no password: one key.
import { connect as connectSocket, type Socket } from 'node:net'
import ssh2 from 'ssh2'
import type { SshAddress } from '../url.ts'
import { offerCertificates, trustCertifiedKey } from './certified-kex.ts'
import type { HostKeyCheck } from './host-keys.ts'

export interface SshConnectionOptions {
  readonly address: SshAddress
  readonly key: ssh2.ParsedKey
  readonly hostKeys: HostKeyCheck
  /** For everything until the user is logged in, in milliseconds. */
  readonly connectMs: number
  readonly signal: AbortSignal
}

export interface SshConnection {
  /** Runs a command. `use` gets the channel before anything came through it. */
  exec<T>(command: string, env: Readonly<Record<string, string>>, use: (channel: ssh2.ClientChannel) => T): Promise<T>
  /** `work`, unless the connection fails before it is done; then what ended it. */
  whileOpen<T>(work: Promise<T>): Promise<T>
  /** At once, without a word to the server. */
  close(): void
}

/** What a server may send before it knows who we are; greetings and banners are nobody's concern. */
const MAX_BYTES_BEFORE_LOGIN = 2 ** 20

/** Rejects with the reason of the signal, a GitError `host-key`, or an error of the socket or the SSH library. */
export async function openSshConnection(options: SshConnectionOptions): Promise<SshConnection> {
  const { address, signal } = options
  signal.throwIfAborted()
  const socket = connectSocket({ host: address.host, port: address.port, noDelay: true })
  const client = new ssh2.Client()
  const ended = Promise.withResolvers<never>()
  ended.promise.catch(() => {}) // whoever waits is told; later nobody minds

  const whileOpen = <T>(work: Promise<T>): Promise<T> => Promise.race([work, ended.promise])
  const fail = (error: unknown): void => {
    ended.reject(error)
    socket.destroy()
  }
  const onAbort = (): void => fail(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  socket.once('close', () => {
    signal.removeEventListener('abort', onAbort)
    fail(Object.assign(new Error('the connection was closed'), { code: 'ECONNRESET' }))
  })
  socket.on('error', fail)
  client.on('error', fail)

  const close = (): void => fail(new Error('closed by us'))
  const timer = setTimeout(() => fail(Object.assign(new Error('no connection in time'), { code: 'ETIMEDOUT' })), options.connectMs)
  try {
    await whileOpen(new Promise<void>((resolve) => socket.once('connect', resolve)))
    await whileOpen(logIn(client, socket, options, fail))
  } catch (error) {
    close()
    throw error
  } finally {
    clearTimeout(timer)
  }
  return {
    whileOpen,
    close,
    exec: (command, env, use) =>
      whileOpen(
        new Promise((resolve, reject) => {
          client.exec(command, { env: { ...env } }, (error, channel) => (error ? reject(error) : resolve(use(channel))))
        }),
      ),
  }
}

function logIn(
  client: ssh2.Client,
  socket: Socket,
  { address, key, hostKeys }: SshConnectionOptions,
  fail: (error: unknown) => void,
): Promise<void> {
  const publicKey: ssh2.PublicKeyAuthMethod = { type: 'publickey', username: address.user, key }
  return new Promise((resolve) => {
    const count = (): void => {
      if (socket.bytesRead > MAX_BYTES_BEFORE_LOGIN) fail(Object.assign(new Error('it talks too much'), { level: 'protocol' }))
    }
    client.once('ready', () => {
      socket.off('data', count)
      resolve()
    })
    client.connect({
      sock: socket,
      username: address.user,
      authHandler: [publicKey],
      algorithms: { serverHostKey: [...hostKeys.algorithms] as ssh2.ServerHostKeyAlgorithm[] },
      hostVerifier: (shown: Buffer) => verify(client, shown, hostKeys, fail),
      readyTimeout: 0, // ours counts
    })
    if (hostKeys.certificates.length > 0) offerCertificates(client, hostKeys.certificates)
    socket.on('data', count)
  })
}

/** The library only says that the host was denied; we say why. */
function verify(client: ssh2.Client, shown: Buffer, hostKeys: HostKeyCheck, fail: (error: unknown) => void): boolean {
  try {
    const { certified } = hostKeys.check(Buffer.from(shown))
    if (certified) trustCertifiedKey(client, shown, certified)
    return true
  } catch (error) {
    fail(error)
    return false
  }
}
