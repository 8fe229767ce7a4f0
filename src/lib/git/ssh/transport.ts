// The transport of the git library over ssh: what the library asks of a web server is asked of `git-upload-pack`, whose answers are the same but for a preamble.

import { GitError } from '../errors.ts'
import type { Transport, TransportRequest, TransportResponse } from '../http.ts'
import type { GitRemote } from '../types.ts'
import { parseSshUrl, redactUrl, type SshAddress } from '../url.ts'
import { openSshConnection, type SshConnection } from './connection.ts'
import { toSshError } from './errors.ts'
import { createHostKeyCheck } from './host-keys.ts'
import { readPrivateKey } from './private-key.ts'
import { createSession, type UploadPackSession } from './session.ts'

export interface SshTransportOptions {
  /** Longest silence, in milliseconds. */
  readonly idleMs: number
  /** Bytes of one answer. */
  readonly maxBytes: number
  readonly signal: AbortSignal
  /** Milliseconds. */
  readonly now: () => number
}

/** A transport for one job on one repository. */
export interface SshTransport extends Transport {
  /** Ends the connection. */
  close(): void
}

const CONNECT_MS = 20_000
const PREAMBLE = Buffer.from('001e# service=git-upload-pack\n0000')
const FLUSH = Buffer.from('0000')
/** How web servers say that there are no refs; over ssh nothing is said at all, which the library takes for the second version of the protocol. */
const NO_REFS = Buffer.from(`0049${'0'.repeat(40)} capabilities^{}\0agent=fleet\n0000`)
const ASKS_FOR_REFS = '/info/refs?service=git-upload-pack'

/** Throws GitError `invalid-url` or `authentication` before anything is sent. */
export function createSshTransport(remote: GitRemote, options: SshTransportOptions): SshTransport {
  const { url, credentials } = remote
  const { signal, idleMs, maxBytes } = options
  const address = parseSshUrl(url)
  if (credentials?.kind !== 'ssh') throw keyRequired(url)
  const key = readPrivateKey(credentials.privateKey, redactUrl(url))
  const hostKeys = createHostKeyCheck(remote.hostKeys, address, options.now)
  let connection: SshConnection | undefined
  let session: UploadPackSession | undefined

  async function request(wanted: TransportRequest): Promise<TransportResponse> {
    try {
      return wanted.url.endsWith(ASKS_FOR_REFS) ? await listRefs(wanted) : await fetchPack(wanted)
    } catch (error) {
      signal.throwIfAborted()
      throw toSshError(error, url)
    }
  }

  async function listRefs(wanted: TransportRequest): Promise<TransportResponse> {
    session?.close()
    connection ??= await openSshConnection({ address, key, hostKeys, connectMs: Math.min(CONNECT_MS, idleMs), signal })
    const opened = connection
    const version = Object.entries(wanted.headers ?? {}).find(([name]) => name.toLowerCase() === 'git-protocol')?.[1]
    const limits = { url, idleMs, maxBytes }
    session = await opened.exec(commandFor(address), version ? { GIT_PROTOCOL: version } : {}, (channel) =>
      createSession(opened, channel, limits),
    )
    const list = await session.advertisement()
    return answer(wanted, 'application/x-git-upload-pack-advertisement', [PREAMBLE, list.equals(FLUSH) ? NO_REFS : list])
  }

  async function fetchPack(wanted: TransportRequest): Promise<TransportResponse> {
    if (!session) throw new Error('the git library asked for a pack before it asked for refs')
    const pieces: Uint8Array[] = []
    for await (const piece of wanted.body ?? []) pieces.push(piece)
    return answer(wanted, 'application/x-git-upload-pack-result', await session.exchange(Buffer.concat(pieces)))
  }

  return {
    request,
    close() {
      session?.close()
      connection?.close()
    },
  }
}

/** The path is quoted as git does it: servers with a shell take it as one word. */
function commandFor({ path }: SshAddress): string {
  return `git-upload-pack '${path.replace(/['!]/g, (letter) => `'\\${letter}'`)}'`
}

function keyRequired(url: string): GitError {
  return new GitError(
    'authentication',
    `SSH private key file is required for ${redactUrl(url)}: it needs an SSH private key; put one into a secret of type kubernetes.io/ssh-auth, or use its https address`,
  )
}

function answer({ url, method = 'GET' }: TransportRequest, type: string, chunks: Uint8Array[]): TransportResponse {
  return { url, method, statusCode: 200, statusMessage: 'OK', headers: { 'content-type': type }, body: drain(chunks) }
}

/** Gives each piece away, so that it can be collected once it was used. */
async function* drain(chunks: Uint8Array[]): AsyncGenerator<Uint8Array> {
  chunks.reverse()
  for (let chunk = chunks.pop(); chunk; chunk = chunks.pop()) yield chunk
}
