// Proxies on the way to a real sshd, good and bad ones.
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { createTestRepository, type TestRepository } from '../../../testing/git-repository.ts'
import { createLocalCertificate } from '../../../testing/local-certificate.ts'
import { SSH_SERVER_PROBLEM, type SshServer, startSshServer } from '../../../testing/ssh-server.ts'
import { type ProxyMood, startConnectProxy, startSocksProxy, type WayProxy } from '../../../testing/way-proxies.ts'
import { createDispatchers } from '../dispatchers.ts'
import { createIsomorphicBackend } from '../isomorphic.ts'
import { DEFAULT_GIT_LIMITS, type GitRemote } from '../types.ts'

/** Only the proxies find it. */
const HOST = 'git.example'
const USER = { username: 'user', password: 'PROXY-CANARY' }
const never = new AbortController().signal
/** Until a connection that was ended has gone on the other side too. */
const SOON = { timeout: 30_000 }

describe.skipIf(SSH_SERVER_PROBLEM !== undefined)('an ssh server behind a proxy', () => {
  const dispatchers = createDispatchers()
  const backend = createIsomorphicBackend(dispatchers)
  let dir: string
  let repository: TestRepository
  let head: string
  let server: SshServer
  let ca: string
  let proxies: Record<'socks' | 'guarded' | 'plain' | 'encrypted', WayProxy>

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'ssh-proxies-'))
    repository = await createTestRepository(join(dir, 'repo.git'), { branch: 'master', anyCommit: true })
    head = await repository.commit({ a: '1' })
    const certificate = await createLocalCertificate(dir)
    ca = certificate.ca
    const [socks, guarded, plain, encrypted] = await Promise.all([
      startSocksProxy(),
      startSocksProxy(USER),
      startConnectProxy(),
      startConnectProxy(certificate),
    ])
    proxies = { socks, guarded, plain, encrypted }
    server = await startSshServer()
  })
  afterEach(() => {
    for (const proxy of Object.values(proxies)) {
      proxy.mood = 'good'
      proxy.seen.length = 0
      proxy.cut()
    }
  })
  afterAll(async () => {
    await Promise.all([...Object.values(proxies ?? {}), ...(server ? [server] : [])].map((one) => one.stop()))
    await dispatchers.close()
    await rm(dir, { recursive: true, force: true })
  })

  function remote(all: string, more: Partial<GitRemote> = {}): GitRemote {
    const proxy = { all, none: '.internal' }
    return {
      url: server.url(repository.dir).replace('127.0.0.1', HOST),
      credentials: { kind: 'ssh', privateKey: server.keys.ed25519 },
      hostKeys: { known: [{ name: 'the test', text: server.knownHosts.replace('127.0.0.1', HOST) }] },
      proxy,
      timeoutMs: 60_000,
      ...more,
    }
  }
  const resolve = (from: GitRemote, signal = never) => backend.resolve(from, { branch: 'master' }, signal)

  test.each<[string, keyof typeof proxies, (port: number) => string, string]>([
    ['SOCKS 5', 'socks', (port) => `socks5://127.0.0.1:${port}`, ''],
    ['SOCKS 5 under its other name', 'socks', (port) => `socks5h://127.0.0.1:${port}`, ''],
    ['SOCKS 5 with credentials', 'guarded', (port) => `socks5://user:PROXY-CANARY@127.0.0.1:${port}`, 'user:PROXY-CANARY@'],
    ['CONNECT', 'plain', (port) => `http://127.0.0.1:${port}`, ''],
    ['CONNECT without scheme', 'plain', (port) => `127.0.0.1:${port}`, ''],
    ['CONNECT with credentials', 'plain', (port) => `http://me:p%40ss@127.0.0.1:${port}`, 'me:p@ss@'],
    ['CONNECT over TLS', 'encrypted', (port) => `https://127.0.0.1:${port}`, ''],
  ])('is reached by %s', async (_what, name, address, credentials) => {
    const from = remote(address(proxies[name].port), { caBundle: ca })
    expect(await resolve(from)).toBe(head)
    const into = join(dir, `out-${Math.random()}`)
    await backend.fetch(from, head, into, { limits: DEFAULT_GIT_LIMITS }, never)
    expect(await readFile(join(into, 'a'), 'utf8')).toBe('1')
    expect(new Set(proxies[name].seen)).toEqual(new Set([`${credentials}${HOST}:${server.port}`]))
  })

  test('is told by its address as it is', async () => {
    proxies.socks.mood = 'refuses'
    const all = `socks5://127.0.0.1:${proxies.socks.port}`
    for (const url of ['ssh://git@192.0.2.1/r', 'ssh://git@[2001:db8::7]:2222/r', 'ssh://git@[::ffff:192.0.2.9]/r'])
      await expect(resolve(remote(all, { url }))).rejects.toMatchObject({ kind: 'unreachable' })
    const ipv6 = '20010db8000000000000000000000007'
    expect(proxies.socks.seen).toEqual(['192.0.2.1:22', `[${ipv6}]:2222`, '[00000000000000000000ffffc0000209]:22'])
  })

  test('that is excepted is reached directly', async () => {
    const all = 'socks5://127.0.0.1:1'
    expect(
      await resolve({ ...remote(all), url: server.url(repository.dir), hostKeys: { known: [{ name: 'x', text: server.knownHosts }] } }),
    ).toBe(head)
    const excepted = remote(all, { proxy: { none: `${HOST}:${server.port}`, ...({ all } as object) } })
    await expect(resolve(excepted)).rejects.toMatchObject({ kind: 'unreachable', message: expect.stringContaining('cannot be found') })
  })

  const MOODS: [ProxyMood, string, RegExp][] = [
    ['hangs', 'timeout', /the proxy .* did not answer in time/],
    ['refuses', 'unreachable', /refuses the way to .* \((?:status 403|not allowed by its rules)\)/],
    ['wants credentials', 'unreachable', /wants other credentials/],
    ['dies', 'unreachable', /cannot be reached \(ECONNRESET\)/],
    ['says nonsense', 'unreachable', /is no such proxy/],
  ]
  test.each(
    MOODS.flatMap(([mood, kind, message]) => (['plain', 'socks', 'guarded'] as const).map((name) => [name, mood, kind, message] as const)),
  )('behind a proxy (%s) that %s', async (name, mood, kind, message) => {
    const proxy = proxies[name]
    proxy.mood = mood
    const scheme = name === 'plain' ? 'http' : 'socks5'
    const failed = resolve(
      remote(`${scheme}://user:PROXY-CANARY@127.0.0.1:${proxy.port}`, { timeoutMs: mood === 'hangs' ? 2_000 : 60_000 }),
    )
    const error = await failed.catch((thrown: unknown) => thrown as Error)
    expect(error).toMatchObject({ name: 'GitError', kind, message: expect.stringMatching(message) })
    expect(error).toMatchObject({ message: expect.stringMatching(/^(?!.*CANARY)/) })
    expect(error).toMatchObject({ message: expect.stringContaining(`${scheme}://127.0.0.1:${proxy.port}`) })
    await expect.poll(() => proxy.open, SOON).toBe(0)
  })

  test('behind a proxy that does not take the credentials', async () => {
    const wrong = resolve(remote(`socks5://user:WRONG@127.0.0.1:${proxies.guarded.port}`))
    await expect(wrong).rejects.toMatchObject({ message: expect.stringMatching(/^(?!.*WRONG).*wants other credentials/) })
  })

  test('behind a proxy that is not there, or not trusted', async () => {
    await expect(resolve(remote('socks5://127.0.0.1:1'))).rejects.toMatchObject({
      kind: 'unreachable',
      message: expect.stringMatching(
        /the proxy socks5:\/\/127\.0\.0\.1:1 on the way to ssh:\/\/git\.example:.* cannot be reached \(ECONNREFUSED\)/,
      ),
    })
    await expect(resolve(remote(`https://127.0.0.1:${proxies.encrypted.port}`))).rejects.toMatchObject({
      kind: 'certificate',
      message: expect.stringMatching(/certificate of the proxy https:\/\/127\.0\.0\.1:\d+ .* not trusted/),
    })
    await expect(resolve(remote(`https://127.0.0.1:${proxies.plain.port}`))).rejects.toMatchObject({
      kind: 'unreachable',
      message: expect.stringMatching(/is no such proxy/),
    })
  })

  test('is given up when the caller gives up', async () => {
    for (const name of ['plain', 'socks'] as const) {
      const stop = new AbortController()
      proxies[name].mood = 'hangs'
      const failed = resolve(remote(`${name === 'plain' ? 'http' : 'socks5'}://127.0.0.1:${proxies[name].port}`), stop.signal)
      setTimeout(() => stop.abort(new Error('gave up')), 100)
      await expect(failed).rejects.toThrow('gave up')
    }
  })

  test('shows its own key to us through the proxy, and it is checked', async () => {
    const other = server.knownHosts.replace('127.0.0.1', 'other.example')
    const from = remote(`socks5://127.0.0.1:${proxies.socks.port}`, { hostKeys: { known: [{ name: 'the test', text: other }] } })
    await expect(resolve(from)).rejects.toMatchObject({ kind: 'host-key', message: expect.stringContaining(`[${HOST}]:${server.port}`) })
  })
})
