import { expect, test } from 'vitest'
import type { ImageScan } from '../api/image-scan.ts'
import { BUNDLE, GIT_REPO, IMAGE_SCAN } from '../api/kinds.ts'
import { scanChanges } from './scan-changes.ts'

const gitRepo = { ...GIT_REPO, metadata: { name: 'repo', namespace: 'ws' }, spec: { repo: 'url' } }

function scan(name: string, metadata: Partial<ImageScan['metadata']> = {}, spec = {}): ImageScan {
  return { ...IMAGE_SCAN, metadata: { name, ...metadata }, spec: { image: 'i', interval: '5m0s', ...spec } }
}

test('scans get labels and GitRepo; equal ones are left alone, those no longer listed go', () => {
  const labels = { a: 'b' }
  const wanted = [
    {
      bundle: { ...BUNDLE, metadata: { name: 'b', labels }, spec: {} },
      values: { hash: '', data: {} },
      scans: [scan('imagescan-new'), scan('imagescan-same'), scan('imagescan-old')],
    },
  ]
  const owned = { namespace: 'ws', labels, resourceVersion: '3' }
  const stored = [
    scan('imagescan-same', owned, { gitrepoName: 'repo' }),
    scan('imagescan-old', owned, { gitrepoName: 'repo', image: 'other' }),
    scan('imagescan-gone', owned),
    scan('imagescan-going', { ...owned, deletionTimestamp: 'now' }),
    scan('by-hand', owned),
  ]
  const changes = scanChanges(gitRepo, wanted, stored)
  expect(changes.create).toEqual([scan('imagescan-new', { namespace: 'ws', labels }, { gitrepoName: 'repo' })])
  expect(changes.update).toEqual([scan('imagescan-old', owned, { gitrepoName: 'repo' })])
  expect(changes.remove.map(({ metadata }) => metadata.name)).toEqual(['imagescan-gone'])
})
