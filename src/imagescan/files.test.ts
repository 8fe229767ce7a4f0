import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { changedFiles } from './files.ts'

const VALUES = new Map([['app', 'app:2']])
const SETTER = '# {"$imagescan": "app"}'
const OLD = `image: app:1 ${SETTER}\n`
let dir: string
let root: string

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'imagescan-files-'))
  root = join(dir, 'root')
  await mkdir(root)
})
afterEach(() => rm(dir, { recursive: true, force: true }))

async function write(files: Readonly<Record<string, string | Buffer>>): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true })
    await writeFile(join(root, path), content)
  }
}

const find = (paths: readonly string[], signal = new AbortController().signal) => changedFiles(root, paths, VALUES, signal)
const found = async (...paths: string[]): Promise<string[]> => (await find(paths)).map(({ path }) => path)

test('changes YAML files below the paths', async () => {
  await write({
    'a/x.yaml': OLD,
    'a/deep/y.yml': OLD,
    'b/z.yaml': OLD,
    'top.yaml': OLD,
    'a/n.txt': OLD,
    '.hidden/h.yaml': OLD,
    '.git/g.yaml': OLD,
    'a/same.yaml': `image: app:2 ${SETTER}\n`,
  })
  expect(await find(['a'])).toEqual([
    { path: 'a/deep/y.yml', text: `image: app:2 ${SETTER}\n`, settings: [{ line: 1, setter: 'app', from: 'app:1', to: 'app:2' }] },
    { path: 'a/x.yaml', text: `image: app:2 ${SETTER}\n`, settings: [expect.anything()] },
  ])
  const all = ['.hidden/h.yaml', 'a/deep/y.yml', 'a/x.yaml', 'b/z.yaml', 'top.yaml']
  expect(await found()).toEqual(all)
  expect(await found('/')).toEqual(all)
  expect(await found('.')).toEqual(all)
  expect(await found('/b/', './a/deep')).toEqual(['a/deep/y.yml', 'b/z.yaml'])
  expect(await found('?')).toEqual(['a/deep/y.yml', 'a/x.yaml', 'b/z.yaml'])
  expect(await found('*/deep')).toEqual(['a/deep/y.yml'])
  expect(await found('b/z.yaml')).toEqual(['b/z.yaml'])
  expect(await found('none')).toEqual([])
})

test('follows no links, and no path out of the repository', async () => {
  await write({ 'real/x.yaml': OLD })
  await writeFile(join(dir, 'outside.yaml'), OLD)
  await mkdir(join(dir, 'elsewhere'))
  await writeFile(join(dir, 'elsewhere', 'y.yaml'), OLD)
  await symlink('../outside.yaml', join(root, 'link.yaml'))
  await symlink(join(dir, 'elsewhere'), join(root, 'folder'))
  await symlink('real', join(root, 'alias'))
  expect(await found()).toEqual(['real/x.yaml'])
  expect(await found('folder', 'alias', 'link.yaml', 'folder/y.yaml')).toEqual([])
  await expect(find(['../elsewhere'])).rejects.toThrow('paths: "../elsewhere" leads out of the repository: correct it')
  await expect(find(['real/../../elsewhere'])).rejects.toThrow(/leads out/)
  await expect(find(['real/[x'])).rejects.toThrow(/^paths: bad pattern/)
})

test('names the file whose setters cannot be applied', async () => {
  await write({ 'a/bad.yaml': `a: {{ x }}\nb: x ${SETTER}\nc: [` })
  await expect(find([])).rejects.toThrow(/^a\/bad.yaml: .*line/)
  expect(await found('b')).toEqual([])
  await write({ 'a/bad.yaml': `a: ${SETTER}\n` })
  await expect(find([])).rejects.toThrow(/^a\/bad.yaml: line 1: the setter "app" has no value/)
})

test('passes over what could not be written back as it was', async () => {
  await write({ 'latin.yaml': Buffer.from(`a: \xe9\n${OLD}`, 'latin1'), 'large.yaml': `${OLD}# ${'x'.repeat(9 * 2 ** 20)}` })
  expect(await found()).toEqual([])
  await expect(find([], AbortSignal.abort(new Error('stop')))).rejects.toThrow('stop')
})
