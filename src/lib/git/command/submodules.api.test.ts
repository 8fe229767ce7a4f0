import { access, mkdtemp, readFile, readlink, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { FileMap } from '../../../testing/git-repository.ts'
import { type GitServer, type ServedRepository, startGitServer } from '../../../testing/git-server.ts'
import { describedFetch } from '../checkout.testing.ts'
import { DEFAULT_GIT_LIMITS, type FetchOptions, type GitRemote } from '../types.ts'
import { type CommandBackend, createCommandBackend } from './command-backend.ts'
import { findGitCommand } from './find-git.ts'
import { resolveSubmoduleUrl, submoduleRemote, submodulesOf } from './submodules.ts'

describe('settings of submodules', () => {
  test('are put together by name, and incomplete ones are left out', () => {
    expect(
      submodulesOf([
        ['submodule.a.b.path', 'x'],
        ['submodule.c.path', 'y'],
        ['submodule.a.b.url', '../x'],
        ['submodule.d.url', '../z'],
      ]),
    ).toEqual([{ path: 'x', url: '../x' }])
  })

  test.each([
    ['https://h/a/b.git', '../c.git', 'https://h/a/c.git'],
    ['https://h/a/b.git/', './c', 'https://h/a/b.git/c'],
    ['https://h/a/b', '../../c', 'https://h/c'],
    ['https://h/a', '../../../../c', 'https://h/c'],
    ['https://h:8443/a/b', './../../x/../c', 'https://h:8443/x/../c'],
    ['git@h:a/b.git', '../c.git', 'git@h:a/c.git'],
    ['git@h:b.git', '../c.git', 'git@h:c.git'],
    ['ssh://git@h:22/a/b', '../c', 'ssh://git@h:22/a/c'],
    ['https://h/a/b', 'https://other/x', 'https://other/x'],
    ['https://h/a/b', 'file:///etc', 'file:///etc'],
  ])('%s and %s make %s', (parent, url, expected) => {
    expect(resolveSubmoduleUrl(parent, url)).toBe(expected)
  })

  test('take credentials along to their own origin only', () => {
    const credentials = { kind: 'basic', username: 'u', password: 'CANARY' } as const
    const parent: GitRemote = { url: 'https://h/a', credentials, insecureSkipTLSVerify: true, caBundle: 'PEM' }
    expect(submoduleRemote(parent, 'https://h/b')).toMatchObject({ credentials, insecureSkipTLSVerify: true })
    for (const url of ['https://h:444/b', 'http://h/b', 'https://h.evil/b', 'git@h:b', 'https://u@evil/h'])
      expect(JSON.stringify(submoduleRemote(parent, url))).not.toMatch(/CANARY|insecure/)
    const inside = submoduleRemote({ url: 'https://me:secret@h/a' }, 'https://h/b')
    expect(inside.credentials).toEqual({ kind: 'basic', username: 'me', password: 'secret' })
    const key: GitRemote = { url: 'git@h:a', credentials: { kind: 'ssh', privateKey: 'CANARY' }, hostKeys: 'unchecked' }
    expect(submoduleRemote(key, 'ssh://git@h/b')).toMatchObject({ credentials: key.credentials, hostKeys: 'unchecked' })
    for (const url of ['ssh://git@h:2222/b', 'other@h:b', 'git@evil:b', 'https://h/b'])
      expect(JSON.stringify(submoduleRemote(key, url))).not.toMatch(/CANARY|unchecked/)
  })
})

const found = await findGitCommand(process.env.PATH ?? '')
const problem = 'problem' in found ? found.problem : undefined

describe.skipIf(problem !== undefined)('submodules', () => {
  const auth = { username: 'me', password: 'CANARY' }
  let server: GitServer
  let guarded: GitServer
  let backend: CommandBackend
  let dir: string
  let serial = 0

  beforeAll(async () => {
    if ('problem' in found) throw new Error(found.problem)
    ;[server, guarded, dir] = await Promise.all([startGitServer(), startGitServer({ auth }), mkdtemp(join(tmpdir(), 'git-submodules-'))])
    backend = createCommandBackend({ command: found, tempDir: dir })
  })
  afterAll(async () => {
    await Promise.all([server.stop(), guarded.stop(), backend.close()])
    await rm(dir, { recursive: true, force: true })
  })

  async function fetch(remote: GitRemote, commit: string, options: Partial<FetchOptions> = {}): Promise<string> {
    const into = join(dir, `tree-${serial++}`)
    const { onWritten, check } = describedFetch()
    await backend.fetch(remote, commit, into, { limits: DEFAULT_GIT_LIMITS, onWritten, ...options }, new AbortController().signal)
    await check(into)
    return into
  }
  const name = (): string => `repo-${serial++}`
  const read = (...parts: string[]): Promise<string> => readFile(join(...parts), 'utf8')

  /** A repository with others inside: path → repository, or what stands in .gitmodules and the commit. */
  async function withInside(at: GitServer, inside: Record<string, ServedRepository | [url: string, commit: string]>, files: FileMap = {}) {
    const entries = await Promise.all(
      Object.entries(inside).map(async ([path, one]) => [path, Array.isArray(one) ? one : ([one.url, await one.head()] as const)] as const),
    )
    const modules = entries.map(([path, [url]]) => `[submodule "${path}"]\n\tpath = ${path}\n\turl = ${url}\n`)
    const links = Object.fromEntries(entries.map(([path, [, content]]) => [path, { mode: '160000', content } as const]))
    return at.repository(name(), { ...files, '.gitmodules': modules.join(''), ...links })
  }

  test('come with those inside them, by relative addresses too, but without those nobody names', async () => {
    const inner = await server.repository('inner', { c: '3', stray: { mode: '160000', content: 'd'.repeat(40) } })
    const middle = await withInside(server, { in: ['../inner.git', await inner.head()] }, { b: '2' })
    const outer = await withInside(server, { 'lib/mid dle': middle, again: inner }, { a: '1' })
    const root = await fetch(outer, await outer.head())
    expect(await read(root, 'a')).toBe('1')
    expect(await read(root, 'lib/mid dle/b')).toBe('2')
    expect(await read(root, 'lib/mid dle/in/c')).toBe('3')
    expect(await read(root, 'again/c')).toBe('3')
  })

  test('get credentials on their own server only', async () => {
    const closed = await guarded.repository(name(), { b: '2' })
    const open = await server.repository(name(), { c: '3' })
    const outer = await withInside(guarded, { closed, open })
    const root = await fetch({ url: outer.url, credentials: { kind: 'basic', ...auth } }, await outer.head())
    expect([await read(root, 'closed/b'), await read(root, 'open/c')]).toEqual(['2', '3'])
    expect(open.requests().length).toBeGreaterThan(0)
    expect(open.requests().filter(({ authorization }) => authorization !== undefined)).toEqual([])
  })

  test('that cannot be read fail the fetch and are named, without credentials', async () => {
    const closed = await guarded.repository(name(), { b: '2' })
    const outer = await withInside(server, { x: [closed.url.replace('//', '//me:wrong-CANARY@'), await closed.head()] })
    await expect(fetch(outer, await outer.head())).rejects.toMatchObject({
      kind: 'authentication',
      message: expect.stringMatching(/^submodule x of http(?!.*CANARY).*authentication required/),
    })
    const canary = join(dir, 'canary')
    const bad = [
      'file:///etc',
      `ext::sh -c touch% ${canary}`,
      `--upload-pack=touch ${canary}`,
      '/etc',
      '-x',
      `../x\n\tupdate = !touch ${canary}`,
    ]
    for (const url of bad)
      await expect(
        withInside(server, { x: [url, 'a'.repeat(40)] }).then(async (git) => fetch(git, await git.head())),
      ).rejects.toMatchObject({
        name: 'GitError',
      })
    await expect(access(canary)).rejects.toThrow(/ENOENT/)
  })

  test('that contain themselves end at a depth', async () => {
    const git = await server.repository('loop', { a: '1' })
    let head = await git.head()
    for (let depth = 0; depth < 7; depth++)
      head = await git.commit({
        '.gitmodules': '[submodule "x"]\n\tpath = x\n\turl = ../loop.git\n',
        x: { mode: '160000', content: head },
      })
    await expect(fetch(git, head)).rejects.toMatchObject({ kind: 'too-large', message: expect.stringMatching(/more than 5 levels deep/) })
  })

  test('count for the limits', async () => {
    const inner = await server.repository(name(), { a: '1', b: '2', c: '3' })
    const outer = await withInside(server, { one: inner, two: inner })
    const limits = { ...DEFAULT_GIT_LIMITS, files: 7 }
    await expect(fetch(outer, await outer.head(), { limits })).rejects.toMatchObject({ kind: 'too-large' })
  })

  test('give no link a way out', async () => {
    const link = (content: string) => ({ mode: '120000', content }) as const
    const inner = await server.repository(name(), { self: link('.'), up: link('../a'), good: link('deep/f'), 'deep/f': 'x' })
    const outer = await withInside(server, { sub: inner }, { a: '1', out: link('sub/self/../../etc'), fine: link('sub/good') })
    const root = await fetch(outer, await outer.head())
    const targets = await Promise.all(['out', 'fine', 'sub/good', 'sub/up'].map((path) => readlink(join(root, path))))
    expect(targets).toEqual(['link-led-out-of-the-repository', 'sub/good', 'deep/f', '../a'])
  })

  test('outside the paths that are read are not asked for', async () => {
    const [one, two] = await Promise.all([server.repository(name(), { 'x/a': '1', 'y/b': '2' }), server.repository(name(), { c: '3' })])
    const outer = await withInside(server, { 'lib/one': one, 'lib/two': two }, { top: '' })
    const root = await fetch(outer, await outer.head(), { paths: ['lib/one/x'] })
    expect(await read(root, 'lib/one/x/a')).toBe('1')
    for (const path of ['top', '.gitmodules', 'lib/one/y/b', 'lib/two/c']) await expect(read(root, path)).rejects.toThrow(/ENOENT/)
    expect(two.requests()).toEqual([])
  })
})
