import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createWorkFolder } from './work-folder.ts'

test('a folder is made once, after those of processes that live no more are gone', async () => {
  const parent = await mkdtemp(join(tmpdir(), 'work-folder-'))
  const [dead, alive, predecessor] = [2 ** 30, process.ppid, process.pid].map((pid) => `fleet-charts-${pid}-0123456789ab`)
  for (const name of [dead, alive, predecessor, 'other']) await mkdir(join(parent, name ?? '', 'x'), { recursive: true })
  const folder = createWorkFolder(parent, process.pid)
  const [path, again] = await Promise.all([folder.path(), folder.path()])
  expect(again).toBe(path)
  expect((await readdir(parent)).map((name) => join(parent, name)).sort()).toEqual(
    [join(parent, alive ?? ''), join(parent, 'other'), path].sort(),
  )
  await folder.remove()
  expect(await readdir(parent)).toHaveLength(2)
  await rm(parent, { recursive: true })
})

test('a parent that is not there is an error each time', async () => {
  const folder = createWorkFolder('/nowhere/at/all', process.pid)
  await expect(folder.path()).rejects.toThrow(/ENOENT/)
  await expect(folder.path()).rejects.toThrow(/ENOENT/)
  await folder.remove()
})
