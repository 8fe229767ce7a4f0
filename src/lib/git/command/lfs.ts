// Fetches large files (git LFS) from the store that belongs to the repository's server, whatever the repository itself names as its store.

import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { Dispatcher } from 'undici'
import { isMap } from '../../json/is-map.ts'
import { cleanText, StatusError, toGitError } from '../error-table.ts'
import { GitError } from '../errors.ts'
import type { GitLimits } from '../types.ts'
import { redactUrl } from '../url.ts'
import type { LargeFile } from './lfs-pointer.ts'

/** The way to a store. */
export interface LfsStore {
  /** Such as `https://host/repo.git/info/lfs`. */
  readonly endpoint: string
  /** The repository, for messages. */
  readonly url: string
  /** What shows who we are to this address: nothing, but for the store's own. */
  headersFor(target: URL): Readonly<Record<string, string>>
  readonly dispatcherFor: (target: string) => Dispatcher
  readonly idleMs: number
  readonly signal: AbortSignal
}

/** A large file, and a path that needs it, for messages. */
export interface WantedFile extends LargeFile {
  readonly path: string
}

const BATCH_SIZE = 100
const MAX_BATCH_BYTES = 4 * 2 ** 20
const MAX_REDIRECTS = 3
const TYPE = 'application/vnd.git-lfs+json'
const REDIRECTS = new Set([301, 302, 303, 307, 308])
/** Statuses of servers that know nothing of large files. */
const NO_STORE = new Set([404, 405, 501])

/** Writes each file, under its id, into the folder `dir`. What does not have the size and the sum of its pointer is an error. */
export async function downloadLargeFiles(store: LfsStore, files: readonly WantedFile[], dir: string, limits: GitLimits): Promise<void> {
  const wanted = [...new Map(files.map((file) => [file.oid, file])).values()]
  const total = files.reduce((sum, { size }) => sum + size, 0)
  const huge = files.find(({ size }) => size > limits.fileBytes)
  if (huge || total > limits.bytes) throw tooLarge(store, limits)
  for (let at = 0; at < wanted.length; at += BATCH_SIZE) {
    const batch = wanted.slice(at, at + BATCH_SIZE)
    const actions = await askForActions(store, batch)
    for (const file of batch) await download(store, file, actionFor(store, file, actions), join(dir, file.oid))
  }
}

interface Action {
  readonly href: string
  readonly header: Readonly<Record<string, string>>
}

type Answer = ReadonlyMap<string, Readonly<Record<string, unknown>>>

async function askForActions(store: LfsStore, batch: readonly WantedFile[]): Promise<Answer> {
  const target = new URL(`${store.endpoint}/objects/batch`)
  const question = {
    operation: 'download',
    transfers: ['basic'],
    hash_algo: 'sha256',
    objects: batch.map(({ oid, size }) => ({ oid, size })),
  }
  const headers = { accept: TYPE, 'content-type': TYPE, ...store.headersFor(target) }
  const answer = await send(store, target, 'POST', headers, JSON.stringify(question))
  if (answer.statusCode !== 200) {
    answer.body.destroy()
    if (NO_STORE.has(answer.statusCode))
      throw new GitError(
        'not-found',
        `${batch[0]?.path} of ${redactUrl(store.url)} is kept in a store of large files (git LFS), but the server has none (status ${answer.statusCode}); push it there, or commit the file itself`,
      )
    throw toGitError(new StatusError(answer.statusCode), store.url)
  }
  const objects = objectsIn(await readText(store, answer))
  if (!objects)
    throw new GitError(
      'protocol',
      `the store of large files (git LFS) of ${redactUrl(store.url)} sent an answer that is none; check the server`,
    )
  return objects
}

function objectsIn(text: string): Answer | undefined {
  try {
    const objects: unknown = (JSON.parse(text) as { objects?: unknown } | null)?.objects
    if (!Array.isArray(objects)) return undefined
    return new Map(objects.filter(isMap).map((object) => [String(object.oid), object]))
  } catch {
    return undefined // no JSON
  }
}

