// Servers that do what no server should.
import { spawn } from 'node:child_process'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Writable } from 'node:stream'
import ssh2 from 'ssh2'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { createTestRepository, GIT_ENVIRONMENT, type TestRepository } from '../../../testing/git-repository.ts'
import { createDispatchers } from '../dispatchers.ts'
import { createIsomorphicBackend } from '../isomorphic.ts'
import { DEFAULT_GIT_LIMITS, type GitRemote } from '../types.ts'

const dispatchers = createDispatchers()
const backend = createIsomorphicBackend(dispatchers)
const [host, user] = [ssh2.utils.generateKeyPairSync('ed25519'), ssh2.utils.generateKeyPairSync('ed25519')]
/** A socket, or what the SSH library makes of it. */
type Peer = Pick<Socket, 'end' | 'on'> & { destroy?(): void }
const open: { server: { close(): unknown }; peers: Set<Peer> }[] = []
let dir: string
let repository: TestRepository
let head: string

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'ssh-faults-'))
  repository = await createTestRepository(join(dir, 'repo.git'), { branch: 'master', anyCommit: true })
  head = await repository.commit({ a: Array.from({ length: 20_000 }, (_, n) => (n * 2_654_435_761).toString(36)).join('') })
})
afterEach(() => {
  for (const { server, peers } of open.splice(0)) {
    for (const peer of peers) peer.destroy ? peer.destroy() : peer.end()
    server.close()
  }
})
afterAll(async () => {
  await dispatchers.close()
  await rm(dir, { recursive: true, force: true })
})

function listen(server: Server): Promise<GitRemote> {
  const peers = new Set<Peer>()
  server.on('connection', (peer: Peer) => {
    peers.add(peer)
    peer.on('error', () => {}) // the client goes away in the middle
  })
  open.push({ server, peers })
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      const credentials = { kind: 'ssh', privateKey: user.private } as const
      resolve({ url: `ssh://git@127.0.0.1:${port}/repo.git`, credentials, hostKeys: 'unchecked', timeoutMs: 30_000 })
    })
  })
}

type Behave = (channel: ssh2.ServerChannel, command: string) => void

function sshServer(
  behave: Behave,
  options: { banner?: string; onAuth?: (connection: ssh2.Connection) => boolean } = {},
): Promise<GitRemote> {
  const server = new ssh2.Server({ hostKeys: [host.private], ...(options.banner ? { banner: options.banner } : {}) }, (connection) => {
    connection.on('error', () => {}) // as above
    connection.on('authentication', (context) => {
      if (options.onAuth && !options.onAuth(connection)) return
      if (context.method === 'publickey') context.accept()
      else context.reject(['publickey'])
    })
    connection.on('session', (accept) => {
      const session = accept()
      session.on('env', (acceptEnv) => acceptEnv?.())
      session.on('exec', (acceptExec, _reject, { command }) => {
        const channel = acceptExec()
        channel.on('error', () => {}) // as above
        behave(channel, command)
      })
    })
  })
  return listen(server as unknown as Server)
}

/** Runs git, and passes on what `pass` makes of its output. */
function git(pass: (chunk: Buffer, channel: ssh2.ServerChannel, sent: number) => void, endsWithGit = true): Behave {
  return (channel) => {
    const child = spawn('git', ['upload-pack', repository.dir], { env: GIT_ENVIRONMENT })
    let sent = 0
    child.stdin.on('error', () => {}) // git has ended
    channel.pipe(child.stdin)
    child.stdout.on('data', (chunk: Buffer) => {
      pass(chunk, channel, sent)
      sent += chunk.length
    })
    child.on('close', (code) => {
      if (!endsWithGit) return
      channel.exit(code ?? 1)
      channel.end()
    })
  }
}

/** Writes as long as somebody reads, 100 MB at most. */
function flood(stream: Writable, text: string): void {
  let rest = Math.ceil(100_000_000 / text.length)
  const more = (): void => {
    if (stream.destroyed || rest-- <= 0) return
    stream.write(text, () => setImmediate(more))
  }
  more()
}

