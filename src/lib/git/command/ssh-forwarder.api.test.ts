// The git command behind proxies that lead to a real sshd, good and bad ones.
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { createTestRepository, type TestRepository } from '../../../testing/git-repository.ts'
import { SSH_SERVER_PROBLEM, type SshServer, startSshServer } from '../../../testing/ssh-server.ts'
import { type ProxyMood, startConnectProxy, startSocksProxy, type WayProxy } from '../../../testing/way-proxies.ts'
import { DEFAULT_GIT_LIMITS, type GitRemote } from '../types.ts'
import { type CommandBackend, createCommandBackend } from './command-backend.ts'
import { findGitCommand } from './find-git.ts'

const found = await findGitCommand(process.env.PATH ?? '')
const problem = 'problem' in found ? found.problem : (SSH_SERVER_PROBLEM ?? (found.ssh ? undefined : 'there is no ssh on the PATH'))
if (problem) process.stdout.write(`the git command behind proxies skipped: ${problem}\n`)

/** Only the proxies find it. */
const HOST = 'git.example'
const never = new AbortController().signal
/** Until a connection that was ended has gone on the other side too. */
const SOON = { timeout: 30_000 }

describe.skipIf(problem !== undefined)('the git command over ssh behind a proxy', () => {
  let dir: string
  let server: SshServer
  let outer: TestRepository
  let head: string
  let socks: WayProxy
  let plain: WayProxy
  let backend: CommandBackend
  let serial = 0

  beforeAll(async () => {
    if ('problem' in found) throw new Error(found.problem)
    dir = await mkdtemp(join(tmpdir(), 'git-ssh-proxies-'))
    ;[server, socks, plain] = await Promise.all([
      startSshServer({ certifiedFor: [HOST] }),
      startSocksProxy({ username: 'user', password: 'PROXY-CANARY' }),
      startConnectProxy(),
    ])
    const inner = await createTestRepository(join(dir, 'inner.git'), { branch: 'master', anyCommit: true })
    outer = await createTestRepository(join(dir, 'outer.git'), { branch: 'master', anyCommit: true })
    head = await outer.commit({
      '.gitmodules': '[submodule "x"]\n\tpath = x\n\turl = ../inner.git\n',
      x: { mode: '160000', content: await inner.commit({ a: 'inside' }) },
    })
    backend = createCommandBackend({ command: found, tempDir: dir })
  })
  afterEach(() => {
    for (const proxy of [socks, plain]) {
      proxy.mood = 'good'
      proxy.seen.length = 0
      proxy.cut()
    }
  })
  afterAll(async () => {
    await Promise.all([server?.stop(), socks?.stop(), plain?.stop(), backend?.close()])
    await rm(dir, { recursive: true, force: true })
  })

  const bySocks = (): string => `socks5://user:PROXY-CANARY@127.0.0.1:${socks.port}`
  const knownHosts = (): string => server.knownHosts.replace('127.0.0.1', HOST)
  const remote = (all: string, known = knownHosts()): GitRemote => ({
    url: server.url(outer.dir).replace('127.0.0.1', HOST),
    credentials: { kind: 'ssh', privateKey: server.keys.ed25519 },
    hostKeys: { known: [{ name: 'the test', text: known }] },
    proxy: { all },
    timeoutMs: 60_000,
  })
  const resolve = (from: GitRemote): Promise<string> => backend.resolve(from, { branch: 'master' }, never)

  test('reads a repository and its submodule through it', async () => {
    for (const [proxy, all, shown] of [
      [socks, bySocks(), 'user:PROXY-CANARY@'],
      [plain, `http://127.0.0.1:${plain.port}`, ''],
    ] as const) {
      expect(await resolve(remote(all))).toBe(head)
      const into = join(dir, String(serial++))
      await backend.fetch(remote(all), head, into, { limits: DEFAULT_GIT_LIMITS }, never)
      expect(await readFile(join(into, 'x', 'a'), 'utf8')).toBe('inside')
      expect(new Set(proxy.seen)).toEqual(new Set([`${shown}${HOST}:${server.port}`]))
      await expect.poll(() => proxy.open, SOON).toBe(0)
    }
    expect((await readdir(dir)).filter((name) => name.startsWith('.git-'))).toEqual([])
  })

  test('still checks the keys of the host, by its name and port', async () => {
    const at = `[${HOST}]:${server.port}`
    const [, type = '', key = ''] = knownHosts().trim().split(' ')
    expect(await resolve(remote(bySocks(), `@cert-authority ${at} ${server.authority}\n`))).toBe(head)
    await expect(resolve(remote(bySocks(), `${at} ${server.authority}\n127.0.0.1 ${type} ${key}`))).rejects.toMatchObject({
      kind: 'host-key',
      message: expect.stringMatching(/mismatch of the host key/),
    })
    await expect(resolve(remote(bySocks(), `@revoked ${at} ${type} ${key}\n${at} ${type} ${key}\n`))).rejects.toMatchObject({
      kind: 'host-key',
    })
    await expect(resolve(remote(bySocks(), `${HOST} ${type} ${key}\n`))).rejects.toMatchObject({
      kind: 'host-key',
      message: expect.stringMatching(/unknown host key of \[git\.example\]:\d+/),
    })
  })

  const MOODS: [ProxyMood, string, RegExp][] = [
    ['hangs', 'timeout', /the proxy .* did not answer in time/],
    ['refuses', 'unreachable', /refuses the way to/],
    ['wants credentials', 'unreachable', /wants other credentials/],
    ['dies', 'unreachable', /cannot be reached \(ECONNRESET\)/],
    ['says nonsense', 'unreachable', /is no such proxy/],
  ]
  test.each(MOODS)('names a proxy that %s', async (mood, kind, message) => {
    socks.mood = mood
    // not too short: a part of it passes before ssh asks the proxy
    const failed = resolve({ ...remote(bySocks()), timeoutMs: mood === 'hangs' ? 10_000 : 60_000 })
    const error = await failed.catch((thrown: unknown) => thrown as Error)
    expect(error).toMatchObject({ name: 'GitError', kind, message: expect.stringMatching(message) })
    expect(error).toMatchObject({ message: expect.stringMatching(/^(?!.*CANARY)/) })
    await expect.poll(() => socks.open, SOON).toBe(0)
  })

  test('tells of a proxy that is not there, and goes directly where none is wanted', async () => {
    await expect(resolve(remote('socks5://127.0.0.1:1'))).rejects.toMatchObject({
      kind: 'unreachable',
      message: expect.stringMatching(/the proxy socks5:\/\/127\.0\.0\.1:1 on the way to .* cannot be reached/),
    })
    const direct = { ...remote('socks5://127.0.0.1:1', server.knownHosts), url: server.url(outer.dir) }
    expect(await resolve(direct)).toBe(head)
  })
})
