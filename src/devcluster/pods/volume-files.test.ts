import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { syncFolder } from './volume-files.ts'

let parent = ''
let folder = ''
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'volume-'))
  folder = join(parent, 'v')
})
afterEach(() => rmSync(parent, { recursive: true }))

function file(path: string, text: string, mode = 0o644): { path: string; content: Buffer; mode: number } {
  return { path, content: Buffer.from(text), mode }
}

it('writes what is new or different, removes what is gone and touches nothing else', async () => {
  expect(await syncFolder(folder, [file('a', '1'), file('deep/b', '2')])).toEqual(['a', 'deep/b'])
  const before = statSync(join(folder, 'a')).ino
  expect(await syncFolder(folder, [file('a', '1'), file('c', '3')])).toEqual(['c', 'deep/b'])
  expect(statSync(join(folder, 'a')).ino).toBe(before)
  expect(readdirSync(folder, { recursive: true }).sort()).toEqual(['a', 'c', 'deep'])
  expect(await syncFolder(folder, [file('a', '1'), file('c', '3')])).toEqual([])
  expect(await syncFolder(folder, [file('a', 'changed')])).toEqual(['a', 'c'])
  expect(readFileSync(join(folder, 'a'), 'utf8')).toBe('changed')
})

it('keeps files of others that are named', async () => {
  await syncFolder(folder, [file('token', 't'), file('a', '1')])
  expect(await syncFolder(folder, [], ['token'])).toEqual(['a'])
  expect(readdirSync(folder)).toEqual(['token'])
})

it('keeps the folder and secrets private', async () => {
  await syncFolder(folder, [file('password', 'x', 0o600), file('run.sh', 'x', 0o744)])
  const mode = (path: string) => (statSync(path).mode & 0o777).toString(8)
  expect([mode(folder), mode(join(folder, 'password')), mode(join(folder, 'run.sh'))]).toEqual(['700', '600', '744'])
})
