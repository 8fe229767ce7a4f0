import { describe, expect, test } from 'vitest'
import { TerminalError } from '../lib/controller/errors.ts'
import { cleanPath, openRepoTree } from './repo-tree.ts'
import { makeFolder } from './testing/folder.ts'

describe('cleanPath', () => {
  test.each([
    ['a/b', 'a/b'],
    ['./a//b/', 'a/b'],
    ['.', '.'],
    ['a/../b', 'b'],
    ['', '.'],
    ['..', undefined],
    ['a/../../b', undefined],
    ['/etc/passwd', 'etc/passwd'],
    ['a\0b', undefined],
    ['..a/b', '..a/b'],
  ])('%s is %s', (path, clean) => {
    expect(cleanPath(path)).toBe(clean)
  })
})

const TREE = {
  'a/file.txt': 'text',
  'a/in': { link: 'file.txt' },
  'a/up': { link: '../b/other.txt' },
  'a/out': { link: '../../secret' },
  'a/chain': { link: 'out' },
  'a/system': { link: '/etc/hostname' },
  'a/loop': { link: 'loop' },
  'a/broken': { link: 'nowhere' },
  'a/folder': { link: '../b' },
  'b/other.txt': 'other',
  door: { link: '..' },
  '../secret': 'canary',
} as const

describe('openRepoTree', () => {
  test('reads files, and links that stay inside', async () => {
    await using folder = await makeFolder(TREE)
    const tree = await openRepoTree(folder.root)
    for (const [path, text] of [
      ['a/file.txt', 'text'],
      ['a/in', 'text'],
      ['a/up', 'other'],
      ['a/folder/other.txt', 'other'],
    ] as const) {
      expect((await tree.read(path, 100)).toString()).toBe(text)
    }
  })

  test.each([
    'a/out',
    'a/chain',
    'a/system',
    'a/loop',
    'a/broken',
    'door/secret',
    '../secret',
    'a/../../secret',
    'nothing',
    'a',
    'a/folder',
  ])('refuses %s', async (path) => {
    await using folder = await makeFolder(TREE)
    const tree = await openRepoTree(folder.root)
    const error = await tree.read(path, 100).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(TerminalError)
    expect(String(error)).not.toContain('canary')
    expect(String(error)).not.toContain(folder.root)
  })

  test('can be narrowed to a folder', async () => {
    await using folder = await makeFolder(TREE)
    const tree = await openRepoTree(folder.root)
    await expect(tree.read('a/up', 100, 'a')).rejects.toThrow(/leads out of the folder a/)
    expect((await tree.read('a/in', 100, 'a')).toString()).toBe('text')
  })

  test('tells text from bytes', async () => {
    await using folder = await makeFolder({ text: 'é', bytes: Buffer.from([0xff]) })
    const tree = await openRepoTree(folder.root)
    expect(await tree.readText('text', 10)).toBe('é')
    await expect(tree.readText('bytes', 10)).rejects.toThrow(new TerminalError('bytes: this is no text in UTF-8'))
  })

  test('keeps to the byte limit', async () => {
    await using folder = await makeFolder(TREE)
    const tree = await openRepoTree(folder.root)
    await expect(tree.read('a/file.txt', 3)).rejects.toThrow(/4 bytes, at most 3/)
  })

  test('lists and tells kinds, but not outside', async () => {
    await using folder = await makeFolder(TREE)
    const tree = await openRepoTree(folder.root)
    expect((await tree.list('.'))?.map(({ name, kind }) => `${name} ${kind}`)).toEqual(['a folder', 'b folder', 'door link'])
    expect(await tree.list('a/folder')).toEqual([{ name: 'other.txt', kind: 'file' }])
    expect(await tree.list('door')).toBeUndefined()
    expect(await tree.list('..')).toBeUndefined()
    expect(await tree.list('a/file.txt')).toBeUndefined()
    expect([
      await tree.kind('a'),
      await tree.kind('a/in'),
      await tree.kind('a/file.txt'),
      await tree.kind('.'),
      await tree.kind('x'),
    ]).toEqual(['folder', 'link', 'file', 'folder', undefined])
    expect(await tree.kind('door/secret')).toBeUndefined()
  })
})
