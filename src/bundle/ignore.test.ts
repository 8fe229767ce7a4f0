import { describe, expect, test } from 'vitest'
import { checkVectors } from '../testing/vectors.ts'
import { isIgnored, parseIgnoreFile } from './ignore.ts'
import { READ_LIMITS } from './limits.ts'
import { loadFolder } from './load.ts'
import { openRepoTree } from './repo-tree.ts'
import { makeFolder } from './testing/folder.ts'

interface Input {
  files: string[]
  ignore: Record<string, string>
  excluded?: string[]
}

checkVectors<Input, string[]>('fleetignore.json', async ({ files, ignore, excluded = [] }) => {
  const rules = Object.entries(ignore).map(([folder, text]) => [`${folder === '' ? '' : `${folder}/`}.fleetignore`, text])
  await using folder = await makeFolder(Object.fromEntries([...files.map((file) => [file, 'x']), ...rules]))
  const loaded = await loadFolder(await openRepoTree(folder.root), '.', new Set(excluded), READ_LIMITS)
  return loaded.map(({ name }) => name)
})

describe('parseIgnoreFile', () => {
  test('skips comments and blank lines, keeps escaped blanks', () => {
    expect(parseIgnoreFile('# no\n\n a \t\nb\\ \n\\#c\r\nd\\\\ \n   \n')).toEqual([' a', 'b\\ ', '\\#c', 'd\\\\'])
  })
})

describe('isIgnored', () => {
  test.each([
    ['tmp', true, 'tmp', true],
    ['tmp', false, 'tmp', true],
    ['tmp', true, 'tmp/*', true],
    ['tmp', false, 'tmp/*', false],
    ['a.yaml', false, 'sub/*.yaml', false],
    ['tab', true, 't*/*', false],
    ['sub', true, 'sub/*[', false],
    ['a.yaml', false, '!a.yaml', false],
    ['a b', false, 'a\\ b', true],
  ])('%s (folder: %s) by %s: %s', (name, isFolder, pattern, ignored) => {
    expect(isIgnored(name, isFolder, [pattern])).toBe(ignored)
  })
})
