import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import type { GitBackend } from '../../lib/git/types.ts'
import { checkOut } from './checkout.ts'

const dir = mkdtempSync(join(tmpdir(), 'checkout-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

/** Writes one file, and fails after that if told to. */
function backend(failure?: Error): GitBackend {
  return {
    resolve: async () => 'c1',
    fetch: async (_, commit, into) => {
      mkdirSync(join(into, 'sub'), { recursive: true })
      writeFileSync(join(into, 'sub', 'file'), commit)
      if (failure) throw failure
    },
  }
}
const into = (path: string, failure?: Error) =>
  checkOut({
    backend: backend(failure),
    remote: { url: 'x' },
    ref: { branch: 'b' },
    path,
    unique: 'u',
    signal: new AbortController().signal,
  })

test('files land in a folder that is new, or empty', async () => {
  const [fresh, empty] = [join(dir, 'a', 'fresh'), join(dir, 'empty')]
  mkdirSync(empty)
  for (const path of [fresh, empty]) {
    expect(await into(path)).toBe('c1')
    expect(readdirSync(path)).toEqual(['sub'])
    expect(readFileSync(join(path, 'sub', 'file'), 'utf8')).toBe('c1')
  }
})

test('after an error everything is as before', async () => {
  const [fresh, empty] = [join(dir, 'b', 'fresh'), join(dir, 'empty-too')]
  mkdirSync(empty)
  for (const path of [fresh, empty]) await expect(into(path, new Error('gone'))).rejects.toThrow('gone')
  expect(existsSync(join(dir, 'b'))).toBe(false)
  expect(readdirSync(empty)).toEqual([])
})

test('what is in use is left alone', async () => {
  const [full, file] = [join(dir, 'full'), join(dir, 'file')]
  mkdirSync(full)
  writeFileSync(join(full, 'mine'), '')
  writeFileSync(file, '')
  await expect(into(full)).rejects.toThrow('is not empty')
  await expect(into(file)).rejects.toThrow('there is a file of that name')
  expect(readdirSync(full)).toEqual(['mine'])
})
