import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { ImageScanSpec } from '../api/image-scan.ts'
import { checkVectors } from '../testing/vectors.ts'
import { type Choice, chooseTag } from './policy.ts'
import { filteredTags } from './tag-filter.ts'

type Spec = Pick<ImageScanSpec, 'policy' | 'filterTags'>

const candidates = (tags: readonly string[]) => tags.map((tag) => ({ tag, by: tag }))
const shown = (choice: Choice) => ('tag' in choice ? choice.tag : choice.newestOf)
const choose = async ({ policy, filterTags }: Spec, tags: readonly string[], image = 'image') =>
  shown(chooseTag(policy, await filteredTags(filterTags, tags, image), image))

checkVectors('image-policy.json', ({ policy, tags }: { policy: ImageScanSpec['policy']; tags: string[] }) =>
  shown(chooseTag(policy, candidates(tags), 'image')),
)

test('messages name the image, the policy and what to do', async () => {
  const act = (spec: Spec, tags: readonly string[]) => expect(choose(spec, tags, 'ghcr.io/a/b')).rejects
  await act({}, []).toThrow('the registry lists no tags of ghcr.io/a/b: check its name, or push one')
  await act({ policy: { semver: { range: '>=3' } } }, ['1.0.0', 'main']).toThrow(
    'none of the 2 tags of ghcr.io/a/b is a version within ">=3": correct policy.semver.range, or push such a tag',
  )
  await act({ policy: { semver: { range: 'abc' } } }, ['1.0.0']).toThrow(/^policy.semver.range for ghcr.io\/a\/b: "abc" is no version/)
  await act({ policy: { numerical: {} } }, ['v1', 'main']).toThrow(
    'none of the 2 tags of ghcr.io/a/b is a number: correct filterTags, choose another policy, or push such a tag',
  )
  await act({ policy: { numerical: {} }, filterTags: { pattern: '(.*)', extract: 'v$1' } }, ['7']).toThrow(
    /is a number \(filterTags.extract makes "v7" of "7"\): /,
  )
  await act({ policy: { numerical: { order: 'up' } } }, ['1']).toThrow('policy.numerical.order is "up": it has to be ASC or DESC')
  await act({ filterTags: { pattern: 'v.*' } }, ['1', '2']).toThrow(
    'none of the 2 tags of ghcr.io/a/b matches "v.*": correct filterTags.pattern, which means the whole tag, or push such a tag',
  )
})

test.each<[string, Spec, string[], string | string[]]>([
  ['the greatest number', { policy: { numerical: { order: 'desc' } } }, ['9', '10', 'latest', '8.5', '1e9'], '10'],
  ['the greatest without an order', { policy: { numerical: {} } }, ['9', '10', '100', '99'], '100'],
  ['the smallest number', { policy: { numerical: { order: 'asc' } } }, ['9', '10', '8.5', '8.49'], '8.49'],
  ['long ones', { policy: { numerical: {} } }, ['20260301123456789012', '20260301123456789013', '3'], '20260301123456789013'],
  ['fractions', { policy: { numerical: {} } }, ['1.5', '1.25', '01.40'], '1.5'],
  ['equal ones, whatever their order', { policy: { numerical: {} } }, ['7', '007', '7.0'], '7.0'],
  ['equal ones, the other way round', { policy: { numerical: {} } }, ['7.0', '007', '7'], '7.0'],
  [
    'a number out of a tag',
    { policy: { numerical: {} }, filterTags: { pattern: 'main-[0-9a-f]+-(?P<n>\\d+)', extract: '$n' } },
    ['main-ff-9', 'main-0a-10', 'dev-11-11', '12'],
    'main-0a-10',
  ],
  [
    'a version out of a tag',
    { policy: { semver: { range: '1.x' } }, filterTags: { pattern: 'rel_(.*)', extract: '$1' } },
    ['rel_1.2.0', 'rel_1.10.0', '1.11.0', 'rel_2.0.0'],
    'rel_1.10.0',
  ],
  [
    'versions that match',
    { filterTags: { pattern: '.*-alpine' }, policy: { semver: { range: '>=1.0.0-0' } } },
    ['1.0.0-alpine', '1.1.0-alpine', '1.2.0'],
    '1.1.0-alpine',
  ],
  ['texts that match', { filterTags: { pattern: '^b.*$' }, policy: { alphabetical: { order: 'ASC' } } }, ['a', 'b2', 'b1', 'ab0'], 'b1'],
  ['texts out of tags', { filterTags: { pattern: '.-(.*)', extract: '${1}' }, policy: { alphabetical: {} } }, ['a-2', 'b-1', 'c'], 'a-2'],
  ['an empty filter', { filterTags: {}, policy: { numerical: {} } }, ['1', '2'], '2'],
  ['the newest of all', { policy: { newest: {} } }, ['a', 'b'], ['a', 'b']],
  ['the newest of those that match', { policy: { newest: {} }, filterTags: { pattern: '[ab]' } }, ['a', 'b', 'ab'], ['a', 'b']],
])('%s', async (_name, spec, tags, expected) => {
  expect(await choose(spec, tags)).toEqual(expected)
})

test.each<[Spec, RegExp]>([
  [{ policy: { newest: {}, semver: { range: '*' } } }, /^policy: semver and newest exclude each other: keep one/],
  [{ policy: { newest: {}, numerical: {}, alphabetical: {} } }, /^policy: alphabetical and numerical and newest exclude each other/],
  [{ filterTags: { extract: '$1' } }, /^filterTags.extract needs filterTags.pattern/],
  [{ filterTags: { pattern: '(' } }, /^filterTags.pattern "\(" is no regular expression \(.*\): correct it/],
  [{ filterTags: { pattern: 'a)|(b' } }, /is no regular expression/],
  [{ filterTags: { pattern: '(?=a)' } }, /is no regular expression/],
  [{ filterTags: { pattern: 'a{1000}{1000}' } }, /is no regular expression/],
  [{ filterTags: { pattern: 'a'.repeat(501) } }, /^filterTags: pattern may have 500 characters/],
])('%j is refused', async (spec, message) => {
  await expect(choose(spec, ['1.0.0'])).rejects.toThrow(message)
})

test('a filter that is too much work is refused, and meanwhile others get their turn', async () => {
  const tags = Array.from({ length: 10_000 }, (_, index) => `${'a'.repeat(100)}${index}`)
  let turns = 0
  const counting = setInterval(() => turns++, 1)
  await expect(filteredTags({ pattern: '((a*)*|(a|aa)+)*b' }, tags, 'image', 10_000)).rejects.toThrow(
    'filterTags.pattern "((a*)*|(a|aa)+)*b" is too much work for 10000 tags: make it simpler',
  )
  clearInterval(counting)
  expect(turns).toBeGreaterThan(2)
})

test('numbers are compared as numbers, however long', () => {
  const digits = fc.stringMatching(/^\d{1,25}$/)
  fc.assert(
    fc.property(digits, digits, (a, b) => {
      const [left, right] = [BigInt(a), BigInt(b)]
      const greatest = shown(chooseTag({ numerical: {} }, candidates([a, b]), 'image'))
      expect(BigInt(greatest as string)).toBe(left > right ? left : right)
      expect(shown(chooseTag({ numerical: {} }, candidates([b, a]), 'image'))).toBe(greatest)
    }),
  )
})