const never = new AbortController().signal
const resolve = (remote: GitRemote, signal = never) => backend.resolve(remote, { branch: 'master' }, signal)
async function fetch(remote: GitRemote, limits = {}, signal = never): Promise<string[]> {
  const into = join(dir, `out-${Math.random()}`)
  await backend.fetch(remote, head, into, { limits: { ...DEFAULT_GIT_LIMITS, timeMs: 60_000, ...limits } }, signal)
  return readdir(into)
}
const failsWith = (kind: string, message: RegExp) =>
  expect.objectContaining({ name: 'GitError', kind, message: expect.stringMatching(message) })

describe('before ssh begins', () => {
  test('silence', async () => {
    const remote = await listen(createServer())
    await expect(resolve({ ...remote, timeoutMs: 300 })).rejects.toEqual(failsWith('timeout', /did not answer in time/))
  })

  test('an endless greeting', async () => {
    const server = createServer((socket) => {
      flood(socket, 'x'.repeat(500).concat('\n').repeat(100))
    })
    await expect(resolve(await listen(server))).rejects.toMatchObject({ name: 'GitError', kind: 'protocol' })
  })

  test('a web server', async () => {
    const web = createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))
    await expect(resolve(await listen(web))).rejects.toMatchObject({ name: 'GitError', message: expect.stringContaining('127.0.0.1') })
  })

  test('nobody', async () => {
    const server = createServer()
    const remote = await listen(server)
    await new Promise((done) => server.close(done))
    await expect(resolve(remote)).rejects.toEqual(failsWith('unreachable', /ECONNREFUSED/))
  })

  test('a caller who gives up', async () => {
    const stop = new AbortController()
    const remote = await listen(createServer())
    setTimeout(() => stop.abort(new Error('gave up')), 100)
    await expect(resolve(remote, stop.signal)).rejects.toThrow('gave up')
  })
})

describe('while logging in', () => {
  test('no answer', async () => {
    const remote = await sshServer(() => {}, { onAuth: () => false })
    await expect(resolve({ ...remote, timeoutMs: 500 })).rejects.toEqual(failsWith('timeout', /did not answer in time/))
  })

  test('a banner is not shown to anybody', async () => {
    const remote = await sshServer(
      git((chunk, channel) => channel.write(chunk)),
      { banner: 'CANARY\n'.repeat(1_000) },
    )
    expect(await resolve(remote)).toBe(head)
  })

  test('a connection that breaks', async () => {
    const remote = await sshServer(() => {}, {
      onAuth(connection) {
        connection.end()
        return false
      },
    })
    await expect(resolve(remote)).rejects.toMatchObject({ name: 'GitError', kind: 'unreachable' })
  })

  test('a key that is not the known one', async () => {
    const remote = await sshServer(git((chunk, channel) => channel.write(chunk)))
    const { port } = new URL(remote.url)
    const other = ssh2.utils.generateKeyPairSync('ed25519').public
    const known = [{ name: 'secret "x"', text: `[127.0.0.1]:${port} ${other}` }]
    await expect(resolve({ ...remote, hostKeys: { known } })).rejects.toEqual(
      failsWith(
        'host-key',
        /mismatch of the host key of \[127\.0\.0\.1\]:\d+: .*ssh-ed25519 SHA256:.* secret "x" knows this host by ssh-ed25519 SHA256:/,
      ),
    )
    const right = [{ name: 'secret "x"', text: `[127.0.0.1]:${port} ${host.public}` }]
    expect(await resolve({ ...remote, hostKeys: { known: right } })).toBe(head)
  })
})

