// A web server on loopback that git talks to instead of the repository's own. So git never sees credentials, certificates, proxies and redirects,
// and what the server sends passes through the limits, and fails with the messages, of the other backend.
import { randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pipeline } from 'node:stream/promises'
import { StatusError, toGitError } from '../error-table.ts'
import { GitError } from '../errors.ts'
import { createTransport } from '../http.ts'
import { redactUrl } from '../url.ts'
import type { PackBudget } from './budget.ts'
import { authorizationFor, type HttpAccess } from './http-access.ts'

export interface BridgeOptions {
  /** Longest silence of the server, in milliseconds. */
  readonly idleMs: number
  readonly budget: PackBudget
  readonly signal: AbortSignal
}

export interface Bridge {
  /** What git takes for the address of the repository; nobody else can guess it. */
  readonly url: string
  /** Aborted with a GitError when the server fails: what git says then is of no interest. */
  readonly failed: AbortSignal
  close(): Promise<void>
}

/** A list of refs: a quarter of a million of them. */
const MAX_REFS_BYTES = 32 * 2 ** 20
const MAX_QUESTION_BYTES = 64 * 2 ** 20
const ASKS_FOR_REFS = '/info/refs?service=git-upload-pack'
const ASKS_FOR_PACK = '/git-upload-pack'
const USER_AGENT = 'git/fleet'
/** From what git sends along; all else is ours. */
const PASSED_ON = ['git-protocol', 'content-type', 'content-encoding', 'accept'] as const

/** Opens a bridge to one repository. Only reading passes. */
export async function openBridge(access: HttpAccess, { idleMs, budget, signal }: BridgeOptions): Promise<Bridge> {
  const prefix = `/${randomBytes(24).toString('hex')}`
  const failure = new AbortController()
  const refs = createTransport({ ...access, idleMs, maxBytes: MAX_REFS_BYTES, signal })
  let base = access.url

  async function listRefs(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const answer = await refs.request({ url: `${access.url}${ASKS_FOR_REFS}`, headers: passedOn(request) })
    mustBe(answer.headers, 'advertisement')
    base = answer.url.slice(0, -ASKS_FOR_REFS.length)
    response.writeHead(200, { 'content-type': 'application/x-git-upload-pack-advertisement', 'cache-control': 'no-cache' })
    await pipeline(answer.body, response)
  }

  async function passPack(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const question = await collect(request)
    const target = new URL(`${base}${ASKS_FOR_PACK}`)
    const answer = await access.dispatcherFor(target.origin).request({
      origin: target.origin,
      path: target.pathname,
      method: 'POST',
      headers: { ...passedOn(request), 'user-agent': USER_AGENT, ...authorizationFor(target, access) },
      body: question,
      headersTimeout: idleMs,
      bodyTimeout: idleMs,
      signal,
    })
    answer.body.on('error', () => {}) // told by whoever reads it, and of no interest if nobody does
    if (answer.statusCode !== 200) {
      answer.body.destroy()
      throw new StatusError(answer.statusCode)
    }
    mustBe(answer.headers, 'result')
    response.writeHead(200, { 'content-type': 'application/x-git-upload-pack-result', 'cache-control': 'no-cache' })
    await pipeline(answer.body, asksForRefs(question) ? limitRefs : limitPack, response)
  }

  async function* limitPack(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of chunks) {
      if (!budget.take(chunk.byteLength)) throw budget.exceeded(access.url)
      yield chunk
    }
  }

  async function* limitRefs(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    let size = 0
    for await (const chunk of chunks) {
      size += chunk.byteLength
      if (size > MAX_REFS_BYTES)
        throw new GitError('too-large', `the repository ${redactUrl(access.url)} has too many branches and tags; delete old ones`)
      yield chunk
    }
  }

  function fail(error: unknown, response: ServerResponse): void {
    response.destroy()
    if (codeOf(error) === 'ERR_STREAM_PREMATURE_CLOSE') return // git has had enough, and says why
    const failed = toGitError(error, access.url)
    if (failed.kind === 'authentication') access.forget()
    failure.abort(failed)
  }

  const server = createServer((request, response) => {
    const path = `${request.method} ${request.url}`
    const act = path === `GET ${prefix}${ASKS_FOR_REFS}` ? listRefs : path === `POST ${prefix}${ASKS_FOR_PACK}` ? passPack : undefined
    if (act) act(request, response).catch((error: unknown) => fail(error, response))
    else response.writeHead(404).end()
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${prefix}`,
    failed: failure.signal,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
    },
  }
}

function passedOn({ headers }: IncomingMessage): Record<string, string> {
  return Object.fromEntries(PASSED_ON.flatMap((name) => (typeof headers[name] === 'string' ? [[name, headers[name]]] : [])))
}

/** The second version of the protocol asks for refs where the first asks for packs. */
function asksForRefs(question: Buffer): boolean {
  return question.subarray(0, 64).includes('command=ls-refs')
}

/** A web page is no git repository, whatever git makes of it. */
function mustBe(headers: Readonly<Record<string, string | string[] | undefined>>, what: 'advertisement' | 'result'): void {
  if (String(headers['content-type'] ?? '').startsWith(`application/x-git-upload-pack-${what}`)) return
  throw Object.assign(new Error('not the type of git'), { code: 'SmartHttpError' })
}

async function collect(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.byteLength
    if (size > MAX_QUESTION_BYTES) throw new Error('git asks for too much at once')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}
