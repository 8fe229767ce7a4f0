// Servers and proxies that mean ill, or are broken: each backend ends in time, in little memory, with an error that says what is wrong.
import { createHash } from 'node:crypto'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { deflateSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createCommandBackend } from './command/command-backend.ts'
import { findGitCommand } from './command/find-git.ts'
import type { GitErrorKind } from './errors.ts'
import { DEFAULT_GIT_LIMITS, type GitBackend, type GitLimits } from './types.ts'
import { createGitWorkerBackend } from './worker-backend.ts'

const COMMIT = 'c'.repeat(40)
const CREDENTIALS = { kind: 'basic', username: 'me', password: 'CANARY' } as const
const LIMITS: GitLimits = { ...DEFAULT_GIT_LIMITS, packBytes: 8 * 2 ** 20, fileBytes: 2 ** 20 }
/** For servers that never end, and for all others. */
const SHORT = { timeoutMs: 700, timeMs: 1_000 }
const LONG = { timeoutMs: 60_000, timeMs: 60_000 }
/** Far more than the limits, since other programs may keep the machine busy. */
const PATIENCE_MS = 50_000
const MEMORY = 250 * 2 ** 20
/** What a server may have got rid of before it is cut off; much of it lies in the buffers of sockets. */
const SENT = 96 * 2 ** 20

const found = await findGitCommand(process.env.PATH ?? '')
if ('problem' in found) process.stdout.write(`hostile servers for the git command skipped: ${found.problem}\n`)

interface Answers {
  refs?: (response: ServerResponse, request: IncomingMessage) => unknown
  pack?: (response: ServerResponse, request: IncomingMessage) => unknown
}

interface Case extends Answers {
  readonly kinds: readonly GitErrorKind[]
  readonly message: RegExp
  readonly act: 'resolve' | 'fetch' | 'both'
  /** The most the server may have got rid of. */
  readonly sentBytes?: number
}

const ADVERTISEMENT = 'application/x-git-upload-pack-advertisement'
const RESULT = 'application/x-git-upload-pack-result'
const packet = (data: string | Buffer): Buffer => {
  const bytes = Buffer.from(data)
  return Buffer.concat([Buffer.from((bytes.length + 4).toString(16).padStart(4, '0')), bytes])
}
const side = (band: number, data: Buffer): Buffer => packet(Buffer.concat([Buffer.from([band]), data]))
const PREAMBLE = Buffer.concat([packet('# service=git-upload-pack\n'), Buffer.from('0000')])
const CAPABILITIES = 'side-band-64k ofs-delta shallow no-progress multi_ack_detailed allow-tip-sha1-in-want allow-reachable-sha1-in-want'
const LIST = Buffer.concat([
  PREAMBLE,
  packet(`${COMMIT} HEAD\0${CAPABILITIES}\n`),
  packet(`${COMMIT} refs/heads/master\n`),
  Buffer.from('0000'),
])

const send =
  (type: string, body: Buffer | string, status = 200) =>
  (response: ServerResponse): unknown =>
    response.writeHead(status, { 'content-type': type }).end(body)
const goodRefs = send(ADVERTISEMENT, LIST)

/** Sends the start, then pieces for ever, until the other side has enough. */
function endless(type: string, start: Buffer, piece: Buffer) {
  return async (response: ServerResponse): Promise<void> => {
    response.writeHead(200, { 'content-type': type })
    response.write(start)
    const gone = new Promise((resolve) => response.once('close', resolve))
    while (!response.destroyed) {
      if (!response.write(piece)) await Promise.race([new Promise((resolve) => response.once('drain', resolve)), gone])
    }
  }
}

const ZEROS = Buffer.alloc(65_536)
const SHALLOW = Buffer.concat([packet(`shallow ${COMMIT}\n`), Buffer.from('0000')])
const START = Buffer.concat([SHALLOW, packet('NAK\n')])

/** A pack of a few hundred bytes with a delta that makes ten gigabytes. */
function deltaBomb(): Buffer {
  const base = Buffer.alloc(0xff_ff, 'a')
  const copies = Buffer.concat(Array.from({ length: 160_000 }, () => Buffer.from([0b1011_0000, 0xff, 0xff])))
  const delta = Buffer.concat([size(base.length), size(160_000 * 0xff_ff), copies])
  const first = Buffer.concat([objectHeader(3, base.length), deflateSync(base)])
  const second = Buffer.concat([objectHeader(6, delta.length), offset(first.length), deflateSync(delta)])
  const pack = Buffer.concat([Buffer.from('PACK'), Buffer.from([0, 0, 0, 2, 0, 0, 0, 2]), first, second])
  return Buffer.concat([pack, createHash('sha1').update(pack).digest()])
}

function size(value: number): Buffer {
  const bytes: number[] = []
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    bytes.push((rest % 128) | (rest >= 128 ? 128 : 0))
    if (rest < 128) return Buffer.from(bytes)
  }
}

