// The way of OpenSSH through a proxy that it knows nothing of: a port on loopback that leads to one ssh server and nowhere else.
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { pipeline } from 'node:stream/promises'
import { dial } from '../ssh/dial.ts'
import type { SshProxy } from '../ssh/proxy.ts'
import type { SshAddress } from '../url.ts'

export interface SshForwarderOptions {
  readonly address: SshAddress
  readonly proxy: SshProxy
  /** Until the proxy has led a connection to the server, in milliseconds. */
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

export interface SshForwarder {
  /** On 127.0.0.1. */
  readonly port: number
  /** Aborted with a GitError when the proxy does not let us through: what ssh says then is of no interest. */
  readonly failed: AbortSignal
  close(): Promise<void>
}

/** One job asks one question at a time; a helper of git may overlap with the next. */
const MAX_CONNECTIONS = 4

export async function openSshForwarder({ address, proxy, timeoutMs, signal }: SshForwarderOptions): Promise<SshForwarder> {
  const failure = new AbortController()
  const end = new AbortController()
  const open = new Set<Promise<void>>()

  async function lead(client: Socket): Promise<void> {
    const gone = new AbortController()
    client.on('error', () => {}) // `close` follows
    client.once('close', () => gone.abort(new Error('ssh has ended')))
    const upTo = AbortSignal.any([signal, end.signal, gone.signal])
    try {
      const server = await dial({ address, proxy, timeoutMs, signal: upTo })
      server.on('error', () => {}) // ends the pipeline, where ssh sees it
      await pipeline(client, server, client, { signal: upTo }).finally(() => server.destroy())
    } catch (error) {
      if (!upTo.aborted && !isBroken(error)) failure.abort(error)
    } finally {
      client.destroy()
    }
  }

  const listener = createServer((client) => {
    const work = lead(client)
    open.add(work)
    void work.finally(() => open.delete(work))
  })
  listener.maxConnections = MAX_CONNECTIONS
  await new Promise<void>((resolve, reject) => {
    listener.once('error', reject)
    listener.listen(0, '127.0.0.1', resolve)
  })
  return {
    port: (listener.address() as AddressInfo).port,
    failed: failure.signal,
    async close() {
      const closed = new Promise((resolve) => listener.close(resolve))
      end.abort(new Error('the job is done'))
      await Promise.all(open)
      await closed
    },
  }
}

/** A connection that led to the server and broke later: ssh tells of it. */
function isBroken(error: unknown): boolean {
  return !(error instanceof Error && error.name === 'GitError')
}
