import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { locate } from './locate.ts'
import { withTempDir } from './temp-dir.ts'

const dir = await mkdtemp(join(tmpdir(), 'locate-'))
afterAll(() => rm(dir, { recursive: true }))

test('finds a program in the folders of the path', async () => {
  await writeFile(join(dir, 'tool'), '')
  expect(await locate('tool', `/nowhere:${dir}`)).toBe('tool')
  await chmod(join(dir, 'tool'), 0o755)
  expect(await locate('tool', `/nowhere::${dir}`)).toBe(join(dir, 'tool'))
})

test('a path is taken as it is, and a program that is nowhere keeps its name', async () => {
  expect(await locate('/opt/helm', dir)).toBe('/opt/helm')
  expect(await locate('absent', dir)).toBe('absent')
})

test('a temporary folder is gone afterwards, also after a failure', async () => {
  let inner = ''
  const work = withTempDir(dir, 'work-', async (path) => {
    inner = path
    await writeFile(join(path, 'file'), 'x')
    throw new Error('broken')
  })
  await expect(work).rejects.toThrow('broken')
  await expect(writeFile(join(inner, 'again'), 'x')).rejects.toThrow('ENOENT')
})
