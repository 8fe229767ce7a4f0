import { expect, test } from 'vitest'
import type { GitRepo, GitRepoSpec } from '../api/git-repo.ts'
import type { ImageScan, ImageScanSpec, ImageScanStatus } from '../api/image-scan.ts'
import { GIT_REPO, IMAGE_SCAN } from '../api/kinds.ts'
import { type Plan, planWriteBack } from './plan.ts'

const gitRepo = (spec: Partial<GitRepoSpec> = {}): GitRepo => ({
  ...GIT_REPO,
  metadata: { name: 'repo', namespace: 'ws' },
  spec: { repo: 'https://git.example/a', clientSecretName: 'push', imageScanCommit: { authorName: 'a' }, ...spec },
})

function scan(name: string, spec: Partial<ImageScanSpec> = {}, status: ImageScanStatus = {}): ImageScan {
  return {
    ...IMAGE_SCAN,
    metadata: { name, namespace: 'ws', generation: 1 },
    spec: { image: 'ghcr.io/a', interval: '1m', tagName: 'app', ...spec },
    status: {
      latestTag: '1.0',
      latestImage: 'ghcr.io:5000/a:1.0',
      latestDigest: 'sha256:00',
      observedGeneration: 1,
      conditions: [{ type: 'ImageScanned', status: 'True' }],
      ...status,
    },
  }
}

const failed = (message: string): ImageScanStatus => ({ conditions: [{ type: 'ImageScanned', status: 'False', message }] })
const values = (plan: Plan): unknown => (plan.kind === 'write' ? Object.fromEntries(plan.values) : plan.kind)
const message = (plan: Plan): unknown => (plan.kind === 'blocked' ? plan.error.message : plan.kind)

test('values are those of the scans', () => {
  expect(values(planWriteBack(gitRepo(), [scan('one'), scan('two', { tagName: 'two' }, { latestDigest: undefined })]))).toEqual({
    app: 'ghcr.io:5000/a:1.0',
    'app:tag': '1.0',
    'app:name': 'ghcr.io:5000/a',
    'app:digest': 'ghcr.io:5000/a:1.0@sha256:00',
    two: 'ghcr.io:5000/a:1.0',
    'two:tag': '1.0',
    'two:name': 'ghcr.io:5000/a',
  })
})

test('nobody asks, or nothing is known', () => {
  expect(planWriteBack(gitRepo({ imageScanCommit: undefined }), [scan('one')])).toEqual({ kind: 'off' })
  expect(planWriteBack(gitRepo(), [])).toEqual({ kind: 'off' })
  expect(planWriteBack(gitRepo(), [{ ...scan('one'), metadata: { name: 'one', deletionTimestamp: 'now' } }])).toEqual({ kind: 'off' })
  expect(planWriteBack(gitRepo(), [scan('one', {}, { conditions: [], latestTag: undefined })])).toEqual({ kind: 'idle' })
  expect(planWriteBack(gitRepo(), [scan('one', {}, { observedGeneration: 0 })])).toEqual({ kind: 'idle' })
  expect(values(planWriteBack(gitRepo(), [scan('one', { suspend: true }, { observedGeneration: 0 })]))).toMatchObject({ 'app:tag': '1.0' })
  expect(planWriteBack(gitRepo(), [scan('one', { tagName: '' })])).toEqual({ kind: 'idle' })
})

test('commits wait for every scan to look with the spec it has, but not for one that is suspended', () => {
  const fresh = { ...scan('new', { tagName: 'new' }), status: undefined } as unknown as ImageScan
  expect(planWriteBack(gitRepo(), [scan('one'), fresh])).toEqual({ kind: 'idle' })
  expect(planWriteBack(gitRepo(), [scan('one'), scan('two', { tagName: 'two' }, { observedGeneration: 0 })])).toEqual({ kind: 'idle' })
  expect(values(planWriteBack(gitRepo(), [scan('one'), { ...fresh, spec: { ...fresh.spec, suspend: true } }]))).toEqual(
    values(planWriteBack(gitRepo(), [scan('one')])),
  )
  expect(values(planWriteBack(gitRepo(), [scan('one'), scan('two', { tagName: 'two' }, { observedGeneration: undefined })]))).toMatchObject(
    {
      'two:tag': '1.0',
    },
  )
})

test('one that has failed and is suspended stops nothing', () => {
  const broken = scan('b', { tagName: 'x', suspend: true }, failed('gone'))
  expect(values(planWriteBack(gitRepo(), [scan('one'), broken]))).toEqual(values(planWriteBack(gitRepo(), [scan('one')])))
  expect(planWriteBack(gitRepo(), [broken])).toEqual({ kind: 'idle' })
})

test('one that has failed stops all; the message is the same whatever the order', () => {
  const scans = [scan('b', { tagName: 'x' }, failed('gone')), scan('ok', { tagName: 'ok' }), scan('a', { tagName: 'y' }, failed('no'))]
  const text = 'image scan b (tagName "x") has failed: gone; image scan a (tagName "y") has failed: no'
  expect(message(planWriteBack(gitRepo(), scans))).toBe(text)
  expect(message(planWriteBack(gitRepo(), scans.reverse()))).toBe(text)
  const many = Array.from({ length: 9 }, (_, index) => scan(`s${index}`, {}, failed('no')))
  expect(message(planWriteBack(gitRepo(), many))).toMatch(/s4 .*; and 4 more$/)
})

test('equal names mean the same image, of which the newest look counts', () => {
  const [old, young] = [
    { lastScanTime: '2026-01-01T00:00:00Z' },
    { lastScanTime: '2026-01-01T00:01:00Z', latestTag: '2.0', latestImage: 'a:2.0' },
  ]
  expect(values(planWriteBack(gitRepo(), [scan('one', {}, young), scan('two', {}, old)]))).toMatchObject({ app: 'a:2.0' })
  expect(values(planWriteBack(gitRepo(), [scan('one', {}, old), scan('two', {}, young)]))).toMatchObject({ app: 'a:2.0' })
  expect(message(planWriteBack(gitRepo(), [scan('one'), scan('two', { image: 'other' })]))).toBe(
    'image scans one and two want different images under the same tagName "app": give each its own',
  )
})

test('there has to be a branch, and a secret', () => {
  expect(message(planWriteBack(gitRepo({ revision: 'v1' }), [scan('one')]))).toMatch(/remove revision/)
  expect(message(planWriteBack(gitRepo({ clientSecretName: '' }), [scan('one')]))).toMatch(/clientSecretName/)
})
