import { describe, expect, test } from 'vitest'
import type { ReadOptions } from './draft.ts'
import { READ_LIMITS } from './limits.ts'
import { openRepoTree } from './repo-tree.ts'
import { findBundleFolders } from './scan.ts'
import { makeFolder, type Tree } from './testing/folder.ts'

async function scan(tree: Tree, options: Partial<ReadOptions> = {}, limits = {}): Promise<string[]> {
  await using checkout = await makeFolder(tree)
  const read: ReadOptions = { repoName: 'repo', namespace: 'ws', ...options }
  const folders = await findBundleFolders(await openRepoTree(checkout.root), read, { ...READ_LIMITS, ...limits })
  return folders.map(({ folder, optionsFile }) => (optionsFile ? `${folder}:${optionsFile}` : folder))
}

const APPS = { 'apps/red/a.yaml': '', 'apps/blue/fleet.yaml': '', 'apps/blue/in/fleet.yml': '', 'apps/note.yaml': '', 'other/x.txt': '' }

describe('paths', () => {
  test.each([
    [undefined, ['.', 'apps/blue', 'apps/blue/in']],
    [[], ['.', 'apps/blue', 'apps/blue/in']],
    [['apps'], ['apps', 'apps/blue', 'apps/blue/in']],
    [
      ['/apps/red/', './apps//red'],
      ['apps/red', 'apps/red'],
    ],
    [['apps/*'], ['apps/blue', 'apps/blue/in', 'apps/red']],
    [['nowhere', 'other', 'apps/re?'], ['apps/red']],
    [['apps/note.yaml'], []],
    [['apps/blue/../red'], ['apps/red']],
    [['/', '', '//'], []],
  ])('%j gives %j', async (paths, folders) => {
    expect(await scan(APPS, { paths })).toEqual(folders)
  })

  test('a root whose manifests all belong to bundles below is no bundle', async () => {
    expect(await scan({ 'root/a/fleet.yaml': '', 'root/a/more/cm.yaml': '', 'root/b/fleet.yml': '' }, { paths: ['root'] })).toEqual([
      'root/a',
      'root/b',
    ])
    expect(await scan({ 'root/a/fleet.yaml': '', 'root/plain/deep/cm.yml': '' }, { paths: ['root'] })).toEqual(['root', 'root/a'])
  })

  test('a folder named like an options file counts as one', async () => {
    expect(await scan({ 'r/cm.yaml': '', 'r/a/fleet.yaml/x.yaml': '', 'r/a/cm.yaml': '' }, { paths: ['r'] })).toEqual(['r', 'r/a'])
  })

  test('hidden folders and .git give no bundle, links are not walked', async () => {
    const tree = {
      'r/.staging/fleet.yaml': '',
      'r/.git/fleet.yaml': '',
      'r/.git/x/fleet.yaml': '',
      'r/cm.yaml': '',
      'r/link': { link: '../apps' },
      'apps/fleet.yaml': '',
      direct: { link: 'apps' },
    }
    expect(await scan(tree, { paths: ['r', 'r/.staging', 'direct'] })).toEqual(['r'])
  })

  test('paths that lead out and bad patterns are errors', async () => {
    await expect(scan(APPS, { paths: ['../x'] })).rejects.toThrow('the path ../x leads out of the repository')
    await expect(scan(APPS, { paths: ['[a'] })).rejects.toThrow(/^paths: bad pattern/)
    expect(await scan({ door: { link: '..' }, '../checkout2/fleet.yaml': '' }, { paths: ['door/*', 'door/checkout2'] })).toEqual([])
  })

  test('limits hold', async () => {
    await expect(scan(APPS, {}, { depth: 1 })).rejects.toThrow(/nest deeper/)
    await expect(scan(APPS, {}, { folders: 2 })).rejects.toThrow(/more than 2 folders/)
    await expect(scan(APPS, {}, { bundles: 1 })).rejects.toThrow(/3 bundles in one repository/)
    await expect(scan(APPS, { paths: ['*'] }, { matches: 1 })).rejects.toThrow(/more than 1 paths/)
  })
})

describe('listed bundles', () => {
  test('are taken as they are, paths and folders below do not count', async () => {
    const bundles = [{ base: 'apps' }, { base: '/apps/blue/', options: 'dev.yaml' }, { options: 'x.yaml' }, {}]
    expect(await scan(APPS, { bundles, paths: ['other'] })).toEqual(['apps', 'apps/blue:dev.yaml', '.:x.yaml', '.'])
  })

  test('must exist', async () => {
    await expect(scan(APPS, { bundles: [{ base: 'apps' }, { base: 'gone' }] })).rejects.toThrow(
      'bundles[1]: there is no folder gone in the repository',
    )
    await expect(scan(APPS, { bundles: [{ base: '../x' }] })).rejects.toThrow('bundles[0]: the folder ../x is outside of the repository')
  })
})
