// What docs/guides/image-scan.md shows, tried: its objects on a real API server, its policies, and its files before and after.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { GitRepo } from '../api/git-repo.ts'
import type { ImageScan, ImageScanSpec } from '../api/image-scan.ts'
import { IMAGE_SCAN } from '../api/kinds.ts'
import type { KubeObject } from '../lib/kube/types.ts'
import { parseYaml } from '../lib/yaml/parse.ts'
import { useImageScans } from './api-fixture.testing.ts'
import { signatureOf } from './message.ts'
import { chooseTag } from './policy.ts'
import { applySetters } from './setters.ts'
import { filteredTags } from './tag-filter.ts'

const GUIDE = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'guides', 'image-scan.md'), 'utf8')
const t = useImageScans()

/** The texts of the YAML blocks of a sort. */
function blocks(sort: string): string[] {
  return [...GUIDE.matchAll(/^```yaml(?: (\S+))?\n(.*?)^```$/gms)].filter(([, found = '']) => found === sort).map(([, , text = '']) => text)
}

test('every block is of a sort that is tried', () => {
  const sorts = ['', 'fleet.yaml', 'before', 'after', 'policy'].map((sort) => blocks(sort).length)
  expect(sorts).toEqual([3, 1, 2, 2, 5])
  expect(GUIDE.match(/^```yaml/gm)?.length).toBe(13)
})

test('the API server takes its objects as they are', async () => {
  const objects = blocks('').map((text) => parseYaml(text) as KubeObject)
  for (const object of objects) {
    const here = { ...object, metadata: { ...object.metadata, namespace: t.ref(IMAGE_SCAN, 'x').namespace ?? '' } }
    await t.client.create(here, { fieldValidation: 'Strict' })
  }
  const gitRepo = objects.find(({ kind }) => kind === 'GitRepo') as GitRepo
  expect(signatureOf(gitRepo.spec.imageScanCommit ?? {})).toEqual({
    author: { name: 'Image Robot', email: 'robot@example.com' },
    message: 'web: new images',
  })
})

test('its fleet.yaml asks for the same scan as its object', () => {
  const { imageScans } = parseYaml(blocks('fleet.yaml')[0] ?? '') as { imageScans: ImageScanSpec[] }
  const scan = blocks('')
    .map((text) => parseYaml(text) as ImageScan)
    .find(({ kind }) => kind === 'ImageScan')
  expect(imageScans.map((one) => ({ ...one, gitrepoName: 'shop' }))).toEqual([scan?.spec])
})

test('its policies choose what it says', async () => {
  const { namespace = '' } = t.ref(IMAGE_SCAN, 'x')
  const tags = ['1.9.0', '1.10.0', '2.0.0', '7', '31', 'main-0c4f2ab-217', 'main-ffffff0-9', 'zebra']
  const chosen = await Promise.all(
    blocks('policy').map(async (text) => {
      const spec = parseYaml(text) as Pick<ImageScanSpec, 'policy' | 'filterTags'>
      await t.client.create<ImageScan>(
        { ...IMAGE_SCAN, metadata: { name: t.unique('policy'), namespace }, spec: { image: 'x', interval: '1m', ...spec } },
        { fieldValidation: 'Strict' },
      )
      return chooseTag(spec.policy, await filteredTags(spec.filterTags, tags, 'image'), 'image')
    }),
  )
  expect(chosen).toEqual([{ tag: '1.10.0' }, { tag: 'zebra' }, { tag: '31' }, { newestOf: tags }, { tag: 'main-0c4f2ab-217' }])
})

test('its files become what it shows', () => {
  const name = 'ghcr.io/team/web'
  const values = new Map([
    ['web', `${name}:1.1.0`],
    ['web:tag', '1.1.0'],
    ['web:name', name],
  ])
  const after = blocks('after')
  for (const [index, before] of blocks('before').entries()) expect(applySetters(before, values).text).toBe(after[index])
})
