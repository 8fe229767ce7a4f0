// One login for many polls of a real sshd, which is reached through a proxy that counts.
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import git from 'isomorphic-git'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createTestRepository, type TestRepository } from '../../../testing/git-repository.ts'
import { SSH_SERVER_PROBLEM, type SshServer, startSshServer } from '../../../testing/ssh-server.ts'
import { startSocksProxy, type WayProxy } from '../../../testing/way-proxies.ts'
import { DEFAULT_GIT_LIMITS, type GitRemote } from '../types.ts'
import { createGitWorkerBackend } from '../worker-backend.ts'
import { createSshConnections, type SshConnections } from './connections.ts'
import { createSshTransport } from './transport.ts'

const HOST = 'git.example'
const never = new AbortController().signal
/** Until a connection that was ended has gone on the other side too. */
const SOON = { timeout: 30_000 }

describe.skipIf(SSH_SERVER_PROBLEM !== undefined)('a connection to an ssh server', () => {
  let dir: string
  let repository: TestRepository
  let server: SshServer
  let way: WayProxy
  let connections: SshConnections

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'ssh-reuse-'))
    repository = await createTestRepository(join(dir, 'repo.git'), { branch: 'master', anyCommit: true })
    await repository.commit({ a: '1' })
    ;[server, way] = await Promise.all([startSshServer(), startSocksProxy()])
  })
  beforeEach(() => {
    way.mood = 'good'
    way.seen.length = 0
    connections = createSshConnections({ now: Date.now })
  })
  afterEach(async () => {
    connections.close()
    await expect.poll(() => way.open, SOON).toBe(0)
  })
  afterAll(async () => {
    await Promise.all([server?.stop(), way?.stop()])
    await rm(dir, { recursive: true, force: true })
  })

  function remote(more: Partial<GitRemote> = {}): GitRemote {
    const proxy = { all: `socks5://127.0.0.1:${way.port}`, none: '' }
    return {
      url: server.url(repository.dir).replace('127.0.0.1', HOST),
      credentials: { kind: 'ssh', privateKey: server.keys.ed25519 },
      hostKeys: { known: [{ name: 'the test', text: server.knownHosts.replace('127.0.0.1', HOST) }] },
      proxy,
      ...more,
    }
  }

  /** Asks for the branch as the backend does; 1 or 2 is the version of git's protocol. */
  async function ask(from = remote(), protocolVersion: 1 | 2 = 2, signal = never): Promise<string | undefined> {
    const http = createSshTransport(from, { idleMs: 15_000, maxBytes: 1e6, signal, now: Date.now, connections })
    try {
      const url = 'http://ssh.invalid/repository'
      const refs = await git.listServerRefs({ http, url, prefix: 'refs/heads/master', protocolVersion })
      return refs[0]?.oid
    } finally {
      http.close()
    }
  }

  test.each([1, 2] as const)('serves many polls, one after the other (version %i of the protocol)', async (version) => {
    for (let round = 0; round < 4; round++) {
      const head = await repository.commit({ a: String(Math.random()) })
      expect(await ask(remote(), version)).toBe(head)
    }
    expect(way.seen).toHaveLength(1)
    expect(way.open).toBe(1)
  })

  test('serves one poll at a time', async () => {
    const head = await repository.head()
    for (let round = 0; round < 2; round++)
      expect(await Promise.all([ask(), ask(), ask(), ask(), ask(), ask()])).toEqual(Array(6).fill(head))
    expect(way.seen.length).toBeGreaterThanOrEqual(6)
    expect(way.seen.length).toBeLessThanOrEqual(8)
    await expect.poll(() => way.open, SOON).toBe(4)
  })

  test('is not shared with other keys, users and known hosts, and goes when the key of a repository changes', async () => {
    await ask()
    await expect(ask(remote({ credentials: { kind: 'ssh', privateKey: server.strangerKey } }))).rejects.toMatchObject({
      kind: 'authentication',
    })
    await expect.poll(() => way.open, SOON).toBe(0)
    await ask(remote({ credentials: { kind: 'ssh', privateKey: server.keys.rsa } }))
    await expect(ask(remote({ hostKeys: { known: [] } }))).rejects.toMatchObject({ kind: 'host-key' })
    await expect(ask({ ...remote(), url: remote().url.replace('//', '//x-') })).rejects.toMatchObject({ kind: 'authentication' })
    expect(way.seen).toHaveLength(5)
  })

  test('survives a repository that does not exist', async () => {
    await ask()
    await expect(ask({ ...remote(), url: `${remote().url}-none` })).rejects.toMatchObject({ kind: 'not-found' })
    await ask()
    expect(way.seen).toHaveLength(1)
  })

  test('that broke while nobody used it is opened anew', async () => {
    await ask()
    way.cut()
    expect(await ask()).toBe(await repository.head())
    expect(way.seen).toHaveLength(2)
  })

  test('that leads nowhere any more, without a word, is given up after seconds', async () => {
    await ask()
    way.mood = 'forgets'
    setTimeout(() => {
      way.mood = 'good'
    }, 1_000)
    expect(await ask()).toBe(await repository.head())
    expect(way.seen).toHaveLength(2)
  })

  test('to a server that is gone fails after one more attempt', async () => {
    await ask()
    way.mood = 'refuses'
    way.cut()
    await expect(ask()).rejects.toMatchObject({ kind: 'unreachable' })
    expect(way.seen).toHaveLength(2)
  })

  test('ends with a poll that is given up', async () => {
    await ask()
    const stop = new AbortController()
    way.mood = 'forgets'
    const asked = ask(remote(), 2, stop.signal)
    setTimeout(() => stop.abort(new Error('gave up')), 200)
    await expect(asked).rejects.toThrow('gave up')
    await expect.poll(() => way.open, SOON).toBe(0)
    expect(way.seen).toHaveLength(1)
  })

  test('ends with the backend, whatever it is used for', async () => {
    const backend = createGitWorkerBackend()
    const head = await backend.resolve(remote(), { branch: 'master' }, never)
    await backend.fetch(remote(), head, join(dir, 'out'), { limits: DEFAULT_GIT_LIMITS }, never)
    expect(await readdir(join(dir, 'out'))).toEqual(['a'])
    await backend.close()
    await expect.poll(() => way.open, SOON).toBe(0)
  })
})
