import { once } from 'node:events'
import { access, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type GitServer, startGitServer } from '../../testing/git-server.ts'
import { describedFetch } from './checkout.testing.ts'
import { chooseBackend } from './choose-backend.ts'
import { createDispatchers } from './dispatchers.ts'
import { GitError } from './errors.ts'
import { createIsomorphicBackend } from './isomorphic.ts'
import { DEFAULT_GIT_LIMITS, type GitBackend } from './types.ts'

const PATH = process.env.PATH ?? ''
const never = new AbortController().signal
const limits = DEFAULT_GIT_LIMITS

describe('choosing a backend', { timeout: 60_000 }, () => {
  let server: GitServer
  let dir: string
  let serial = 0
  const dispatchers = createDispatchers()
  let calls: string[]
  let warnings: string[]
  const opened: { close(): Promise<void> }[] = []

  beforeAll(async () => {
    ;[server, dir] = await Promise.all([startGitServer(), mkdtemp(join(tmpdir(), 'git-choice-'))])
  })
  afterAll(async () => {
    await Promise.all([server.stop(), dispatchers.close(), ...opened.map((one) => one.close())])
    await rm(dir, { recursive: true, force: true })
  })
  beforeEach(() => {
    calls = []
    warnings = []
  })

  function choose(searchPath: string, fault?: GitError): GitBackend {
    const plain = createIsomorphicBackend(dispatchers)
    const backend: GitBackend & { close(): Promise<void> } = {
      resolve: (...args) => {
        calls.push('resolve')
        return plain.resolve(...args)
      },
      fetch: async (...args) => {
        calls.push('fetch')
        if (fault) throw fault
        return plain.fetch(...args)
      },
      close: async () => {},
    }
    const chosen = chooseBackend({ backend, searchPath, tempDir: dir, warn: (repo, message) => warnings.push(`${repo}: ${message}`) })
    opened.push(chosen)
    return chosen
  }

  const place = (): string => join(dir, String(serial++))
  async function fetch(backend: GitBackend, url: string, commit: string, paths?: string[]): Promise<string> {
    const into = place()
    const { onWritten, check } = describedFetch()
    await backend.fetch({ url }, commit, into, { limits, paths, onWritten }, never)
    await check(into)
    return into
  }
  const pair = async (name: string) => {
    const inner = await server.repository(`${name}-inner`, { b: '2' })
    const outer = await server.repository(name, {
      'deep/a': '1',
      '.gitmodules': `[submodule "x"]\n\tpath = lib/inner\n\turl = ../${name}-inner.git\n`,
      'lib/inner': { mode: '160000', content: await inner.head() },
    })
    return { outer, head: await outer.head() }
  }

  test('takes the default for everything plain, and for refs', async () => {
    const git = await server.repository('plain', { a: '1', '.gitattributes': '*.png binary' })
    const backend = choose(PATH)
    expect(await backend.resolve({ url: git.url }, { branch: 'master' }, never)).toBe(await git.head())
    expect(await readdir(await fetch(backend, git.url, await git.head()))).toEqual(['.gitattributes', 'a'])
    expect(calls).toEqual(['resolve', 'fetch'])
    expect(warnings).toEqual([])
  })

  test('takes the command for submodules, and from then on at once', async () => {
    const { outer, head } = await pair('modules')
    const backend = choose(PATH)
    expect(await readFile(join(await fetch(backend, outer.url, head), 'lib/inner/b'), 'utf8')).toBe('2')
    expect(await readFile(join(await fetch(backend, outer.url, head), 'lib/inner/b'), 'utf8')).toBe('2')
    expect(await backend.resolve(outer, { branch: 'master' }, never)).toBe(head)
    expect(calls).toEqual(['fetch', 'resolve'])
  })

  test('but not when they lie outside the paths that are read', async () => {
    const { outer, head } = await pair('outside')
    const root = await fetch(choose(PATH), outer.url, head, ['deep'])
    expect((await readdir(root, { recursive: true })).sort()).toEqual(['deep', 'deep/a'])
    const inside = await fetch(choose(PATH), outer.url, head, ['lib'])
    expect((await readdir(inside, { recursive: true })).sort()).toEqual(['lib', 'lib/inner', 'lib/inner/b'])
  })

  test('leaves submodules out and says so once when there is no git', async () => {
    const { outer, head } = await pair('missing')
    const backend = choose('/nonexistent')
    const url = outer.url.replace('//', '//me:CANARY@')
    for (let turn = 0; turn < 2; turn++) expect(await readdir(await fetch(backend, url, head))).toEqual(['.gitmodules', 'deep', 'lib'])
    expect(warnings).toEqual([
      `${outer.url}: submodules of ${outer.url} are left out: they need git 2.39 or newer, but there is no git on the PATH; install it beside this program`,
    ])
  })

  test('takes pointers to large files for what they are only where attributes say so', async () => {
    const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${'a'.repeat(64)}\nsize 3\n`
    const told = await server.repository('pointer', { '.gitattributes': '*.bin filter=lfs diff=lfs', 'deep/x.bin': pointer })
    const untold = await server.repository('no-pointer', { 'x.bin': pointer })
    const backend = choose('/nonexistent')
    for (const git of [told, untold]) await fetch(backend, git.url, await git.head())
    const root = await fetch(choose('/nonexistent'), told.url, await told.head(), ['deep'])
    expect((await readdir(root, { recursive: true })).sort()).toEqual(['deep', 'deep/x.bin'])
    expect(warnings).toEqual([0, 0].map(() => expect.stringMatching(/pointer\.git: large files \(git LFS\) .* are left out/)))
  })

  test('takes the command for what is too large, and tells the error when there is none', async () => {
    const git = await server.repository('large', { a: '1' })
    const fault = new GitError('too-large', 'too large for memory')
    const backend = choose(PATH, fault)
    expect(await readdir(await fetch(backend, git.url, await git.head()))).toEqual(['a'])
    await expect(fetch(choose('/nonexistent', fault), git.url, await git.head())).rejects.toBe(fault)
    const other = new GitError('timeout', 'too slow')
    await expect(fetch(choose(PATH, other), git.url, await git.head())).rejects.toBe(other)
  })

  test('has a place for a repository while another server does not answer the command', async () => {
    const git = await server.repository('elsewhere', { a: '1' })
    const silent = createServer().listen(0, 'localhost')
    await once(silent, 'listening')
    const stop = new AbortController()
    const backend = choose(PATH, new GitError('too-large', 'too large for memory'))
    const url = `http://localhost:${(silent.address() as AddressInfo).port}/x`
    const stuck = Promise.allSettled([0, 0, 0, 0].map(() => backend.fetch({ url }, 'a'.repeat(40), place(), { limits }, stop.signal)))
    await once(silent, 'connection')
    expect(await readdir(await fetch(backend, git.url, await git.head()))).toEqual(['a'])
    stop.abort(new Error('enough'))
    await stuck
    silent.close()
  })

  test('leaves nothing behind when the command fails', async () => {
    const inner = 'c'.repeat(40)
    const git = await server.repository('broken', {
      '.gitmodules': '[submodule "x"]\n\tpath = x\n\turl = ../nowhere.git\n',
      x: { mode: '160000', content: inner },
    })
    const into = place()
    await expect(choose(PATH).fetch({ url: git.url }, await git.head(), into, { limits }, never)).rejects.toMatchObject({
      kind: 'not-found',
      message: expect.stringMatching(/^submodule x of .*broken\.git: repository not found: .*nowhere\.git/),
    })
    await expect(access(into)).rejects.toThrow(/ENOENT/)
  })
})
