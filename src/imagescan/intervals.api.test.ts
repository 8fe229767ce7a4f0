// When commits are made, and how many: on a real API server, with a git server, and a clock that the test moves.
import { expect, test } from 'vitest'
import { GIT_REPO } from '../api/kinds.ts'
import { MINUTE, useImageScans } from './api-fixture.testing.ts'

const t = useImageScans()
const { start, ref, image, unique, createScan, patchScan, createGitRepo, settles, scanned, synced, repoStatus } = t

const setters = (...names: string[]): string => names.map((name) => `${name}: old # {"$imagescan": "${name}:tag"}\n`).join('')
const changeRepo = (spec: object) => t.client.patch(ref(GIT_REPO, 'repo'), { spec }, { type: 'merge' })

test('many scans make one commit, the first as well as the next', async () => {
  const names = ['a', 'b', 'c', 'd']
  const images = new Map(names.map((name) => [name, unique(name)]))
  for (const app of images.values()) t.registry.push(app, ['1.0.0'])
  const repository = await createGitRepo({ 'values.yaml': setters(...names) })
  for (const [name, app] of images) await createScan(name, { image: image(app), tagName: name })
  await start() // only now: a scan that comes after the others were looked at is one for the next commit
  await synced('True')
  const count = () => repository.git(['rev-list', '--count', 'master'])
  expect(await repository.git(['show', 'master:values.yaml'])).toBe(
    setters(...names)
      .trim()
      .replaceAll('old', '1.0.0'),
  )
  expect(await count()).toBe('2')
  for (const app of images.values()) t.registry.push(app, ['1.1.0'])
  await t.clock.advance(MINUTE)
  for (const name of names) await scanned(name, { latestTag: '1.1.0' })
  await t.clock.advance(10 * MINUTE)
  await settles(async () => expect(await count()).toBe('3'))
  expect(await repository.git(['show', 'master:values.yaml'])).toBe(
    setters(...names)
      .trim()
      .replaceAll('old', '1.1.0'),
  )
})

test('intervals that change count at once, of scans and of GitRepos', async () => {
  const app = unique('app')
  t.registry.push(app, ['1.0.0'])
  await start()
  const repository = await createGitRepo({ 'values.yaml': setters('app') }, { imageScanInterval: '10h' })
  await createScan('one', { image: image(app), interval: '5h' })
  await synced('True')
  const first = await repository.head()
  t.registry.push(app, ['1.1.0'])
  await t.clock.advance(MINUTE)
  await scanned('one', { latestTag: '1.0.0' })
  await patchScan('one', { interval: '1m' })
  await scanned('one', { latestTag: '1.1.0' })
  await t.clock.advance(20 * MINUTE)
  expect(await repository.head()).toBe(first)
  await changeRepo({ imageScanInterval: '15m' })
  await settles(async () => expect(await repository.git(['show', 'master:values.yaml'])).toContain('app: 1.1.0 #'))
  t.registry.push(app, ['1.2.0'])
  await t.clock.advance(2 * MINUTE)
  await scanned('one', { latestTag: '1.2.0' })
  const second = await repository.head()
  await t.clock.advance(5 * MINUTE)
  expect(await repository.head()).toBe(second)
})

test('a scan that has failed stops commits until it is suspended; a suspended one keeps its place', async () => {
  const [app, gone] = [unique('app'), unique('gone')]
  t.registry.push(app, ['1.0.0'])
  t.registry.push(gone, ['5.0.0'])
  await start()
  const repository = await createGitRepo({ 'values.yaml': setters('app', 'gone') }, { imageScanInterval: '1s' })
  await createScan('app', { image: image(app), tagName: 'app' })
  await createScan('gone', { image: image(gone), tagName: 'gone' })
  await synced('True')
  await patchScan('gone', { policy: { semver: { range: '>=9' } } })
  await synced('False', /^image scan gone \(tagName "gone"\) has failed: none of the 1 tags/)
  t.registry.push(app, ['1.1.0'])
  await t.clock.advance(MINUTE)
  await scanned('app', { latestTag: '1.1.0' })
  expect(await repository.git(['show', 'master:values.yaml'])).toContain('app: 1.0.0 #')
  await patchScan('gone', { suspend: true })
  await settles(async () => expect(await repository.git(['show', 'master:values.yaml'])).toContain('app: 1.1.0 #'))
  expect(await repository.git(['show', 'master:values.yaml'])).toContain('gone: 5.0.0 #')
  await synced('True')
})

test('nothing is committed where everything is as it should be', async () => {
  const app = unique('app')
  t.registry.push(app, ['1.0.0'])
  await start()
  const repository = await createGitRepo({ 'values.yaml': 'app: 1.0.0 # {"$imagescan": "app:tag"}\n' }, { imageScanInterval: '1s' })
  const first = await repository.head()
  await createScan('one', { image: image(app) })
  await synced('True')
  expect(await repository.head()).toBe(first)
  const { lastSyncedImageScanTime, webhookCommit } = await repoStatus()
  expect([lastSyncedImageScanTime, webhookCommit]).toEqual([undefined, undefined])
})
