// Pushes to a real git server, through the worker thread.
import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type GitServer, type ServedRepository, startGitServer } from '../../../testing/git-server.ts'
import { SSH_SERVER_PROBLEM, startSshServer } from '../../../testing/ssh-server.ts'
import { DEFAULT_GIT_LIMITS } from '../types.ts'
import { createGitWorkerBackend, type GitWorkerBackend } from '../worker-backend.ts'
import type { GitChange } from './types.ts'

const WRITER = { username: 'writer', password: 'write-canary-2718' }
const never = new AbortController().signal
let open: GitServer
let guarded: GitServer
let backend: GitWorkerBackend
let serial = 0

beforeAll(async () => {
  ;[open, guarded] = await Promise.all([startGitServer(), startGitServer({ auth: WRITER })])
  backend = createGitWorkerBackend()
})
afterAll(async () => {
  await backend.close()
  await Promise.all([open.stop(), guarded.stop()])
})

const FILES = {
  'app/deploy.yaml': 'image: a:1\n',
  'app/deep/er/x.yaml': 'x: 1\n',
  'run.sh': { mode: '100755' as const, content: 'echo\n' },
  other: 'o\n',
}

async function repository(server = open, branch = 'master'): Promise<ServedRepository> {
  const made = await server.repository(`write-${serial++}`, FILES, { branch })
  await made.git(['config', 'http.receivepack', 'true'])
  return made
}

function change(base: string, overrides: Partial<GitChange> = {}): GitChange {
  const files = [{ path: 'app/deploy.yaml', text: 'image: a:2\n' }]
  return { branch: 'master', base, files, author: { name: 'Fleet Bot', email: 'bot@example.com' }, message: 'update', ...overrides }
}

const push = (repo: ServedRepository, what: GitChange, remote: object = {}, signal = never) =>
  backend.push({ url: repo.url, ...remote }, what, DEFAULT_GIT_LIMITS, signal)

async function hook(repo: ServedRepository, name: string, script: string): Promise<void> {
  await mkdir(join(repo.dir, 'hooks'), { recursive: true })
  await writeFile(join(repo.dir, 'hooks', name), `#!/bin/sh\n${script}\n`)
  await chmod(join(repo.dir, 'hooks', name), 0o755)
}

