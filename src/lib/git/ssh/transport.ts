// The transport of the git library over ssh: what the library asks of a web server is asked of `git-upload-pack`, whose answers are the same but for a preamble.
import { createHash } from 'node:crypto'
import { GitError } from '../errors.ts'
import type { Transport, TransportRequest, TransportResponse } from '../http.ts'
import type { GitRemote } from '../types.ts'
import { parseSshUrl, redactUrl, type SshAddress } from '../url.ts'
import { openSshConnection, type SshConnection } from './connection.ts'
import type { SshConnections } from './connections.ts'
import { SessionEndedError, toSshError } from './errors.ts'
import { createHostKeyCheck } from './host-keys.ts'
import { readPrivateKey } from './private-key.ts'
import { sshProxyFor } from './proxy.ts'
import { createSession, type UploadPackSession } from './session.ts'

export interface SshTransportOptions {
  /** Longest silence, in milliseconds. */
  readonly idleMs: number
  /** Bytes of one answer. */
  readonly maxBytes: number
  readonly signal: AbortSignal
  /** Milliseconds. */
  readonly now: () => number
  /** Where connections are kept for the next job; default: nowhere. */
  readonly connections?: SshConnections | undefined
}

/** A transport for one job on one repository. */
export interface SshTransport extends Transport {
  /** Ends the connection, or keeps it for the next job if all went well. */
  close(): void
}

const CONNECT_MS = 20_000
/** A connection that was kept may lead nowhere any more without anybody having told us. */
const KEPT_ANSWERS_MS = 5_000
const PREAMBLE = Buffer.from('001e# service=git-upload-pack\n0000')
const FLUSH = Buffer.from('0000')
/** How web servers say that there are no refs; over ssh nothing is said at all, which the library takes for the second version of the protocol. */
const NO_REFS = Buffer.from(`0049${'0'.repeat(40)} capabilities^{}\0agent=fleet\n0000`)
const ASKS_FOR_REFS = '/info/refs?service=git-upload-pack'

/** Throws GitError `invalid-url`, `authentication`, or `unreachable` for a proxy without address, before anything is sent. */
export function createSshTransport(remote: GitRemote, options: SshTransportOptions): SshTransport {
  const { url, credentials } = remote
  const { signal, idleMs, maxBytes, connections } = options
  const address = parseSshUrl(url)
  if (credentials?.kind !== 'ssh') throw keyRequired(url)
  const key = readPrivateKey(credentials.privateKey, redactUrl(url))
  const hostKeys = createHostKeyCheck(remote.hostKeys, address, options.now)
  const proxy = sshProxyFor(remote, address)
  const id = idOf(remote, address)
  const connectMs = Math.min(CONNECT_MS, idleMs)
  let connection: SshConnection | undefined
  let session: UploadPackSession | undefined
  /** Nothing is under way, and nothing has failed. */
  let isClean = true

  async function request(wanted: TransportRequest): Promise<TransportResponse> {
    isClean = false
    try {
      const given = wanted.url.endsWith(ASKS_FOR_REFS) ? await listRefs(wanted) : await fetchPack(wanted)
      isClean = true
      return given
    } catch (error) {
      isClean = isAnswer(error) && !(error instanceof GitError)
      signal.throwIfAborted()
      throw toSshError(error, url)
    }
  }

  async function listRefs(wanted: TransportRequest): Promise<TransportResponse> {
    session?.close()
    const version = Object.entries(wanted.headers ?? {}).find(([name]) => name.toLowerCase() === 'git-protocol')?.[1]
    const env: Record<string, string> = version ? { GIT_PROTOCOL: version } : {}
    const kept = connection ? undefined : connections?.take(id, url)
    const list = (kept && (await listOnKept(kept, env))) ?? (await listOn(await opened(), env))
    return answer(wanted, 'application/x-git-upload-pack-advertisement', [PREAMBLE, list.equals(FLUSH) ? NO_REFS : list])
  }

  async function opened(): Promise<SshConnection> {
    connection ??= await openSshConnection({ address, key, hostKeys, proxy, connectMs, signal })
    return connection
  }

  async function listOn(through: SshConnection, env: Record<string, string>, onBegun = () => {}): Promise<Buffer> {
    const begun = await through.exec(commandFor(address), env, (channel) => createSession(through, channel, { url, idleMs, maxBytes }))
    onBegun()
    session = begun
    return begun.advertisement()
  }

  /** Undefined when the connection is of no use any more: a new one shows whether the server is well. */
  async function listOnKept(kept: SshConnection, env: Record<string, string>): Promise<Buffer | undefined> {
    const timer = setTimeout(() => kept.close(), Math.min(KEPT_ANSWERS_MS, idleMs / 3))
    connection = kept
    kept.boundTo(signal)
    try {
      return await listOn(kept, env, () => clearTimeout(timer))
    } catch (error) {
      if (isAnswer(error)) throw error
      kept.close()
      connection = undefined
      signal.throwIfAborted()
      return undefined
    } finally {
      clearTimeout(timer)
    }
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
      if (connection && isClean && connections) connections.keep(id, connection)
      else connection?.close()
      connection = undefined
    },
  }
}

/** The same for those who log in to the same server with the same key, trust the same host keys, and take the same way there. */
function idOf({ credentials, hostKeys, proxy, caBundle, insecureSkipTLSVerify }: GitRemote, { host, port, user }: SshAddress): string {
  return createHash('sha256')
    .update(
      JSON.stringify([host, port, user, credentials, hostKeys ?? null, proxy ?? null, caBundle ?? '', insecureSkipTLSVerify ?? false]),
    )
    .digest('base64')
}

/** The server has run the command: the connection is well. */
function isAnswer(error: unknown): boolean {
  return error instanceof GitError || (error instanceof SessionEndedError && error.code !== undefined)
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
