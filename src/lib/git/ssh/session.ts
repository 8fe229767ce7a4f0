// One run of git-upload-pack on an ssh server: what it offers, a request, the answer.
import type { ClientChannel } from 'ssh2'
import { GitError } from '../errors.ts'
import { redactUrl } from '../url.ts'
import type { SshConnection } from './connection.ts'
import { SessionEndedError } from './errors.ts'

export interface SessionOptions {
  /** For messages. */
  readonly url: string
  /** Longest wait for each further piece, in milliseconds. */
  readonly idleMs: number
  /** Bytes of everything the command sends. */
  readonly maxBytes: number
}

export interface UploadPackSession {
  /** The list of refs, or of what the server can do: packets up to the first flush. */
  advertisement(): Promise<Buffer>
  /** Sends a request, the only one, and gives everything that comes back. */
  exchange(request: Buffer): Promise<Uint8Array[]>
  close(): void
}

const MAX_COMPLAINT_BYTES = 4_096
/** How long the exit code may follow the last byte. */
const EXIT_WAIT_MS = 2_000

export function createSession(connection: SshConnection, channel: ClientChannel, options: SessionOptions): UploadPackSession {
  const output = channel[Symbol.asyncIterator]() as AsyncIterator<Buffer>
  const closed = new Promise<void>((resolve) => channel.once('close', () => resolve()))
  let complaint = ''
  let code: number | undefined
  let size = 0
  channel.on('error', () => {}) // told by the connection
  channel.on('exit', (value: number | null) => {
    code = value ?? undefined
  })
  channel.stderr.on('data', (chunk: Buffer) => {
    complaint = `${complaint}${chunk.toString('utf8')}`.slice(0, MAX_COMPLAINT_BYTES)
  })

  /** Undefined at the end. */
  async function next(): Promise<Buffer | undefined> {
    const { done, value } = await connection.whileOpen(inTime(output.next(), options.idleMs))
    if (done) return undefined
    size += value.length
    if (size > options.maxBytes) throw tooLarge(options)
    return value
  }

  async function endedEarly(): Promise<SessionEndedError> {
    await Promise.race([closed, connection.whileOpen(closed).catch(() => {}), delay(EXIT_WAIT_MS)])
    return new SessionEndedError(complaint, code)
  }

  return {
    async advertisement() {
      const pieces: Buffer[] = []
      const scan = createFlushScan()
      for (;;) {
        const piece = await next()
        if (!piece) throw await endedEarly()
        pieces.push(piece)
        const end = scan(piece)
        if (end === 'garbage') throw noGit(options, Buffer.concat(pieces))
        if (end !== undefined) return Buffer.concat(pieces).subarray(0, end)
      }
    },
    async exchange(request) {
      channel.end(request)
      const answer: Uint8Array[] = []
      for (let piece = await next(); piece; piece = await next()) answer.push(piece)
      if (answer.length === 0) throw await endedEarly()
      return answer
    },
    close: () => channel.destroy(),
  }
}

/** To be called with each piece: where in all of them the first flush packet ends; undefined if it has not come yet. */
function createFlushScan(): (piece: Buffer) => number | 'garbage' | undefined {
  let rest = Buffer.alloc(0)
  /** How much of all pieces lies before `rest`. */
  let before = 0
  /** Bytes of the present packet that are still to come. */
  let awaited = 0
  return (piece) => {
    const data = Buffer.concat([rest, piece])
    let at = 0
    for (;;) {
      const step = Math.min(awaited, data.length - at)
      at += step
      awaited -= step
      if (data.length - at < 4) break
      const digits = data.toString('latin1', at, at + 4)
      const length = /^[0-9a-f]{4}$/i.test(digits) ? Number.parseInt(digits, 16) : -1
      if (length === 0) return before + at + 4
      if (length < 4) return 'garbage'
      awaited = length
    }
    rest = data.subarray(at)
    before += at
    return undefined
  }
}

async function inTime<T>(work: Promise<T>, ms: number): Promise<T> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(Object.assign(new Error('silence'), { code: 'ETIMEDOUT' })), ms)
  try {
    return await Promise.race([work, late.promise])
  } finally {
    clearTimeout(timer)
  }
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref())
}

function tooLarge({ url, maxBytes }: SessionOptions): GitError {
  const megabytes = Math.ceil(maxBytes / 2 ** 20)
  return new GitError(
    'too-large',
    `the repository ${redactUrl(url)} sends more than ${megabytes} MiB; split it, or take large files out of it`,
  )
}

function noGit({ url }: SessionOptions, data: Buffer): GitError {
  const start = JSON.stringify(data.toString('utf8', 0, 40))
  return new GitError(
    'protocol',
    `what answers at ${redactUrl(url)} is not a git repository (it says ${start}); correct user, host and path of the URL`,
  )
}