describe('pushing a change', () => {
  test('makes one commit with these files and nothing else', async () => {
    const repo = await repository()
    const base = await repo.head()
    const files = [
      { path: 'app/deploy.yaml', text: 'image: a:2\n' },
      { path: 'app/deep/er/x.yaml', text: 'x: ä\n' },
      { path: 'run.sh', text: 'echo 2\n' },
    ]
    const commit = await push(repo, change(base, { files, message: 'update images\n\nmore' }))
    expect(await repo.head()).toBe(commit)
    expect(await repo.git(['log', '-1', '--format=%an|%ae|%cn|%P|%B'])).toBe(
      `Fleet Bot|bot@example.com|Fleet Bot|${base}|update images\n\nmore`,
    )
    expect(await repo.git(['diff', '--summary', '--numstat', base, commit ?? ''])).toBe(
      '1\t1\tapp/deep/er/x.yaml\n1\t1\tapp/deploy.yaml\n1\t1\trun.sh',
    )
    expect(await repo.git(['show', 'master:app/deep/er/x.yaml'])).toBe('x: ä')
    expect(await repo.git(['ls-tree', 'master', 'run.sh'])).toMatch(/^100755/)
    await repo.git(['fsck', '--strict'])
  })

  test('works on long branch names and with history', async () => {
    const repo = await repository(open, 'feature/a/b')
    const base = await repo.commit({ more: 'm\n' }, { branch: 'feature/a/b' })
    await repo.commit({ unrelated: 'u\n' }, { branch: 'elsewhere' })
    const commit = await push(repo, change(base, { branch: 'feature/a/b' }))
    expect(await repo.git(['rev-list', '--count', 'feature/a/b'])).toBe('3')
    expect(await repo.head('feature/a/b')).toBe(commit)
  })

  test('that changes nothing pushes nothing', async () => {
    const repo = await repository()
    const base = await repo.head()
    expect(await push(repo, change(base, { files: [{ path: 'other', text: 'o\n' }] }))).toBe(base)
    expect(repo.requests().some(({ path }) => path.includes('receive-pack'))).toBe(false)
  })

  test('on a branch that has moved writes nothing', async () => {
    const repo = await repository()
    const base = await repo.head()
    const newer = await repo.commit({ other: 'new\n' })
    expect(await push(repo, change(base))).toBeUndefined()
    expect(await repo.head()).toBe(newer)
  })

  test('on a branch that moves in the last moment writes nothing', async () => {
    const repo = await repository()
    const base = await repo.head()
    await hook(
      repo,
      'pre-receive',
      'exec 3<&0; unset GIT_QUARANTINE_PATH; git update-ref refs/heads/master $(git commit-tree -p HEAD -m race HEAD^{tree})',
    )
    expect(await push(repo, change(base))).toBeUndefined()
    expect(await repo.git(['log', '-1', '--format=%s'])).toBe('race')
  })

  test('refused by a hook says so, without secrets', async () => {
    const repo = await repository()
    await hook(repo, 'pre-receive', 'echo "branch master is protected" >&2; exit 1')
    await expect(push(repo, change(await repo.head()))).rejects.toMatchObject({
      name: 'GitError',
      kind: 'other',
      message: expect.stringMatching(/refuses the push to branch master \(pre-receive hook declined, branch master is protected\)/),
    })
  })

  test('to a server that takes no pushes names the credentials', async () => {
    const repo = await repository()
    await repo.git(['config', 'http.receivepack', 'false'])
    await expect(push(repo, change(await repo.head()))).rejects.toMatchObject({
      kind: 'authentication',
      message: expect.stringMatching(/may not push/),
    })
  })

  test('uses credentials, and only those that are right', async () => {
    const repo = await repository(guarded)
    const base = await repo.head()
    const wrong = { credentials: { kind: 'basic', username: 'writer', password: 'wrong-canary' } }
    const failure = await push(repo, change(base), wrong).catch((error: unknown) => error)
    expect(failure).toMatchObject({ kind: 'authentication' })
    expect(String(failure)).not.toMatch(/canary/)
    const commit = await push(repo, change(base), { credentials: { kind: 'basic', ...WRITER } })
    expect(await repo.head()).toBe(commit)
  })

  test('with bad branches and missing files is refused', async () => {
    const repo = await repository()
    const base = await repo.head()
    await expect(push(repo, change(base, { branch: '../x' }))).rejects.toThrow(/invalid branch name/)
    await expect(push(repo, change(base, { files: [{ path: 'app/none.yaml', text: '' }] }))).rejects.toThrow(/no file "app\/none.yaml"/)
    await expect(push(repo, change(base, { files: [{ path: 'app', text: '' }] }))).rejects.toThrow(/no file "app"/)
  })

  test('names that could end a line are made harmless', async () => {
    const repo = await repository()
    await push(repo, change(await repo.head(), { author: { name: 'a <b>\nc', email: 'x>\ny' } }))
    expect(await repo.git(['log', '-1', '--format=%an|%ae'])).toBe('a b c|x y')
    await repo.git(['fsck'])
  })

  test.skipIf(SSH_SERVER_PROBLEM !== undefined)('over ssh needs a key that may push', async () => {
    const ssh = await startSshServer()
    const over = (privateKey: string) => ({
      credentials: { kind: 'ssh', privateKey },
      hostKeys: { known: [{ name: 'the test', text: ssh.knownHosts }] },
    })
    try {
      const repo = { ...(await repository()), url: '' }
      const base = await repo.head()
      const remote = { ...over(ssh.keys.ed25519), url: ssh.url(repo.dir) }
      const commit = await push(repo, change(base), remote)
      expect(await repo.head()).toBe(commit)
      expect(await push(repo, change(base), remote)).toBeUndefined()
      await hook(repo, 'pre-receive', 'echo "not this branch" >&2; exit 1')
      const next = change(commit ?? '', { files: [{ path: 'other', text: 'x' }] })
      await expect(push(repo, next, remote)).rejects.toThrow(
        /refuses the push to branch master \(pre-receive hook declined, not this branch\)/,
      )
      await expect(push(repo, next, { ...remote, ...over(ssh.strangerKey) })).rejects.toMatchObject({ kind: 'authentication' })
      await expect(push(repo, next, { ...remote, credentials: undefined })).rejects.toThrow(/SSH private key file is required/)
      await expect(push(repo, next, { ...remote, hostKeys: undefined })).rejects.toMatchObject({ kind: 'host-key' })
    } finally {
      await ssh.stop()
    }
  })

  test('ends when it is aborted', async () => {
    const repo = await repository()
    repo.fault({ hang: true })
    const abort = new AbortController()
    const pushing = push(repo, change(await repo.head()), {}, abort.signal)
    setTimeout(() => abort.abort(new Error('stop')), 100)
    await expect(pushing).rejects.toThrow('stop')
    repo.fault(undefined)
  })
})
