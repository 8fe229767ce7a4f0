import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import ssh2 from 'ssh2'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createTestRepository, GIT_ENVIRONMENT, type TestRepository } from '../../../testing/git-repository.ts'
import { createLocalCertificate } from '../../../testing/local-certificate.ts'
import { DEFAULT_GIT_LIMITS, type GitRemote } from '../types.ts'
import { type CommandBackend, createCommandBackend } from './command-backend.ts'
import { findGitCommand } from './find-git.ts'

const CONTENT = 'a large file'
const OID = createHash('sha256').update(CONTENT).digest('hex')
const found = await findGitCommand(process.env.PATH ?? '')
const problem = 'problem' in found ? found.problem : found.ssh ? undefined : 'there is no ssh on the PATH'
if (problem) process.stdout.write(`large files over ssh skipped: ${problem}\n`)

describe.skipIf(problem !== undefined)('large files of a repository that is read by ssh', () => {
  let dir: string
  let git: TestRepository
  let head: string
  let store: Server
  let ca: string
  let sshd: ssh2.Server
  let backend: CommandBackend
  let commands: string[]
  let seen: string[]
  let answer: string
  const [host, user] = [ssh2.utils.generateKeyPairSync('ed25519'), ssh2.utils.generateKeyPairSync('ed25519')]
  const portOf = (server: { address(): unknown }): number => (server.address() as AddressInfo).port

  beforeAll(async () => {
    if ('problem' in found) throw new Error(found.problem)
    dir = await mkdtemp(join(tmpdir(), 'git-lfs-ssh-'))
    const tls = await createLocalCertificate(dir)
    ca = tls.ca
    git = await createTestRepository(join(dir, "it's.git"), { branch: 'master', anyCommit: true })
    const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${OID}\nsize ${CONTENT.length}\n`
    head = await git.commit({ a: pointer, '.gitattributes': 'a filter=lfs\n' })
    store = createServer({ cert: tls.cert, key: tls.key }, serve)
    sshd = new ssh2.Server({ hostKeys: [host.private] }, onClient)
    for (const server of [store, sshd]) await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    backend = createCommandBackend({ command: found, tempDir: dir })
  })
  afterAll(async () => {
    await backend?.close()
    store?.closeAllConnections()
    store?.close()
    sshd?.close()
    await rm(dir, { recursive: true, force: true })
  })
  beforeEach(() => {
    commands = []
    seen = []
    answer = JSON.stringify({ href: `https://127.0.0.1:${portOf(store)}/store/`, header: { Authorization: 'Token CANARY' } })
  })

  function serve(request: IncomingMessage, response: ServerResponse): void {
    seen.push(`${request.method} ${request.url} ${request.headers.authorization}`)
    request.resume()
    const actions = { download: { href: `https://localhost:${portOf(store)}/file` } }
    if (request.method === 'GET') response.end(CONTENT)
    else response.end(JSON.stringify({ objects: [{ oid: OID, size: CONTENT.length, actions }] }))
  }

  function onClient(connection: ssh2.Connection): void {
    connection.on('error', () => {}) // the client goes away in the middle
    connection.on('authentication', (context) => (context.method === 'publickey' ? context.accept() : context.reject(['publickey'])))
    connection.on('session', (accept) => {
      const session = accept()
      session.on('env', (acceptEnv) => acceptEnv?.())
      session.on('exec', (acceptExec, _reject, { command }) => {
        commands.push(command)
        run(acceptExec(), command)
      })
    })
  }

  function run(channel: ssh2.ServerChannel, command: string): void {
    const end = (code: number | null): void => {
      channel.exit(code ?? 1)
      channel.end()
    }
    channel.on('error', () => {}) // as above
    if (command.startsWith('git-lfs-authenticate')) {
      if (answer) channel.write(answer)
      else channel.stderr.write('git-lfs-authenticate: command not found\n')
      end(answer ? 0 : 127)
      return
    }
    const child = spawn('/bin/sh', ['-c', command], { env: GIT_ENVIRONMENT })
    channel.pipe(child.stdin)
    child.stdin.on('error', () => {}) // as above
    child.stdout.pipe(channel, { end: false })
    child.on('close', end)
  }

  let serial = 0
  async function fetch(): Promise<string> {
    const remote: GitRemote = {
      url: `ssh://git@127.0.0.1:${portOf(sshd)}${encodeURI(git.dir)}`,
      credentials: { kind: 'ssh', privateKey: user.private },
      hostKeys: 'unchecked',
      caBundle: ca,
    }
    const into = join(dir, String(serial++))
    await backend.fetch(remote, head, into, { limits: DEFAULT_GIT_LIMITS }, new AbortController().signal)
    return readFile(join(into, 'a'), 'utf8')
  }

  test('come from where its server says, with what it says', async () => {
    expect(await fetch()).toBe(CONTENT)
    expect(commands.at(-1)).toBe(`git-lfs-authenticate '${git.dir.replace("'", "'\\''")}' download`)
    expect(seen).toEqual(['POST /store/objects/batch Token CANARY', 'GET /file undefined'])
  })

  test.each(['', 'nonsense', '{}', '{"href":"http://127.0.0.1:1/plain"}', '[]', 'null'])('are an error when it says %j', async (said) => {
    answer = said
    await expect(fetch()).rejects.toMatchObject({ name: 'GitError', kind: 'protocol' })
    expect(seen).toEqual([])
  })
})
