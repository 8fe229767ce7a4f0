import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createTestRepository, type TestRepository } from '../../../testing/git-repository.ts'
import { SSH_SERVER_PROBLEM, type SshServer, startSshServer } from '../../../testing/ssh-server.ts'
import { DEFAULT_GIT_LIMITS, type GitRemote } from '../types.ts'
import { type CommandBackend, createCommandBackend } from './command-backend.ts'
import { findGitCommand } from './find-git.ts'

const found = await findGitCommand(process.env.PATH ?? '')
const problem = 'problem' in found ? found.problem : (SSH_SERVER_PROBLEM ?? (found.ssh ? undefined : 'there is no ssh on the PATH'))
if (problem) process.stdout.write(`the git command over ssh skipped: ${problem}\n`)

describe.skipIf(problem !== undefined)('the git command over ssh', () => {
  let server: SshServer
  let certified: SshServer
  let git: TestRepository
  let dir: string
  let backend: CommandBackend
  let serial = 0

  beforeAll(async () => {
    if ('problem' in found) throw new Error(found.problem)
    dir = await mkdtemp(join(tmpdir(), 'git "ssh" %h-')) // OpenSSH has signs of its own for some of these
    ;[server, certified] = await Promise.all([startSshServer(), startSshServer({ certifiedFor: ['127.0.0.1'], acceptsProtocol: false })])
    git = await createTestRepository(join(dir, 'repo.git'), { branch: 'master', anyCommit: true })
    await git.commit({ a: '1' })
    backend = createCommandBackend({ command: found, tempDir: dir })
  })
  afterAll(async () => {
    await Promise.all([server?.stop(), certified?.stop(), backend?.close()])
    await rm(dir, { recursive: true, force: true })
  })

  const never = new AbortController().signal
  const urlOf = (path: string, at = server): string => at.url(path.split('/').map(encodeURIComponent).join('/'))
  const remote = (more: Partial<GitRemote> = {}): GitRemote => ({
    url: urlOf(git.dir),
    credentials: { kind: 'ssh', privateKey: server.keys.ed25519 },
    hostKeys: { known: [{ name: 'the secret', text: server.knownHosts }] },
    ...more,
  })
  const known = (...texts: string[]): Partial<GitRemote> => ({
    hostKeys: { known: texts.map((text, at) => ({ name: `text ${at}`, text })) },
  })
  const resolve = (more: Partial<GitRemote> = {}): Promise<string> => backend.resolve(remote(more), { branch: 'master' }, never)
  async function fetch(from: GitRemote, commit: string): Promise<string> {
    const into = join(dir, String(serial++))
    await backend.fetch(from, commit, into, { limits: DEFAULT_GIT_LIMITS }, never)
    return into
  }
  const line = (): string => server.knownHosts.trim()

  test.each(['ed25519', 'rsa', 'ecdsa'] as const)('takes a key of type %s', async (type) => {
    expect(await resolve({ credentials: { kind: 'ssh', privateKey: server.keys[type].replaceAll('\n', '\r\n') } })).toBe(await git.head())
  })

  test('reads a path with odd letters, and leaves no key behind', async () => {
    expect(await readFile(join(await fetch(remote(), await git.head()), 'a'), 'utf8')).toBe('1')
    expect((await readdir(dir)).filter((name) => name.startsWith('.git-'))).toEqual([])
  })

  test('does not take another key of the host', async () => {
    const other = line().replace(/ \S+$/, ` ${certified.authority.split(' ')[1]}`)
    await expect(resolve(known(other))).rejects.toMatchObject({
      kind: 'host-key',
      message: expect.stringMatching(/mismatch of the host key/),
    })
    await expect(resolve(known(other, server.knownHosts))).rejects.toMatchObject({ kind: 'host-key' })
    expect(await resolve(known('other.example ssh-ed25519 AAAA', server.knownHosts, other))).toBe(await git.head())
  })

  test('does not take a key of a host that nobody knows, or that is revoked anywhere', async () => {
    const unknown = {
      kind: 'host-key',
      message: expect.stringMatching(/unknown host key of \[127\.0\.0\.1\]:\d+: it is not in the known_hosts of/),
    }
    await expect(resolve(known('', '# nothing'))).rejects.toMatchObject(unknown)
    await expect(resolve({ hostKeys: undefined })).rejects.toMatchObject(unknown)
    await expect(resolve(known(`@revoked ${line()}`, server.knownHosts))).rejects.toMatchObject({ kind: 'host-key' })
    await expect(resolve(known('@revoked * ssh-ed25519 broken', server.knownHosts))).rejects.toMatchObject({
      kind: 'host-key',
      message: expect.stringMatching(/line 1 of text 0 revokes a key but cannot be read/),
    })
    expect(await resolve({ hostKeys: 'unchecked' })).toBe(await git.head())
  })

  test('takes a certificate of an authority', async () => {
    const text = `@cert-authority [127.0.0.1]:${certified.port} ${certified.authority}\n`
    const credentials = { kind: 'ssh', privateKey: certified.keys.ed25519 } as const
    expect(await resolve({ url: urlOf(git.dir, certified), credentials, ...known(text) })).toBe(await git.head())
  })

  test('tells of keys that the server does not take, or that are none', async () => {
    await expect(resolve({ credentials: { kind: 'ssh', privateKey: server.strangerKey } })).rejects.toMatchObject({
      kind: 'authentication',
      message: expect.stringMatching(/does not take this SSH key/),
    })
    await expect(resolve({ credentials: { kind: 'ssh', privateKey: 'CANARY' } })).rejects.toMatchObject({
      kind: 'authentication',
      message: expect.stringMatching(/^(?!.*CANARY).*cannot be read/),
    })
  })

  test('tells of repositories and servers that are not there', async () => {
    await expect(resolve({ url: urlOf('/nonexistent.git') })).rejects.toMatchObject({ kind: 'not-found' })
    const url = 'ssh://git@127.0.0.1:1/x'
    const hostKeys = { known: [{ name: 'x', text: line().replace(/:\d+\]?/, ':1') }] }
    await expect(resolve({ url, hostKeys })).rejects.toMatchObject({
      kind: 'unreachable',
      message: expect.stringMatching(/cannot be reached/),
    })
  })

  test('reads everything where the first version of the protocol gives files only with their commit', async () => {
    const strict = await createTestRepository(join(dir, 'strict.git'), { branch: 'master', anyCommit: false })
    const head = await strict.commit({ 'x/a': '1', 'y/b': '2' })
    await strict.git(['config', 'uploadpack.allowFilter', 'true'])
    const credentials = { kind: 'ssh', privateKey: certified.keys.ed25519 } as const
    const from = remote({ url: urlOf(strict.dir, certified), credentials, hostKeys: 'unchecked' })
    const into = join(dir, String(serial++))
    await backend.fetch(from, head, into, { limits: DEFAULT_GIT_LIMITS, paths: ['x'] }, never)
    expect((await readdir(into, { recursive: true })).sort()).toEqual(['x', 'x/a'])
  })

  test('reads submodules on the same server with the same key', async () => {
    const outer = await createTestRepository(join(dir, 'outer.git'), { branch: 'master', anyCommit: true })
    const head = await outer.commit({
      '.gitmodules': '[submodule "x"]\n\tpath = x\n\turl = ../repo.git\n',
      x: { mode: '160000', content: await git.head() },
    })
    expect(await readFile(join(await fetch(remote({ url: urlOf(outer.dir) }), head), 'x/a'), 'utf8')).toBe('1')
  })
})
