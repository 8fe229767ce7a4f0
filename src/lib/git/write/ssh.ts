// Pushing over ssh: what the library asks of a web server is asked of `git-receive-pack`, whose answers are the same but for a preamble.
import { GitError } from '../errors.ts'
import type { TransportRequest, TransportResponse } from '../http.ts'
import { openSshConnection, type SshConnection } from '../ssh/connection.ts'
import { toSshError } from '../ssh/errors.ts'
import { createHostKeyCheck } from '../ssh/host-keys.ts'
import { readPrivateKey } from '../ssh/private-key.ts'
import { sshProxyFor } from '../ssh/proxy.ts'
import { createSession, type UploadPackSession } from '../ssh/session.ts'
import type { SshTransport, SshTransportOptions } from '../ssh/transport.ts'
import type { GitRemote } from '../types.ts'
import { parseSshUrl, redactUrl } from '../url.ts'

const CONNECT_MS = 20_000
const PREAMBLE = Buffer.from('001f# service=git-receive-pack\n0000')
const ASKS_FOR_REFS = '/info/refs?service=git-receive-pack'

/** A transport for one push to one repository. Throws GitError `invalid-url` or `authentication` before anything is sent. */
export function createSshPushTransport(remote: GitRemote, { signal, idleMs, maxBytes, now }: SshTransportOptions): SshTransport {
  const { url, credentials } = remote
  const address = parseSshUrl(url)
  if (credentials?.kind !== 'ssh')
    throw new GitError('authentication', `SSH private key file is required for ${redactUrl(url)}: give one that may push`)
  const key = readPrivateKey(credentials.privateKey, redactUrl(url))
  const hostKeys = createHostKeyCheck(remote.hostKeys, address, now)
  const proxy = sshProxyFor(remote, address)
  let connection: SshConnection | undefined
  let session: UploadPackSession | undefined

  async function listRefs(wanted: TransportRequest): Promise<TransportResponse> {
    const opened = await openSshConnection({ address, key, hostKeys, proxy, connectMs: Math.min(CONNECT_MS, idleMs), signal })
    connection = opened
    // Quoted as git does it: servers with a shell take the path as one word.
    const command = `git-receive-pack '${address.path.replace(/['!]/g, (letter) => `'\\${letter}'`)}'`
    session = await opened.exec(command, {}, (channel) => createSession(opened, channel, { url, idleMs, maxBytes }))
    return answer(wanted, 'application/x-git-receive-pack-advertisement', [PREAMBLE, await session.advertisement()])
  }

  async function sendPack(wanted: TransportRequest): Promise<TransportResponse> {
    if (!session) throw new Error('the git library sent a pack before it asked for refs')
    const pieces: Uint8Array[] = []
    for await (const piece of wanted.body ?? []) pieces.push(piece)
    return answer(wanted, 'application/x-git-receive-pack-result', await session.exchange(Buffer.concat(pieces)))
  }

  return {
    async request(wanted) {
      try {
        return wanted.url.endsWith(ASKS_FOR_REFS) ? await listRefs(wanted) : await sendPack(wanted)
      } catch (error) {
        signal.throwIfAborted()
        throw toSshError(error, url)
      }
    },
    close() {
      session?.close()
      connection?.close()
    },
  }
}

function answer({ url, method = 'GET' }: TransportRequest, type: string, chunks: readonly Uint8Array[]): TransportResponse {
  return { url, method, statusCode: 200, statusMessage: 'OK', headers: { 'content-type': type }, body: each(chunks) }
}

async function* each(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks
}
