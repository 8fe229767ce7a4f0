import { expect, test } from 'vitest'
import type { ImageScanSpec } from '../api/image-scan.ts'
import { checkVectors } from '../testing/vectors.ts'
import { newestTag } from './policy.ts'

checkVectors('image-policy.json', ({ policy, tags }: { policy: ImageScanSpec['policy']; tags: string[] }) =>
  newestTag(policy, tags, 'image'),
)

test('messages name the image, the policy and what to do', () => {
  expect(() => newestTag({}, [], 'ghcr.io/a/b')).toThrow('the registry lists no tags of ghcr.io/a/b: check its name, or push one')
  expect(() => newestTag({ semver: { range: '>=3' } }, ['1.0.0', 'main'], 'ghcr.io/a/b')).toThrow(
    'none of the 2 tags of ghcr.io/a/b is a version within ">=3": correct policy.semver.range, or push such a tag',
  )
  expect(() => newestTag({ semver: { range: 'abc' } }, ['1.0.0'], 'ghcr.io/a/b')).toThrow(
    /^policy.semver.range for ghcr.io\/a\/b: "abc" is no version/,
  )
})