function objectHeader(type: number, length: number): Buffer {
  const rest = Math.floor(length / 16)
  return Buffer.concat([Buffer.from([(rest > 0 ? 128 : 0) | (type << 4) | (length % 16)]), rest > 0 ? size(rest) : Buffer.alloc(0)])
}

function offset(value: number): Buffer {
  const bytes = [value & 127]
  for (let rest = value >> 7; rest > 0; rest >>= 7) bytes.unshift((--rest & 127) | 128)
  return Buffer.from(bytes)
}

function bands(pack: Buffer): Buffer {
  const pieces: Buffer[] = []
  for (let at = 0; at < pack.length; at += 60_000) pieces.push(side(1, pack.subarray(at, at + 60_000)))
  return Buffer.concat([START, ...pieces, Buffer.from('0000')])
}

const CASES: Readonly<Record<string, Case>> = {
  'hangs before headers': { refs: () => {}, act: 'both', kinds: ['timeout'], message: /did not answer in time/ },
  'hangs in the middle of the refs': {
    refs: (response) => response.writeHead(200, { 'content-type': ADVERTISEMENT }).write(LIST.subarray(0, 60)),
    act: 'both',
    kinds: ['timeout'],
    message: /did not answer in time/,
  },
  'hangs in the middle of a pack': {
    pack: (response) => response.writeHead(200, { 'content-type': RESULT }).write(START),
    act: 'fetch',
    kinds: ['timeout'],
    message: /did not answer in time/,
  },
  'sends a byte now and then': {
    refs: async (response) => {
      response.writeHead(200, { 'content-type': ADVERTISEMENT })
      for (const byte of LIST) {
        if (response.destroyed) return
        response.write(Buffer.from([byte]))
        await pause(200)
      }
    },
    act: 'both',
    kinds: ['timeout'],
    message: /did not answer in time/,
  },
  'dies in the middle of a pack': {
    pack: (response) =>
      response.writeHead(200, { 'content-type': RESULT, 'content-length': '100000' }).write(START, () => response.destroy()),
    act: 'fetch',
    kinds: ['unreachable'],
    message: /cannot be reached/,
  },
  'sends garbage for refs': {
    refs: send(ADVERTISEMENT, Buffer.from('zzzz this is no list of refs'.repeat(50))),
    act: 'both',
    kinds: ['protocol'],
    message: /is not a git repository|broken/,
  },
  'sends garbage for a pack': {
    pack: send(RESULT, Buffer.concat([START, side(1, Buffer.from('this is no pack'.repeat(50))), Buffer.from('0000')])),
    act: 'fetch',
    kinds: ['protocol'],
    message: /broken pack|not a git repository/,
  },
  'shows a login page': {
    refs: send('text/html', '<html><form>password</form></html>'),
    act: 'both',
    kinds: ['protocol'],
    message: /is not a git repository/,
  },
  'wants other credentials for ever': {
    refs: (response) => response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end(),
    act: 'both',
    kinds: ['authentication'],
    message: /authentication required/,
  },
  'wants other credentials for the pack': {
    pack: (response) => response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end(),
    act: 'fetch',
    kinds: ['authentication'],
    message: /authentication required/,
  },
  'sends zeros without end for refs': {
    refs: endless(ADVERTISEMENT, Buffer.alloc(0), ZEROS),
    act: 'both',
    kinds: ['too-large', 'protocol'],
    message: /sends more than \d+ MiB|is not a git repository/,
    sentBytes: SENT,
  },
  'sends zeros without end for a pack': {
    pack: endless(RESULT, START, side(1, ZEROS.subarray(0, 60_000))),
    act: 'fetch',
    kinds: ['too-large', 'protocol'],
    message: /sends more than 8 MiB|broken pack/,
    sentBytes: SENT,
  },
  'tells of its progress without end': {
    pack: endless(RESULT, START, side(2, Buffer.alloc(60_000, '.'))),
    act: 'fetch',
    kinds: ['too-large'],
    message: /sends more than 8 MiB/,
    sentBytes: SENT,
  },
  'lists refs without end': {
    refs: endless(
      ADVERTISEMENT,
      LIST.subarray(0, -4),
      Buffer.concat(Array.from({ length: 500 }, (_, n) => packet(`${COMMIT} refs/heads/b${n}\n`))),
    ),
    act: 'both',
    kinds: ['too-large'],
    message: /sends more than \d+ MiB/,
    sentBytes: SENT,
  },
  'sends headers without end': {
    refs: (response) => {
      response.socket?.write('HTTP/1.1 200 OK\r\n')
      for (let n = 0; n < 3_000; n++) response.socket?.write(`x-header-${n}: ${'y'.repeat(100)}\r\n`)
    },
    act: 'both',
    kinds: ['too-large'],
    message: /too large/,
  },
  'sends a pack that unpacks to ten gigabytes': {
    pack: send(RESULT, bands(deltaBomb())),
    act: 'fetch',
    kinds: ['too-large'],
    message: /file of more than 1 MiB|unpacks to more than there may be/,
  },
  'sends a pack of four billion objects': {
    pack: send(RESULT, bands(Buffer.concat([Buffer.from('PACK'), Buffer.from([0, 0, 0, 2, 255, 255, 255, 255]), Buffer.alloc(40)]))),
    act: 'fetch',
    kinds: ['too-large', 'protocol'],
    message: /more than \d+ objects|unpacks to more than there may be|broken pack/,
  },
}