function actionFor(store: LfsStore, file: WantedFile, answer: Answer): Action {
  const object = answer.get(file.oid)
  const actions = isMap(object?.actions) ? object.actions : {}
  const found = isMap(actions.download) ? actions.download : {}
  if (typeof found.href === 'string' && URL.canParse(found.href, store.endpoint)) {
    const header = Object.entries(isMap(found.header) ? found.header : {}).filter((entry): entry is [string, string] =>
      isPlainHeader(entry),
    )
    return { href: found.href, header: Object.fromEntries(header.map(([name, value]) => [name.toLowerCase(), value])) }
  }
  const error = isMap(object?.error) ? object.error : {}
  const why = cleanText(String(error.message ?? 'it does not say where it is'))
  throw new GitError(
    'not-found',
    `the store of large files (git LFS) of ${redactUrl(store.url)} does not give ${file.path} (${why}); push it with git lfs push`,
  )
}

/** No header that changes how the request is sent. */
function isPlainHeader([name, value]: [string, unknown]): boolean {
  return (
    typeof value === 'string' &&
    /^[\w-]+$/.test(name) &&
    !/[\r\n\0]/.test(value) &&
    !/^(?:host|connection|content-length|transfer-encoding|upgrade)$/i.test(name)
  )
}

async function download(store: LfsStore, file: WantedFile, { href, header }: Action, into: string): Promise<void> {
  let target = new URL(href, store.endpoint)
  let headers = { ...store.headersFor(target), ...header }
  const { protocol: first } = new URL(store.endpoint)
  for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
    if (target.protocol !== 'https:' && !(target.protocol === 'http:' && first === 'http:')) break
    const answer = await send(store, target, 'GET', headers)
    const location = answer.headers.location
    if (!REDIRECTS.has(answer.statusCode)) return receive(store, file, answer, into)
    answer.body.destroy()
    if (typeof location !== 'string' || !URL.canParse(location, target.href)) break
    const next = new URL(location, target)
    if (next.origin !== target.origin) headers = { ...store.headersFor(next) }
    target = next
  }
  throw new GitError(
    'protocol',
    `the store of large files (git LFS) of ${redactUrl(store.url)} sends us elsewhere for ${file.path}; check the server`,
  )
}

async function receive(store: LfsStore, file: WantedFile, answer: Dispatcher.ResponseData, into: string): Promise<void> {
  if (answer.statusCode !== 200) {
    answer.body.destroy()
    throw toGitError(new StatusError(answer.statusCode), store.url)
  }
  const hash = createHash('sha256')
  let size = 0
  async function* checked(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of chunks) {
      size += chunk.byteLength
      if (size > file.size) break
      hash.update(chunk)
      yield chunk
    }
  }
  await told(store, pipeline(answer.body, checked, createWriteStream(into, { flags: 'wx', mode: 0o600 }), { signal: store.signal }))
  if (size !== file.size || hash.digest('hex') !== file.oid)
    throw new GitError(
      'protocol',
      `the store of large files (git LFS) of ${redactUrl(store.url)} sent something else for ${file.path}; it is tried again`,
    )
}

async function send(
  { dispatcherFor, idleMs, signal, url }: LfsStore,
  target: URL,
  method: 'GET' | 'POST',
  headers: Readonly<Record<string, string>>,
  body?: string,
): Promise<Dispatcher.ResponseData> {
  const path = `${target.pathname}${target.search}`
  const common = { origin: target.origin, path, method, headers: { 'user-agent': 'git/fleet', ...headers } }
  const limits = { headersTimeout: idleMs, bodyTimeout: idleMs, signal }
  const answer = await told(
    { signal, url },
    dispatcherFor(target.origin).request({ ...common, ...limits, ...(body === undefined ? {} : { body }) }),
  )
  answer.body.on('error', () => {}) // told by whoever reads it, and of no interest if nobody does
  return answer
}

async function readText(store: LfsStore, answer: Dispatcher.ResponseData): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  const read = async (): Promise<void> => {
    for await (const chunk of answer.body as AsyncIterable<Buffer>) {
      size += chunk.byteLength
      if (size > MAX_BATCH_BYTES)
        throw new GitError('too-large', `the answer of the store of large files of ${redactUrl(store.url)} is too large`)
      chunks.push(chunk)
    }
  }
  await told(store, read())
  return Buffer.concat(chunks).toString('utf8')
}

async function told<T>({ signal, url }: Pick<LfsStore, 'signal' | 'url'>, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    signal.throwIfAborted()
    throw toGitError(error, url)
  }
}

function tooLarge({ url }: LfsStore, limits: GitLimits): GitError {
  const [all, one] = [limits.bytes, limits.fileBytes].map((bytes) => Math.ceil(bytes / 2 ** 20))
  return new GitError(
    'too-large',
    `the repository ${redactUrl(url)} has more than ${all} MiB of large files (git LFS), or one of more than ${one} MiB; take them out of it`,
  )
}
