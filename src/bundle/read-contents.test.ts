import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { encodeContent } from '../api/content-id.ts'
import { CONTENT } from '../api/kinds.ts'
import { TerminalError } from '../lib/controller/errors.ts'
import { encodeFiles } from './encode-files.ts'
import { decodeResources, readContent } from './read-contents.ts'

const content = (json: string, sha256sum = createHash('sha256').update(json).digest('hex')) => ({
  ...CONTENT,
  metadata: { name: 's-1' },
  content: gzipSync(json).toString('base64'),
  sha256sum,
})

describe('readContent', () => {
  test('what was stored comes back', async () => {
    const file = fc.record({
      name: fc.stringMatching(/^[a-z]{1,8}$/),
      content: fc.oneof(
        fc.string().map((text) => Buffer.from(text)),
        fc.uint8Array().map((bytes) => Buffer.from(bytes)),
      ),
    })
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(file, { selector: ({ name }) => name }), fc.boolean(), async (files, compress) => {
        const { json, sha256 } = encodeContent(await encodeFiles(files, compress))
        const sorted = files.toSorted((a, b) => (a.name < b.name ? -1 : 1))
        expect(await readContent(content(json, sha256))).toEqual(sorted)
      }),
    )
  })

  test('no hash, no check; a wrong one is an error that can be tried again', async () => {
    expect(await readContent(content('{"resources":[]}', ''))).toEqual([])
    const error = await readContent(content('{"resources":[]}', 'ffff')).catch((thrown: unknown) => thrown)
    expect(String(error)).toMatch(/content s-1 is damaged: its hash is [0-9a-f]{64}, not ffff/)
    expect(error).not.toBeInstanceOf(TerminalError)
  })

  test.each(['', '[]', '{"resources":1}', 'null', 'secret: hunter2'])('%j is no list of files', async (json) => {
    await expect(readContent(content(json))).rejects.toThrow(new TerminalError('content s-1 holds no list of files'))
  })

  test('null resources are none', async () => {
    expect(await readContent(content('{"resources":null}'))).toEqual([])
    expect(await readContent(content('{}'))).toEqual([])
  })

  test('bombs do not go off', async () => {
    await expect(readContent(content('x'.repeat(100_000)), { maxBytes: 1000 })).rejects.toThrow(
      'content s-1: more than 1000 bytes when unpacked',
    )
    await expect(readContent({ ...content(''), content: 'zzzz' })).rejects.toThrow('content s-1: this is no gzip')
  })
})

describe('decodeResources', () => {
  const packed = (bytes: string) => ({ content: gzipSync(bytes).toString('base64'), encoding: 'base64+gz' })

  test('names what has no name after its place', async () => {
    expect(
      (await decodeResources([{ content: 'a' }, { name: 'b', content: '' }, { name: '', content: 'c' }])).map(({ name }) => name),
    ).toEqual(['manifests/file000.yaml', 'b', 'manifests/file002.yaml'])
  })

  test.each(['/etc/passwd', '../x', 'a/../../x', 'a//b', './a', 'a/.', 'a\0', '..', 'a/'])('refuses the name %j', async (name) => {
    await expect(decodeResources([{ name, content: '' }])).rejects.toThrow(TerminalError)
  })

  test('refuses names that exclude each other', async () => {
    await expect(decodeResources([{ name: 'a' }, { name: 'a' }])).rejects.toThrow('a: two files have this name')
    await expect(decodeResources([{ name: 'a/b/c' }, { name: 'a/b' }])).rejects.toThrow('a/b: this is a file and a folder')
    expect(await decodeResources([{ name: 'a/b' }, { name: 'a/bc/d' }])).toHaveLength(2)
  })

  test('refuses unknown encodings and wrong types', async () => {
    await expect(decodeResources([{ name: 'a', encoding: 'zip' }])).rejects.toThrow('a: the encoding "zip" is unknown')
    await expect(decodeResources([{ name: 'a', content: 1 as unknown as string }])).rejects.toThrow('a: the content is no text')
    await expect(decodeResources([{ name: 'a', content: 'enp6', encoding: 'base64+gz' }])).rejects.toThrow('a: this is no gzip')
  })

  test.each(['!!!!', 'zz', 'YWJj*===', 'YWJ=j'])('refuses %j as base64', async (content) => {
    for (const encoding of ['base64', 'base64+gz'])
      await expect(decodeResources([{ name: 'a', content, encoding }])).rejects.toThrow('a: illegal base64 data')
  })

  test('takes base64 in lines', async () => {
    expect(await decodeResources([{ name: 'a', content: 'YW\r\nJj\n', encoding: 'base64' }])).toEqual([
      { name: 'a', content: Buffer.from('abc') },
    ])
  })

  test('keeps to the limits over all files', async () => {
    const files = [
      { name: 'a', ...packed('x'.repeat(60)) },
      { name: 'b', ...packed('x'.repeat(60)) },
    ]
    expect(await decodeResources(files, { maxBytes: 120 })).toHaveLength(2)
    await expect(decodeResources(files, { maxBytes: 100 })).rejects.toThrow(/more than 40 bytes when unpacked/)
    await expect(decodeResources([{ name: 'a', content: 'é'.repeat(60) }], { maxBytes: 100 })).rejects.toThrow(
      'more than 100 bytes of files',
    )
    await expect(decodeResources(files, { maxFiles: 1 })).rejects.toThrow('2 files, at most 1 can be unpacked')
  })
})
