import { describe, expect, test } from 'vitest'
import { READ_LIMITS } from './limits.ts'
import { loadFolder } from './load.ts'
import { openRepoTree } from './repo-tree.ts'
import { makeFolder, type Tree } from './testing/folder.ts'

async function load(tree: Tree, folder = 'app', limits = {}, excluded: string[] = []): Promise<string[]> {
  await using checkout = await makeFolder(tree)
  const files = await loadFolder(await openRepoTree(checkout.root), folder, new Set(excluded), { ...READ_LIMITS, ...limits })
  return files.map(({ name, content }) => `${name}=${content}`)
}

describe('loadFolder', () => {
  test('takes all files below, by the bytes of their names', async () => {
    expect(await load({ 'app/b': '1', 'app/a/c': '2', 'app/B': '3', 'app/a.txt': '4', 'app/\u{1f600}': '5', 'app/\uffee': '6' })).toEqual([
      'B=3',
      'a.txt=4',
      'a/c=2',
      'b=1',
      '\uffee=6',
      '\u{1f600}=5',
    ])
  })

  test('leaves out hidden files, hidden folders and excluded paths', async () => {
    expect(await load({ 'app/.a': '', 'app/.git/config': '', 'app/x': '1', 'app/d/x': '2', 'app/d/.b/c': '' }, 'app', {}, ['x'])).toEqual([
      'd/x=2',
    ])
    expect(await load({ 'app/.staging/x': '1' }, 'app/.staging')).toEqual([])
  })

  test('follows links to files of the folder only', async () => {
    expect(await load({ 'app/a': '1', 'app/b': { link: 'a' }, 'app/c/d': { link: '../b' } })).toEqual(['a=1', 'b=1', 'c/d=1'])
    await expect(load({ 'app/a': { link: '../other/x' }, 'other/x': '1' })).rejects.toThrow(
      'app/a: this symlink leads out of the folder app',
    )
    await expect(load({ 'app/a/x': '1', 'app/b': { link: 'a' } })).rejects.toThrow('app/b: this is a folder, or a symlink to one')
  })

  test('does not follow links that are ignored', async () => {
    expect(await load({ 'app/.fleetignore': 'away\n', 'app/away': { link: '/etc/hostname' }, 'app/a': '1' })).toEqual(['a=1'])
  })

  test('names the folder of a bad pattern', async () => {
    await expect(load({ 'app/sub/.fleetignore': '[a-\n', 'app/sub/x': '' })).rejects.toThrow(/^app\/sub\/\.fleetignore: bad pattern/)
  })

  test('checks patterns that no file is compared with', async () => {
    await expect(load({ 'app/sub/.fleetignore': '[a-\n', 'app/x': '1' })).rejects.toThrow(/^app\/sub\/\.fleetignore: bad pattern/)
    expect(await load({ 'app/.fleetignore': 'sub/*[\n', 'app/x': '1' })).toEqual(['x=1'])
  })

  test('keeps to its limits', async () => {
    const tree = { 'app/a/b/c': '12345', 'app/d': '12345' }
    await expect(load(tree, 'app', { files: 1 })).rejects.toThrow(/more than 1 files/)
    await expect(load(tree, 'app', { bundleBytes: 9 })).rejects.toThrow(/more than 9 bytes/)
    await expect(load(tree, 'app', { depth: 1 })).rejects.toThrow(/deeper than 1 levels/)
    await expect(load(tree, 'app', { folders: 2 })).rejects.toThrow(/more than 2 folders/)
  })
})
