import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type GitServer, startGitServer } from '../../../testing/git-server.ts'
import { DEFAULT_GIT_LIMITS, type FetchOptions, type GitRemote } from '../types.ts'
import { createCommandBackend } from './command-backend.ts'
import { findGitCommand, type GitCommand } from './find-git.ts'

const found = await findGitCommand(process.env.PATH ?? '')
const problem = 'problem' in found ? found.problem : undefined
const auth = { username: 'me', password: 'CANARY' }

describe.skipIf(problem !== undefined)('the git command', () => {
  let server: GitServer
  let dir: string
  let traced: GitCommand
  let serial = 0

  beforeAll(async () => {
    ;[server, dir] = await Promise.all([startGitServer({ auth }), mkdtemp(join(tmpdir(), 'git-partial-'))])
    if ('problem' in found) throw new Error(found.problem)
    // A git that writes down how it was called.
    const script = join(dir, 'git')
    await writeFile(script, `#!/bin/sh\n{ echo "$@"; /usr/bin/env; echo; } >> '${dir}/trace'\nexec ${found.git} "$@"\n`)
    await chmod(script, 0o755)
    traced = { ...found, git: script }
  })
  afterAll(async () => {
    await server.stop()
    await rm(dir, { recursive: true, force: true })
  })

  async function fetch(command: GitCommand, remote: GitRemote, commit: string, options: Partial<FetchOptions> = {}): Promise<string> {
    const backend = createCommandBackend({ command, tempDir: dir })
    const into = join(dir, `tree-${serial++}`)
    try {
      await backend.fetch(remote, commit, into, { limits: DEFAULT_GIT_LIMITS, ...options }, new AbortController().signal)
      return into
    } finally {
      await backend.close()
    }
  }

  test('fetches only the files that are asked for when the server can do that', async () => {
    const noise = (seed: number): string =>
      Array.from({ length: 20_000 }, (_, n) =>
        Math.abs(Math.sin(n * seed))
          .toString(36)
          .slice(2),
      ).join('')
    const git = await server.repository('filter', { 'a/x': 'small', 'b/y': noise(1), 'c/z': noise(2) })
    await git.git(['config', 'uploadpack.allowFilter', 'true'])
    const remote = { url: git.url, credentials: { kind: 'basic', ...auth } as const }
    const limits = { ...DEFAULT_GIT_LIMITS, packBytes: 50_000 }
    const root = await fetch(traced, remote, await git.head(), { paths: ['a'], limits })
    expect((await readdir(root, { recursive: true })).sort()).toEqual(['a', 'a/x'])
    await expect(fetch(traced, remote, await git.head(), { paths: ['a', 'b'], limits })).rejects.toMatchObject({ kind: 'too-large' })
    await expect(fetch(traced, remote, await git.head(), { limits })).rejects.toMatchObject({ kind: 'too-large' })
  })

  test('never sees credentials, proxies or the address of the server, and no setting of the user', async () => {
    const git = await server.repository('secret', { a: '1' })
    const remote = { url: git.url, credentials: { kind: 'basic', ...auth } as const, proxy: { http: 'http://proxy-CANARY:1' } }
    await fetch(traced, remote, await git.head())
    const trace = await readFile(join(dir, 'trace'), 'utf8')
    expect(trace).toContain('GIT_TERMINAL_PROMPT=0')
    expect(trace).not.toMatch(new RegExp(`CANARY|${Buffer.from('me:CANARY').toString('base64')}|\\b${new URL(server.url).port}\\b`))
    expect(trace).not.toContain(`HOME=${process.env.HOME}\n`)
  })

  test('leaves no process and no folder behind when it is told to stop', async () => {
    const git = await server.repository('stop', { a: 'x'.repeat(100_000) })
    const head = await git.head()
    git.fault({ stallAfterBytes: 30, only: /git-upload-pack$/ })
    const stop = new AbortController()
    const backend = createCommandBackend({ command: traced, tempDir: dir })
    const parent = await mkdtemp(join(dir, 'parent-'))
    const remote = { url: git.url, credentials: { kind: 'basic', ...auth } as const }
    const fetched = backend.fetch(remote, head, join(parent, 'x'), { limits: DEFAULT_GIT_LIMITS }, stop.signal)
    setTimeout(() => stop.abort(new Error('told to')), 700)
    await expect(fetched).rejects.toThrow('told to')
    expect(await readdir(parent)).toEqual([])
    await backend.close()
    expect(await processesOf(parent)).toEqual([])
  })

  test('is not used when it is missing or too old', async () => {
    expect(await findGitCommand('/nonexistent')).toEqual({ problem: 'there is no git on the PATH' })
    const old = await mkdtemp(join(dir, 'old-'))
    await writeFile(join(old, 'git'), '#!/bin/sh\necho git version 2.30.2\n', { mode: 0o755 })
    expect(await findGitCommand(old)).toEqual({ problem: 'git 2.30.2 is older than 2.39' })
    await writeFile(join(old, 'git'), '#!/bin/sh\necho git version 3.1.windows.1\n')
    expect(await findGitCommand(old)).toMatchObject({ version: expect.stringMatching(/^3\.1/) })
    await writeFile(join(old, 'git'), '#!/bin/sh\nexit 1\n')
    expect(await findGitCommand(old)).toMatchObject({ problem: expect.stringMatching(/cannot be started/) })
  })
})

/** Command lines and environments that name a folder; empty where there is no /proc. */
async function processesOf(folder: string): Promise<string[]> {
  const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
  const texts = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '')))
  return texts.filter((text) => text.includes(folder))
}
