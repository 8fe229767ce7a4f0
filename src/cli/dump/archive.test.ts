import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { gunzipSync } from 'node:zlib'
import { extract } from 'tar-stream'
import { afterAll, expect, test } from 'vitest'
import { writeArchive } from './archive.ts'

const dir = mkdtempSync(join(tmpdir(), 'archive-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

async function entries(path: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {}
  const reader = extract()
  Readable.from([gunzipSync(readFileSync(path))]).pipe(reader as unknown as NodeJS.WritableStream)
  for await (const entry of reader) {
    let text = ''
    for await (const chunk of entry) text += String(chunk)
    found[entry.header.name] = text
  }
  return found
}

test('entries are in it under their names, long ones too, each once, for the owner alone', async () => {
  const path = join(dir, 'fine.tgz')
  const long = `bundledeployments_${'n'.repeat(63)}_${'m'.repeat(63)}`
  const count = await writeArchive(path, 'u', async (archive) => {
    await archive.add('a', 'one')
    await archive.add(long, 'ö'.repeat(300_000))
    await archive.add('a', 'again')
    await archive.add('empty', '')
  })
  expect(count).toBe(3)
  expect(await entries(path)).toEqual({ a: 'one', [long]: 'ö'.repeat(300_000), empty: '' })
  expect(statSync(path).mode & 0o777).toBe(0o600)
})

test('after an error nothing is left, and what was there stays', async () => {
  const path = join(dir, 'kept.tgz')
  await writeArchive(path, 'u', (archive) => archive.add('first', 'x'))
  const failing = writeArchive(path, 'u', async (archive) => {
    await archive.add('second', 'x')
    throw new Error('refused')
  })
  await expect(failing).rejects.toThrow('refused')
  expect(Object.keys(await entries(path))).toEqual(['first'])
  expect(readdirSync(dir).filter((name) => name.endsWith('.part'))).toEqual([])
})

test('a place that cannot be written to is named', async () => {
  const fill = async (archive: { add(name: string, text: string): Promise<void> }) => archive.add('a', 'x')
  await expect(writeArchive(join(dir, 'no', 'x.tgz'), 'u', fill)).rejects.toThrow('there is no such folder')
  await expect(writeArchive(dir, 'u', fill)).rejects.toThrow('is not a file')
  expect(existsSync(join(dir, 'no'))).toBe(false)
})
