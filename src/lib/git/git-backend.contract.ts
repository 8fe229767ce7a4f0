// What every backend must do. A backend's own test file calls this with a way to make one.
import { readFile, readlink, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type ContractFixture, type CreateBackend, type OtherWay, useContractFixture } from './backend-fixture.contract.ts'
import { describeAccess, describeFaults, describeLimits } from './git-access.contract.ts'
import { DEFAULT_GIT_LIMITS } from './types.ts'

/** For a test: many of them start one git after the other, on a machine that others use too. */
const PATIENCE = { timeout: 120_000 }

/** Runs the contract over http(s). `create` is called once. */
export function describeGitBackend(name: string, create: CreateBackend): void {
  describe(`git backend ${name}`, PATIENCE, () => {
    const fx = useContractFixture(create)
    describeFiles(fx)
    describeLimits(fx)
    describeFaults(fx)
    describeAccess(fx)
  })
}

/** Runs what of the contract does not depend on http over another way, such as ssh. */
export function describeGitBackendOver(name: string, create: CreateBackend, way: OtherWay): void {
  describe(`git backend ${name}`, PATIENCE, () => {
    const fx = useContractFixture(create, way)
    describeFiles(fx)
    describeLimits(fx)
  })
}

function describeFiles(fx: ContractFixture): void {
  describe('resolves', () => {
    test('a branch to its tip, and follows it', async () => {
      const git = await fx.repository()
      await git.commit({ a: 'b' }, { branch: 'master-2', from: 'master' })
      expect(await fx.resolve(git, { branch: 'master' })).toBe(await git.head('master'))
      const next = await git.commit({ a: 'c' })
      expect(await fx.resolve(git, { branch: 'master' })).toBe(next)
    })

    test('a branch with slashes and unusual letters', async () => {
      const git = await fx.repository()
      const head = await git.commit({ a: 'b' }, { branch: 'team/ünïcode-1.x', from: 'master' })
      expect(await fx.resolve(git, { branch: 'team/ünïcode-1.x' })).toBe(head)
    })

    test('a tag to its commit, annotated or not, and follows it when it moves', async () => {
      const git = await fx.repository()
      const first = await git.head()
      await git.tag('light', first)
      await git.tag('full', first, { annotated: true })
      expect(await fx.resolve(git, { tag: 'light' })).toBe(first)
      expect(await fx.resolve(git, { tag: 'full' })).toBe(first)
      const next = await git.commit({ a: 'c' })
      await git.tag('full', next, { annotated: true })
      expect(await fx.resolve(git, { tag: 'full' })).toBe(next)
    })

    test('a revision as commit id, tag or branch, in this order', async () => {
      const git = await fx.repository()
      const first = await git.head()
      const second = await git.commit({ a: 'c' }, { branch: 'both', from: 'master' })
      await git.tag('both', first)
      expect(await fx.resolve(git, { revision: 'both' })).toBe(first)
      expect(await fx.resolve(git, { revision: 'master' })).toBe(first)
      expect(await fx.resolve(git, { revision: second })).toBe(second)
    })

    test('a commit id to itself, without asking anybody', async () => {
      const remote = { url: 'https://127.0.0.1:1/none' }
      for (const commit of ['a'.repeat(40), 'B'.repeat(64)]) expect(await fx.resolve(remote, { commit })).toBe(commit)
    })

    test.each([
      [{ branch: 'soon' }, /commit not found for branch: soon/],
      [{ tag: 'v404' }, /commit not found for revision: v404: .* has no tag of that name/],
      [{ tag: 'master' }, /commit not found for revision: master/],
      [{ revision: 'v404' }, /commit not found for revision: v404/],
      [{ branch: 'mast' }, /commit not found for branch: mast/],
      [{ branch: 'a..b' }, /invalid branch name/],
      [{ commit: 'abc' }, /"abc" is not a commit id/],
    ] as const)('%j to an error', async (ref, message) => {
      const git = await fx.repository()
      await expect(fx.resolve(git, ref)).rejects.toEqual(fx.failsWith('unknown-ref', message))
    })

    test('nothing in an empty repository', async () => {
      const git = await fx.repository()
      await git.deleteBranch('master')
      await expect(fx.resolve(git, { branch: 'master' })).rejects.toEqual(
        fx.failsWith('unknown-ref', /commit not found for branch: master/),
      )
    })
  })

  describe('fetches', () => {
    test('the files of a commit with their modes, without history', async () => {
      const git = await fx.repository({
        'a.yaml': 'one',
        'deep/er/b.bin': Buffer.from([0, 255, 128]),
        'run.sh': { mode: '100755', content: '#!' },
        'ü/空.txt': 'x',
      })
      const first = await git.head()
      await git.commit({ 'a.yaml': 'two' })
      const root = await fx.fetch(git, first)
      expect(await fx.list(root)).toEqual(['a.yaml', 'deep', 'deep/er', 'deep/er/b.bin', 'run.sh', 'ü', 'ü/空.txt'].sort())
      expect(await fx.read(root, 'a.yaml')).toBe('one')
      expect(await readFile(join(root, 'deep/er/b.bin'))).toEqual(Buffer.from([0, 255, 128]))
      expect((await stat(join(root, 'run.sh'))).mode & 0o111).toBe(0o111)
      expect((await stat(join(root, 'a.yaml'))).mode & 0o111).toBe(0)
    })

    test('a commit given in upper case, and one that only a tag names', async () => {
      const git = await fx.repository({ a: '1' })
      const side = await git.commit({ a: '2' }, { branch: 'side', from: 'master' })
      await git.tag('v1', side, { annotated: true })
      await git.deleteBranch('side')
      expect(await fx.read(await fx.fetch(git, side.toUpperCase()), 'a')).toBe('2')
    })

    test('a commit of a repository whose HEAD names no branch', async () => {
      const git = await fx.repository({ a: '1' })
      const head = await git.commit({ a: '2' }, { branch: 'main', from: 'master' })
      await git.deleteBranch('master')
      expect(await fx.resolve(git, { branch: 'main' })).toBe(head)
      expect(await fx.read(await fx.fetch(git, head), 'a')).toBe('2')
    })

    test('a commit without files', async () => {
      const git = await fx.repository({ a: '1' })
      expect(await fx.list(await fx.fetch(git, await git.commit({ a: null })))).toEqual([])
    })

    test('an older commit from a server that gives only what refs name', async () => {
      const git = await fx.repository({ a: '1' }, { anyCommit: false })
      const first = await git.head()
      await git.commit({ a: '2' })
      expect(await fx.read(await fx.fetch(git, first), 'a')).toBe('1')
    })

    test('a commit of many files that are alike', async () => {
      const text = Array.from({ length: 2_000 }, (_, line) => `line ${line}: ${Math.sin(line)}\n`)
      const files = Object.fromEntries(Array.from({ length: 150 }, (_, n) => [`f/${n}.txt`, text.with(n, `changed ${n}\n`).join('')]))
      const git = await fx.repository(files)
      await git.git(['gc', '-q', '--aggressive'])
      const root = await fx.fetch(git, await git.head())
      for (const [path, content] of Object.entries(files)) expect(await fx.read(root, path)).toBe(content)
    })

    test('only the paths that are asked for', async () => {
      const git = await fx.repository({ 'one/a': '', 'one/deep/b': '', 'two/c': '', 'apps/x/d': '', 'apps/y/e': '', top: '', onetwo: '' })
      const head = await git.head()
      const files = async (...paths: string[]): Promise<string[]> =>
        (await fx.list(await fx.fetch(git, head, { paths }))).filter((path) => /(^|\/)[a-e]$|^(top|onetwo)$/.test(path))
      expect(await files('one')).toEqual(['one/a', 'one/deep/b'])
      expect(await files('/one/deep/', './two', 'missing')).toEqual(['one/deep/b', 'two/c'])
      expect(await files('apps/*', 'top')).toEqual(['apps/x/d', 'apps/y/e', 'top'])
      expect(await files('.')).toHaveLength(7)
    })

    test('links that stay inside as they are, others as links to nowhere', async () => {
      const link = (content: string) => ({ mode: '120000', content }) as const
      const git = await fx.repository({
        'dir/file': 'x',
        'dir/good': link('file'),
        'dir/up': link('../dir/file'),
        dangling: link('not/there'),
        'dir/out': link('../../etc/passwd'),
        absolute: link('/etc/passwd'),
        'to-dir': link('dir'),
        chain: link('to-dir/sub/../../..'),
        loop: link('loop'),
      })
      const root = await fx.fetch(git, await git.head())
      const target = (path: string): Promise<string> => readlink(join(root, path))
      expect(await Promise.all(['dir/good', 'dir/up', 'dangling', 'to-dir'].map(target))).toEqual([
        'file',
        '../dir/file',
        'not/there',
        'dir',
      ])
      for (const path of ['dir/out', 'absolute', 'chain', 'loop']) expect(await target(path)).toBe('link-led-out-of-the-repository')
    })

    test('and tells the ids that git has for their contents', async () => {
      const git = await fx.repository({ 'a/same': '1', 'a/changed': '1', link: { mode: '120000', content: 'a/changed' } })
      const [first, second] = [await git.head(), await git.commit({ 'a/changed': '2', 'b/copy': '1' })]
      const [before, after] = [await fx.describe(git, first), await fx.describe(git, second)]
      expect(after.content('a/same', '.')).toBe(await git.git(['rev-parse', `${first}:a/same`]))
      expect(after.content('b/copy', '.')).toBe(before.content('a/same', '.'))
      expect(after.content('link', '.')).toBe(await git.git(['rev-parse', `${second}:a/changed`]))
      expect(after.content('link', '.')).not.toBe(before.content('link', '.'))
    })

    test('nothing for submodules', async () => {
      const git = await fx.repository({ a: '', sub: { mode: '160000', content: 'c'.repeat(40) } })
      expect(await fx.list(await fx.fetch(git, await git.head()))).toEqual(['a'])
    })

    test('no commit that the repository lacks', async () => {
      const git = await fx.repository({ a: '' })
      await fx.leavesNothing(() => expect(fx.fetch(git, 'f'.repeat(40))).rejects.toEqual(fx.failsWith('unknown-ref', /has no commit ffff/)))
      await expect(fx.fetch(git, 'f'.repeat(64))).rejects.toEqual(fx.failsWith('protocol', /SHA-256/))
      await expect(fx.fetch(git, 'master')).rejects.toEqual(fx.failsWith('unknown-ref', /not a commit id/))
    })

    test('nothing into a folder that exists', async () => {
      const git = await fx.repository({ a: '' })
      const into = await fx.fetch(git, await git.head())
      await expect(fx.backend().fetch(git, await git.head(), into, { limits: DEFAULT_GIT_LIMITS }, fx.never())).rejects.toThrow(/exist/i)
      expect(await fx.list(into)).toEqual(['a'])
    })

    test.each(['..', '.git', '.GIT', '.'])('no tree with the name %s', async (name) => {
      const git = await fx.repository({ a: '' })
      const blob = await git.git(['hash-object', '-w', '--stdin'], 'bad')
      const sub = await git.git(['mktree'], `100644 blob ${blob}\tx\n`)
      const raw = Buffer.concat([Buffer.from(`40000 ${name}\0`), Buffer.from(sub, 'hex')])
      const tree = await git.git(['hash-object', '-w', '-t', 'tree', '--stdin', '--literally'], raw)
      const commit = await git.git(['commit-tree', tree, '-m', 'bad'])
      await git.branch('bad', commit)
      await fx.leavesNothing(() => expect(fx.fetch(git, commit)).rejects.toMatchObject({ name: 'GitError' }))
    })
  })
}
