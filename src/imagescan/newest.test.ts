import { expect, test } from 'vitest'
import { OciError } from '../lib/oci/errors.ts'
import { type ImageTimes, newestImage } from './newest.ts'

const never = new AbortController().signal
const day = (n: number): number => Date.parse('2026-01-01T00:00:00Z') + n * 86_400_000

/** Images by tag: when they were made, or what happens to who asks. */
function times(images: Readonly<Record<string, number | undefined | Error>>) {
  const asked: string[] = []
  let now = 0
  let most = 0
  const known: ImageTimes = {
    digest: async (tag) => (tag in images ? `sha256:${tag}` : undefined),
    async created(digest) {
      asked.push(digest)
      most = Math.max(most, ++now)
      await new Promise((resolve) => setTimeout(resolve, 1))
      now--
      const found = images[digest.slice('sha256:'.length)]
      if (found instanceof Error) throw found
      return found
    },
  }
  return { known, asked, most: () => most }
}

const newest = (images: Readonly<Record<string, number | undefined | Error>>, tags = Object.keys(images)) =>
  newestImage(tags, times(images).known, 'image', never)

test('the image that was made last', async () => {
  expect(await newest({ a: day(1), b: day(3), c: day(2) })).toBe('b')
})

test('what was deleted, says nothing, or names a time that nobody can mean does not count', async () => {
  const images = {
    a: day(1),
    silent: undefined,
    epoch: 0,
    zip: Date.parse('1980-01-01T00:00:01Z'),
    year1: Date.parse('0001-01-01T00:00:00Z'),
  }
  expect(await newest({ ...images, gone: new OciError('not-found', 'gone') }, [...Object.keys(images), 'gone', 'never-there'])).toBe('a')
  await expect(newest({ a: 0, b: undefined })).rejects.toThrow(
    'none of the 2 images of image says when it was made, as builds that give the same image every time do not: choose another policy',
  )
})

test('of images of one moment the highest version, whatever the order of the tags', async () => {
  for (const tags of [
    ['latest', '1.9.0', '1.10.0', '1', 'zzz'],
    ['zzz', '1', '1.10.0', '1.9.0', 'latest'],
  ])
    expect(await newest(Object.fromEntries(tags.map((tag) => [tag, day(1)])), tags)).toBe('1.10.0')
  expect(await newest({ b: day(1), c: day(1), a: day(1) })).toBe('c')
})

test('signatures are no images', async () => {
  const { known, asked } = times({ a: day(1) })
  const signature = `sha256-${'0'.repeat(64)}`
  expect(await newestImage([`${signature}.sig`, `${signature}.att`, signature, 'a'], known, 'image', never)).toBe('a')
  expect(asked).toEqual(['sha256:a'])
})

test('few at a time, not too many, and none after an error', async () => {
  const many = Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`t${index}`, day(index)]))
  const fine = times(many)
  expect(await newestImage(Object.keys(many), fine.known, 'image', never)).toBe('t199')
  expect(fine.most()).toBe(4)
  await expect(newest({ ...many, more: day(1) })).rejects.toThrow(
    'image has 201 tags, but policy.newest looks at 200 images at most: let fewer through with filterTags.pattern, or choose another policy',
  )
  const busy = times({ ...many, t0: new OciError('busy', 'slow down', 7_000) })
  await expect(newestImage(Object.keys(many), busy.known, 'image', never)).rejects.toMatchObject({
    kind: 'busy',
    message: 'tag t0: slow down',
    retryAfterMs: 7_000,
  })
  await new Promise((resolve) => setTimeout(resolve, 20))
  expect(busy.asked.length).toBeLessThanOrEqual(8)
})

test('ends with the caller', async () => {
  const stop = new AbortController()
  const stuck: ImageTimes = {
    digest: (_tag, signal) => new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    created: async () => undefined,
  }
  const looking = newestImage(['a'], stuck, 'image', stop.signal)
  stop.abort(new Error('stop'))
  await expect(looking).rejects.toThrow('stop')
})
