// Proxies in between, good and bad ones, with each backend.
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { createServer, request as forward, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type GitServer, startGitServer } from '../../testing/git-server.ts'
import { createCommandBackend } from './command/command-backend.ts'
import { findGitCommand } from './command/find-git.ts'
import { DEFAULT_GIT_LIMITS, type GitBackend, type GitRemote } from './types.ts'
import { createGitWorkerBackend } from './worker-backend.ts'

/** Only the proxy finds it: what is on loopback is reached without one. */
const HOST = 'git.example'
const found = await findGitCommand(process.env.PATH ?? '')
const BACKENDS: Readonly<Record<string, (dir: string) => GitBackend & { close(): Promise<void> }>> = {
  'isomorphic in a worker': () => createGitWorkerBackend(),
  ...('problem' in found ? {} : { command: (dir) => createCommandBackend({ command: found, tempDir: dir }) }),
}

type Mood = 'good' | 'hangs' | 'refuses' | 'wants credentials' | 'dies' | 'says nonsense'

describe.each(Object.entries(BACKENDS))('the backend %s and a proxy', (_name, create) => {
  let dir: string
  let backend: ReturnType<typeof create>
  let proxy: Server
  let address: string
  let plain: GitServer
  let encrypted: GitServer
  let mood: Mood = 'good'
  let seen: string[] = []
  let serial = 0
  const sockets = new Set<Socket>()

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'git-proxies-'))
    backend = create(dir)
    proxy = createServer(passOn)
    proxy.on('connection', (socket: Socket) => sockets.add(socket))
    proxy.on('connect', tunnel)
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
    address = `http://user:PROXY-CANARY@127.0.0.1:${(proxy.address() as AddressInfo).port}`
    ;[plain, encrypted] = await Promise.all([startGitServer(), startGitServer({ tls: true })])
  })
  afterAll(async () => {
    await backend.close()
    for (const socket of sockets) socket.destroy()
    proxy.close()
    await Promise.all([plain.stop(), encrypted.stop()])
    await rm(dir, { recursive: true, force: true })
  })
  beforeEach(() => {
    mood = 'good'
    seen = []
  })

  function passOn(request: IncomingMessage, response: ServerResponse): void {
    seen.push(`${request.method} ${request.headers.authorization}`)
    if (mood === 'hangs') return
    const { method, headers } = request
    const upstream = forward((request.url ?? '').replace(HOST, '127.0.0.1'), { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(response)
    })
    upstream.on('error', () => response.destroy())
    request.pipe(upstream)
  }

  function tunnel(request: IncomingMessage, socket: Socket): void {
    seen.push(`CONNECT ${request.headers['proxy-authorization']}`)
    socket.on('error', () => {})
    if (mood === 'hangs') return
    if (mood === 'dies') return void socket.destroy()
    if (mood === 'says nonsense') return void socket.end('I am no proxy\r\n\r\n')
    if (mood === 'refuses') return void socket.end('HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n')
    if (mood === 'wants credentials') return void socket.end('HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n')
    const upstream = connect(Number(request.url?.split(':')[1]), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      upstream.pipe(socket).pipe(upstream)
    })
    sockets.add(upstream)
    upstream.on('error', () => socket.destroy())
  }

  const through = (url: string, more: Partial<GitRemote> = {}): GitRemote => ({
    url: url.replace('127.0.0.1', HOST),
    proxy: { http: address, https: address },
    timeoutMs: 30_000,
    credentials: { kind: 'basic', username: 'me', password: 'CANARY' },
    ...more,
  })
  async function both(remote: GitRemote, commit: string): Promise<string> {
    const { signal } = new AbortController()
    expect(await backend.resolve(remote, { branch: 'master' }, signal)).toBe(commit)
    const into = join(dir, String(serial++))
    await backend.fetch(remote, commit, into, { limits: DEFAULT_GIT_LIMITS }, signal)
    return readFile(join(into, 'a'), 'utf8')
  }

  test('in the way of http', async () => {
    const git = await plain.repository(`r${serial++}`, { a: '1' })
    expect(await both(through(git.url), await git.head())).toBe('1')
    expect(seen.length).toBeGreaterThan(2)
  })

  test('in the way of https, which sees no credentials of ours but its own', async () => {
    const git = await encrypted.repository(`r${serial++}`, { a: '1' })
    expect(await both(through(git.url, { caBundle: encrypted.ca }), await git.head())).toBe('1')
    const own = `Basic ${Buffer.from('user:PROXY-CANARY').toString('base64')}`
    expect(new Set(seen)).toEqual(new Set([`CONNECT ${own}`]))
  })

  test.each<[Mood, string, RegExp]>([
    ['hangs', 'timeout', /did not answer in time/],
    ['dies', 'unreachable', /cannot be reached|proxy refuses/],
    ['refuses', 'unreachable', /proxy refuses the way/],
    ['wants credentials', 'unreachable', /proxy .* wants credentials/],
    ['says nonsense', 'protocol', /is not a git repository/],
  ])('that %s', async (how, kind, message) => {
    const git = await encrypted.repository(`r${serial++}`, { a: '1' })
    const url = git.url.replace('127.0.0.1', `${how.replaceAll(' ', '-')}.${HOST}`)
    const [timeoutMs, timeMs] = how === 'hangs' ? [1_500, 2_500] : [30_000, 60_000]
    const remote = through(git.url, { caBundle: encrypted.ca, url, timeoutMs })
    mood = how
    const { signal } = new AbortController()
    const limits = { ...DEFAULT_GIT_LIMITS, timeMs }
    const before = await readdir(dir)
    for (const act of [
      () => backend.resolve(remote, { branch: 'master' }, signal),
      async () => backend.fetch(remote, await git.head(), join(dir, 'none'), { limits }, signal),
    ])
      await expect(act()).rejects.toMatchObject({ kind, message: expect.stringMatching(message) })
    expect(await readdir(dir)).toEqual(before)
  })
})
