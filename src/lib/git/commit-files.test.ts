import { lstat, readdir, readFile, realpath } from 'node:fs/promises'
import { join, sep } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type TestFiles, writeTestCheckout } from './checkout.testing.ts'
import { openCommitFiles } from './commit-files.ts'
import { describeWritten, withoutFiles } from './written-files.ts'

const name = fc.constantFrom('a', 'b', 'c', 'new\nline')
const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'))
const target = fc
  .array(fc.oneof({ weight: 3, arbitrary: name }, fc.constantFrom('..', '.', '', 'missing')), { minLength: 1, maxLength: 4 })
  .map((parts) => parts.join('/'))
const content = fc.oneof(fc.constantFrom('1', '2', ''), fc.record({ link: target }))
const tree: fc.Arbitrary<TestFiles> = fc.dictionary(path, content, { maxKeys: 8, noNullPrototype: true })

const nothing = () => undefined

async function kindOnDisk(root: string, at: string): Promise<string | undefined> {
  const stats = await lstat(join(root, at)).catch(nothing)
  if (!stats) return undefined
  if (stats.isSymbolicLink()) return 'link'
  return stats.isDirectory() ? 'folder' : 'file'
}

async function contentOnDisk(root: string, at: string, within: string): Promise<string | undefined> {
  const [found, border] = [await realpath(join(root, at)).catch(nothing), await realpath(join(root, within)).catch(nothing)]
  if (found === undefined || border === undefined || !(found === border || found.startsWith(border + sep))) return undefined
  return readFile(found, 'utf8').catch(nothing)
}

describe('openCommitFiles', () => {
  test('says what a file system would say', async () => {
    await fc.assert(
      fc.asyncProperty(tree, fc.array(path, { minLength: 1, maxLength: 8 }), path, async (given, paths, within) => {
        await using checkout = await writeTestCheckout(given)
        const { root, files } = checkout
        const contents = new Map<string, string>()
        for (const at of [...paths, ...Object.keys(given), '.']) {
          expect(files.kind(at)).toBe(await kindOnDisk(root, at))
          const names = await readdir(join(root, at)).catch(nothing)
          expect(files.list(at)?.map((entry) => entry.name)).toEqual(names?.sort((a, b) => (a < b ? -1 : 1)))
          for (const entry of files.list(at) ?? []) expect(entry.kind).toBe(await kindOnDisk(root, join(at, entry.name)))
          for (const border of ['.', within]) {
            const id = files.content(at, border)
            const text = await contentOnDisk(root, at, border)
            expect(id === undefined).toBe(text === undefined)
            if (id === undefined || text === undefined) continue
            expect(contents.get(id) ?? text).toBe(text)
            contents.set(id, text)
          }
        }
        expect(contents.size).toBe(new Set(contents.values()).size)
      }),
      { numRuns: 150 },
    )
  })

  test('follows as many links as the system', async () => {
    const links = Object.fromEntries(Array.from({ length: 45 }, (_, at) => [`l${at}`, { link: at === 0 ? 'file' : `l${at - 1}` }]))
    await using checkout = await writeTestCheckout({ file: '1', ...links })
    for (const at of ['l0', 'l30', 'l44']) {
      const text = await contentOnDisk(checkout.root, at, '.')
      expect([at, checkout.files.content(at, '.') === undefined]).toEqual([at, text === undefined])
    }
  })

  test('tells nothing of files that were removed again', () => {
    const file = (at: string) => ({ path: at, oid: at, kind: 'file' }) as const
    const written = describeWritten({ folders: ['a'], files: [file('a/x'), file('a/y'), file('z')] }, new Map())
    const files = openCommitFiles(withoutFiles(written, ['a/x', 'z', 'nobody/knows']))
    expect(files.list('.')).toEqual([{ name: 'a', kind: 'folder' }])
    expect(files.list('a')).toEqual([{ name: 'y', kind: 'file' }])
  })
})
