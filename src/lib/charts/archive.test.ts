import { gunzipSync, zstdCompressSync } from 'node:zlib'
import fc from 'fast-check'
import { pack } from 'tar-stream'
import { expect, test } from 'vitest'
import { packFiles } from '../../testing/chart-server.ts'
import { TerminalError } from '../controller/errors.ts'
import { unpackBytes } from './archive.ts'
import { ChartError } from './errors.ts'
import { CHART_LIMITS, type ChartLimits } from './limits.ts'

const signal = new AbortController().signal
const read = (bytes: Buffer, limits: Partial<ChartLimits> = {}, folder = '') =>
  unpackBytes(bytes, { shown: 'x.tgz', folder, limits: { ...CHART_LIMITS, ...limits }, signal })

test('gzip, zstd and plain tar files are read', async () => {
  const gzip = await packFiles({ 'c/a': '1', './c/b': '2', 'c\\d': '3' })
  for (const bytes of [gzip, gunzipSync(gzip), zstdCompressSync(gunzipSync(gzip))])
    expect((await read(bytes)).map(({ name, content }) => `${name}=${content}`)).toEqual(['c/a=1', 'c/b=2', 'c/d=3'])
})

test.each(['../evil', 'c/../../evil', '/etc/passwd', 'C:\\evil', '..\\evil'])('a path like %s is refused', async (path) => {
  await expect(read(await packFiles({ [path]: 'x' }))).rejects.toThrow(/leads out of the archive/)
})

test('links and devices are refused, where they are asked for', async () => {
  const archive = await packFiles({ 'c/link': { link: '../../etc' }, 'd/file': 'x' })
  await expect(read(archive)).rejects.toThrow('x.tgz: c/link is a symlink: an archive may hold files and folders only')
  expect(await read(archive, {}, 'd')).toHaveLength(1)
  const tar = pack()
  tar.entry({ name: 'c/null', type: 'character-device' })
  tar.finalize()
  const chunks: Buffer[] = []
  for await (const chunk of tar as unknown as AsyncIterable<Buffer>) chunks.push(chunk)
  await expect(read(Buffer.concat(chunks))).rejects.toBeInstanceOf(TerminalError)
})

test.each<[Partial<ChartLimits>, RegExp]>([
  [{ chartBytes: 100 }, /has files of more than 1 MiB/],
  [{ unpackedBytes: 1_000 }, /unpacks to more than/],
  [{ files: 2 }, /more than 2 files/],
  [{ entries: 2 }, /more than 2 entries/],
  [{ depth: 1 }, /deeper than 1 levels/],
])('limits %j hold', async (limits, message) => {
  const archive = await packFiles({ 'c/a': 'x'.repeat(90), 'c/b': 'x'.repeat(90), 'c/d': 'x'.repeat(5_000) })
  await expect(read(archive, limits)).rejects.toThrow(message)
})

test('whatever the bytes are: files, or an error that says what', async () => {
  const good = await packFiles({ 'c/a': 'hello'.repeat(50), 'c/b': '2' })
  const plain = gunzipSync(good)
  const broken = fc
    .tuple(fc.constantFrom(good, plain), fc.array(fc.tuple(fc.nat(2_000), fc.nat(255)), { maxLength: 4 }), fc.nat(2_500))
    .map(([bytes, changes, keep]) => {
      const copy = Buffer.from(bytes.subarray(0, keep))
      for (const [at, value] of changes) if (at < copy.length) copy[at] = value
      return copy
    })
  await fc.assert(
    fc.asyncProperty(broken, async (bytes) => {
      const error = await read(bytes).then(
        () => undefined,
        (reason: unknown) => reason,
      )
      if (error !== undefined) expect(error instanceof ChartError || error instanceof TerminalError, String(error)).toBe(true)
    }),
    { numRuns: 200 },
  )
})

test('an aborted reading ends with the reason', async () => {
  const reason = new Error('called off')
  const archive = await packFiles({ 'c/a': 'x' })
  const options = { shown: 'x', limits: CHART_LIMITS, signal: AbortSignal.abort(reason) }
  await expect(unpackBytes(archive, options)).rejects.toBe(reason)
})
