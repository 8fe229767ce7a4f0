// ImageScans on a real API server, with registries, and a clock that the test moves.
import { expect, test } from 'vitest'
import { MINUTE, useImageScans } from './api-fixture.testing.ts'

const t = useImageScans()
const { writes, start, restart, image, unique, createScan, patchScan, createPullSecret, settles, scanStatus, scanned, fails, nothingMore } =
  t

test('a scan finds the newest tag, and new ones at its interval, without a write while nothing is new', async () => {
  const app = unique('app')
  t.registry.push(app, ['1.0.0', 'latest', '1.2.0', '2.0.0-rc.1'])
  await start()
  await createScan('one', { image: image(app) })
  const found = {
    latestTag: '1.2.0',
    latestImage: `${image(app)}:1.2.0`,
    latestDigest: t.registry.digest(app, '1.2.0'),
    canonicalImageName: image(app),
    observedGeneration: 1,
    lastScanTime: expect.stringMatching(/^2026-03-01T00:/),
    conditions: [{ type: 'ImageScanned', status: 'True', lastUpdateTime: expect.any(String) }],
  }
  await settles(async () => expect(await scanStatus('one')).toEqual(found))
  await nothingMore()
  writes.length = 0
  await t.clock.advance(3 * MINUTE)
  expect(writes).toEqual([])
  t.registry.push(app, ['1.10.0'])
  await t.clock.advance(MINUTE)
  await scanned('one', { latestTag: '1.10.0', latestDigest: t.registry.digest(app, '1.10.0') })
  t.registry.push(app, ['1.10.0'], 'rebuilt')
  await t.clock.advance(MINUTE)
  await scanned('one', { latestTag: '1.10.0', latestDigest: t.registry.digest(app, '1.10.0', 'rebuilt') })
})

test('scans of the same image ask once, and a restart asks nothing that is fresh', async () => {
  const app = unique('app')
  t.registry.push(app, ['1.0.0', 'a', 'b'])
  await Promise.all([
    createScan('one', { image: image(app) }),
    createScan('two', { image: image(app), tagName: 'two' }),
    createScan('three', { image: `${image(app)}:1.0`, policy: { alphabetical: { order: '' } } }),
  ])
  await start()
  await Promise.all([scanned('one', { latestTag: '1.0.0' }), scanned('two', { latestTag: '1.0.0' }), scanned('three', { latestTag: 'b' })])
  const asked = t.registry.seen.filter((path) => path.includes(app))
  expect(asked.sort()).toEqual([`GET /v2/${app}/tags/list`, `HEAD /v2/${app}/manifests/1.0.0`, `HEAD /v2/${app}/manifests/b`])
  await restart()
  await nothingMore()
})

test('a suspended scan keeps what it has, a changed policy counts at once', async () => {
  const app = unique('app')
  t.registry.push(app, ['1.0.0', '2.0.0'])
  await start()
  await createScan('one', { image: image(app), interval: '1h', policy: { semver: { range: '1.x' } } })
  await scanned('one', { latestTag: '1.0.0' })
  await patchScan('one', { policy: { semver: { range: '>=1' } } })
  await scanned('one', { latestTag: '2.0.0', observedGeneration: 2 })
  await patchScan('one', { suspend: true, policy: { semver: { range: '1.x' } } })
  await nothingMore()
  expect(await scanStatus('one')).toMatchObject({ latestTag: '2.0.0', observedGeneration: 2 })
  await patchScan('one', { suspend: false })
  await scanned('one', { latestTag: '1.0.0' })
})

test('what goes wrong is told, keeps the last state, and mends itself', async () => {
  const app = unique('app')
  t.registry.push(app, ['1.0.0'])
  await start()
  await createScan('one', { image: image(app) })
  await scanned('one', { latestTag: '1.0.0' })
  await t.registry.down()
  await t.clock.advance(MINUTE)
  await fails('one', new RegExp(`the registry of ${image(app)} cannot be reached`))
  expect(await scanStatus('one')).toMatchObject({ latestTag: '1.0.0', latestDigest: t.registry.digest(app, '1.0.0') })
  await t.registry.up()
  t.registry.push(app, ['1.1.0'])
  await t.clock.advance(MINUTE)
  await scanned('one', {
    latestTag: '1.1.0',
    conditions: expect.arrayContaining([expect.objectContaining({ type: 'Stalled', status: 'False' })]),
  })
  await patchScan('one', { policy: { semver: { range: '>=9' } } })
  await fails('one', /none of the 2 tags of .* is a version within ">=9": correct policy.semver.range/)
  await patchScan('one', { policy: { semver: { range: 'nonsense' } } })
  await fails('one', /"nonsense" is no version and no range/)
  await patchScan('one', { image: image(unique('none')) })
  await fails('one', /the registry lists no tags of .*: check its name/)
  await patchScan('one', { image: 'Not An Image' })
  await fails('one', /^image: "Not An Image" is no reference/)
})

test('credentials come from the secret for the registry, and from there alone', async () => {
  const app = unique('app')
  for (const server of [t.guarded, t.encrypted]) server.push(app, ['1.0.0'])
  await start()
  await createScan('plain', { image: image(app, t.guarded) })
  await fails('plain', /the registry wants credentials for .*secretRef/)
  await patchScan('plain', { secretRef: { name: 'pull' } })
  await fails('plain', /^Secret "pull" not found: create it in namespace/)
  await createPullSecret('pull', t.guarded)
  await scanned('plain', { latestTag: '1.0.0' })
  await createScan('tls', { image: image(app, t.encrypted), secretRef: { name: 'pull' } })
  await fails('tls', /secret "pull" has no credentials for the registry 127.0.0.1:\d+/)
  await createPullSecret('other', t.encrypted)
  await patchScan('tls', { secretRef: { name: 'other' } })
  await fails('tls', /the certificate of the registry of .* is signed by an unknown authority.*cacerts in secret "other"/)
  await createPullSecret('trusting', t.encrypted, { cacerts: t.encrypted.ca })
  await patchScan('tls', { secretRef: { name: 'trusting' } })
  await scanned('tls', { latestTag: '1.0.0' })
})
