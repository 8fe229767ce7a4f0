// A connection to an ssh server, with limits on everything, on which commands are run. No agent, no forwarding, no password: one key.
import type { Socket } from 'node:net'
import ssh2 from 'ssh2'
import type { SshAddress } from '../url.ts'
import { offerCertificates, trustCertifiedKey } from './certified-kex.ts'
import { dial } from './dial.ts'
import type { HostKeyCheck } from './host-keys.ts'
import type { SshProxy } from './proxy.ts'

export interface SshConnectionOptions {
  readonly address: SshAddress
  readonly key: ssh2.ParsedKey
  readonly hostKeys: HostKeyCheck
  readonly proxy?: SshProxy | undefined
  /** For everything until the user is logged in, in milliseconds. */
  readonly connectMs: number
  /** Ends the connection, until another takes its place. */
  readonly signal: AbortSignal
}

export interface SshConnection {
  /** Runs a command. `use` gets the channel before anything came through it. */
  exec<T>(command: string, env: Readonly<Record<string, string>>, use: (channel: ssh2.ClientChannel) => T): Promise<T>
  /** `work`, unless the connection fails before it is done; then what ended it. */
  whileOpen<T>(work: Promise<T>): Promise<T>
  isOpen(): boolean
  /** From now on this signal ends the connection. Undefined: nobody needs it at the moment, and it does not keep the program from ending. */
  boundTo(signal: AbortSignal | undefined): void
  /** At once, without a word to the server. */
  close(): void
}

/** What a server may send before it knows who we are; greetings and banners are nobody's concern. */
const MAX_BYTES_BEFORE_LOGIN = 2 ** 20
/** A silent proxy is given up before the time for all is over, so that it can be named. */
const PROXY_SHARE = 0.8

/** Rejects with the reason of the signal, a GitError `host-key` or one that names the proxy, or an error of the socket or the SSH library. */
export async function openSshConnection(options: SshConnectionOptions): Promise<SshConnection> {
  const { address, proxy, connectMs, signal } = options
  const started = performance.now()
  const socket = await dial({ address, proxy, timeoutMs: proxy ? PROXY_SHARE * connectMs : connectMs, signal })
  const client = new ssh2.Client()
  const ended = Promise.withResolvers<never>()
  ended.promise.catch(() => {}) // whoever waits is told; later nobody minds

  const whileOpen = <T>(work: Promise<T>): Promise<T> => Promise.race([work, ended.promise])
  const fail = (error: unknown): void => {
    ended.reject(error)
    socket.destroy()
  }
  let bound: AbortSignal | undefined
  const onAbort = (): void => fail(bound?.reason)
  const boundTo = (next: AbortSignal | undefined): void => {
    bound?.removeEventListener('abort', onAbort)
    bound = next
    bound?.addEventListener('abort', onAbort, { once: true })
    if (bound) socket.ref()
    else socket.unref()
    if (bound?.aborted) onAbort()
  }
  const onClose = (): void => {
    bound?.removeEventListener('abort', onAbort)
    fail(Object.assign(new Error('the connection was closed'), { code: 'ECONNRESET' }))
  }
  socket.once('close', onClose)
  socket.on('error', fail)
  client.on('error', fail)
  boundTo(signal)
  if (socket.destroyed) onClose() // it has told so before anybody listened

  const close = (): void => fail(new Error('closed by us'))
  const late = (): void => fail(Object.assign(new Error('no connection in time'), { code: 'ETIMEDOUT' }))
  const timer = setTimeout(late, connectMs - (performance.now() - started))
  try {
    await whileOpen(logIn(client, socket, options, fail))
  } catch (error) {
    close()
    throw error
  } finally {
    clearTimeout(timer)
  }
  return {
    whileOpen,
    boundTo,
    close,
    isOpen: () => !socket.destroyed && socket.writable,
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