const BACKENDS: Readonly<Record<string, (dir: string) => GitBackend & { close(): Promise<void> }>> = {
  'isomorphic in a worker': () => createGitWorkerBackend(),
  ...('problem' in found ? {} : { command: (dir) => createCommandBackend({ command: found, tempDir: dir }) }),
}

describe.each(Object.entries(BACKENDS))('the backend %s and a server that', (_name, create) => {
  let dir: string
  let backend: ReturnType<typeof create>
  let answers: Answers = {}
  let sent = 0
  const seen: IncomingMessage[] = []
  const server = createServer((request, response) => {
    seen.push(request)
    let question = ''
    request.on('data', (chunk: Buffer) => {
      question += chunk.toString('latin1')
    })
    request.on('end', () => {
      // git asks what is shallow before it asks for the pack
      const isFirst = request.method === 'POST' && !question.includes('0009done')
      const act = request.method === 'GET' ? (answers.refs ?? goodRefs) : isFirst ? send(RESULT, SHALLOW) : answers.pack
      void act?.(response, request)
    })
  })
  server.on('connection', (socket: Socket) =>
    socket.once('close', () => {
      sent += socket.bytesWritten
    }),
  )
  const url = (): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}/repo.git`

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'git-hostile-'))
    backend = create(dir)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  })
  afterAll(async () => {
    await backend.close()
    server.closeAllConnections()
    server.close()
    await rm(dir, { recursive: true, force: true })
  })

  async function attempt(act: 'resolve' | 'fetch', { timeoutMs, timeMs } = LONG): Promise<unknown> {
    const remote = { url: url(), credentials: CREDENTIALS, timeoutMs }
    const { signal } = new AbortController()
    try {
      if (act === 'resolve') return await backend.resolve(remote, { branch: 'master' }, signal)
      return await backend.fetch(remote, COMMIT, join(dir, 'tree'), { limits: { ...LIMITS, timeMs } }, signal)
    } catch (error) {
      return error
    }
  }

  test.each(Object.entries(CASES))('%s', async (_what, { kinds, message, act, sentBytes, ...given }) => {
    answers = given
    for (const one of act === 'both' ? (['resolve', 'fetch'] as const) : [act]) {
      server.closeAllConnections()
      await pause(20)
      sent = 0
      seen.length = 0
      const [started, memory] = [performance.now(), process.memoryUsage.rss()]
      const error = await attempt(one, kinds.includes('timeout') ? SHORT : LONG)
      expect(error).toMatchObject({ name: 'GitError', kind: expect.toBeOneOf([...kinds]), message: expect.stringMatching(message) })
      expect((error as Error).message).toContain(url())
      expect((error as Error).message).not.toMatch(/CANARY|bWU6/)
      expect(performance.now() - started).toBeLessThan(PATIENCE_MS)
      expect(process.memoryUsage.rss() - memory).toBeLessThan(MEMORY)
      expect(seen.length).toBeLessThan(8)
      server.closeAllConnections()
      await pause(20)
      if (sentBytes !== undefined) expect(sent).toBeLessThan(sentBytes)
      expect(await readdir(dir)).toEqual([])
    }
  })

  test('sends us to another host gets no credentials there, nor does the other host', async () => {
    const elsewhere: IncomingMessage[] = []
    const other = createServer((request, response) => {
      elsewhere.push(request)
      request.resume()
      if (request.url?.includes('/info/refs')) goodRefs(response)
      else response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end()
    })
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    const location = `http://localhost:${(other.address() as AddressInfo).port}/repo.git/info/refs?service=git-upload-pack`
    answers = { refs: (response) => response.writeHead(302, { location }).end() }
    try {
      for (const act of ['resolve', 'fetch'] as const) await attempt(act)
      expect(elsewhere.length).toBeGreaterThan(2)
      expect(elsewhere.filter(({ headers }) => headers.authorization !== undefined || JSON.stringify(headers).includes('CANARY'))).toEqual(
        [],
      )
    } finally {
      other.closeAllConnections()
      other.close()
    }
  })

  test('sends us to a place without TLS, a file or another protocol is not followed', async () => {
    for (const location of [
      'file:///etc/passwd',
      'ftp://127.0.0.1/x',
      'ssh://127.0.0.1/x',
      'javascript:1',
      '//',
      'http://127.0.0.1:1/'.repeat(500),
    ]) {
      answers = { refs: (response) => response.writeHead(302, { location }).end() }
      for (const act of ['resolve', 'fetch'] as const) expect(await attempt(act)).toMatchObject({ name: 'GitError' })
    }
  })
})