describe('instead of git', () => {
  test.each<[string, string, number, string, RegExp]>([
    ['an unknown repository', 'ERROR: Repository not found.\n', 1, 'not-found', /repository not found/],
    ['a refusal', 'remote: Access denied for this key\n', 1, 'authentication', /may not read/],
    ['no git', 'sh: git-upload-pack: command not found\n', 127, 'protocol', /has no git for this user/],
    ['nothing at all', '', 3, 'protocol', /exit code 3/],
  ])('%s', async (_what, complaint, code, kind, message) => {
    const remote = await sshServer((channel) => {
      channel.stderr.write(complaint)
      channel.exit(code)
      channel.end()
    })
    await expect(resolve(remote)).rejects.toEqual(failsWith(kind, message))
  })

  test('a message of the day', async () => {
    const remote = await sshServer((channel) => void channel.write('Welcome! \u001b[2J\n'))
    await expect(resolve(remote)).rejects.toEqual(failsWith('protocol', /is not a git repository \(it says "Welcome!/))
  })

  test('silence', async () => {
    const remote = await sshServer(() => {})
    await expect(resolve({ ...remote, timeoutMs: 500 })).rejects.toEqual(failsWith('timeout', /did not answer in time/))
  })

  test('an endless list of refs', async () => {
    const line = `0044${'a'.repeat(40)} refs/heads/some-branch\n`
    const remote = await sshServer((channel) => {
      flood(channel, line.repeat(1_000))
    })
    await expect(fetch(remote, { packBytes: 2_000_000 })).rejects.toEqual(failsWith('too-large', /sends more than 2 MiB/))
  })

  test('endless complaints', async () => {
    const remote = await sshServer((channel) => {
      for (let n = 0; n < 200; n++) channel.stderr.write('x'.repeat(10_000))
      channel.exit(1)
      channel.end()
    })
    const error = (await resolve(remote).catch((thrown: unknown) => thrown)) as Error
    expect(error.message.length).toBeLessThan(600)
  })
})

describe('in the middle of a pack', () => {
  const sendsList = (act: (channel: ssh2.ServerChannel) => void): Behave => {
    let [isListed, isActing] = [false, false]
    return git((chunk, channel) => {
      if (!isListed) channel.write(chunk)
      else if (!isActing) act(channel)
      isActing = isListed
      isListed = true
    }, false)
  }

  test('the connection breaks', async () => {
    const remote = await sshServer(
      git((chunk, channel, sent) => {
        channel.write(chunk.subarray(0, 2_000))
        if (sent > 0) setTimeout(() => (channel as unknown as { _client: ssh2.Connection })._client.end(), 50)
      }),
    )
    await expect(fetch(remote)).rejects.toMatchObject({ name: 'GitError' })
  })

  test('git ends', async () => {
    const remote = await sshServer(
      sendsList((channel) => {
        channel.write('0008NAK\n0009\u0001PACK')
        channel.exit(128)
        channel.end()
      }),
    )
    await expect(fetch(remote)).rejects.toMatchObject({ name: 'GitError' })
  })

  test('it becomes quiet', async () => {
    const remote = await sshServer(sendsList((channel) => void channel.write('0008NAK\n')))
    await expect(fetch(remote, { timeMs: 700 })).rejects.toEqual(failsWith('timeout', /did not answer in time/))
  })

  test('it does not end', async () => {
    const zeros = `fff1\u0001${'\0'.repeat(0xfff1 - 5)}`
    const remote = await sshServer(
      sendsList((channel) => {
        flood(channel, zeros)
      }),
    )
    await expect(fetch(remote, { packBytes: 3_000_000 })).rejects.toEqual(failsWith('too-large', /sends more than 3 MiB/))
  })

  test('all is well after all', async () => {
    expect(await fetch(await sshServer(git((chunk, channel) => void channel.write(chunk))))).toEqual(['a'])
  })
})

test('the path reaches the server as one word', async () => {
  const commands: string[] = []
  const remote = await sshServer((channel, command) => {
    commands.push(command)
    channel.exit(1)
    channel.end()
  })
  const { port } = new URL(remote.url)
  for (const path of ["/it's; rm -rf $HOME!", '/~user/repo']) {
    const url = `ssh://git@127.0.0.1:${port}${path.split('/').map(encodeURIComponent).join('/')}`
    await resolve({ ...remote, url }).catch(() => {}) // what counts is what it asked for
  }
  expect(commands).toEqual(["git-upload-pack '/it'\\''s; rm -rf $HOME'\\!''", "git-upload-pack '~user/repo'"])
})
