// New image versions written back to a git server, on a real API server, with a clock that the test moves.
import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { GIT_REPO, IMAGE_SCAN } from '../api/kinds.ts'
import { quiet } from '../testing/eventually.ts'
import { MINUTE, useImageScans } from './api-fixture.testing.ts'

const t = useImageScans()
const { writes, start, restart, ref, image, unique, createScan, createSecret, createGitRepo, settles, repoStatus, scanned, synced } = t

const SETTERS = `# deployment
image: old:1 # {"$imagescan": "app"}
name: "old"   # {"$imagescan": "app:name"}
tag: '1' # {"$imagescan": "app:tag"}
digest: x # {"$imagescan": "app:digest"}
other: x # {"$imagescan": "other"}
`

test('new versions are committed, at most once an interval, and nothing when nothing changes', async () => {
  const app = unique('app')
  t.registry.push(app, ['1.0.0'])
  await start()
  const repository = await createGitRepo({ 'app/values.yaml': SETTERS, 'elsewhere/values.yaml': SETTERS }, { paths: ['app'] })
  const first = await repository.head()
  await createScan('one', { image: image(app) })
  await synced('True')
  const commit = await repository.head()
  const digest = t.registry.digest(app, '1.0.0')
  expect(await repository.git(['show', 'master:app/values.yaml'])).toBe(
    `# deployment
image: ${image(app)}:1.0.0 # {"$imagescan": "app"}
name: "${image(app)}"   # {"$imagescan": "app:name"}
tag: '1.0.0' # {"$imagescan": "app:tag"}
digest: ${image(app)}:1.0.0@${digest} # {"$imagescan": "app:digest"}
other: x # {"$imagescan": "other"}`,
  )
  expect(await repository.git(['log', '--format=%an %ae %s', `${first}..master`])).toBe('Robot robot@example.com images 1')
  expect(await repository.git(['diff', '--name-only', first, 'master'])).toBe('app/values.yaml')
  expect(await repoStatus()).toMatchObject({ webhookCommit: commit, lastSyncedImageScanTime: expect.stringMatching(/^2026-03-01/) })
  t.registry.push(app, ['1.1.0'])
  await t.clock.advance(MINUTE)
  await scanned('one', { latestTag: '1.1.0' })
  await t.clock.advance(5 * MINUTE)
  expect(await repository.head()).toBe(commit)
  await t.clock.advance(4 * MINUTE)
  await settles(async () => expect(await repository.git(['show', 'master:app/values.yaml'])).toContain("tag: '1.1.0'"))
  expect(await repository.git(['rev-list', '--count', 'master'])).toBe('3')
  const head = await repository.head()
  await t.client.patch(ref(GIT_REPO, 'repo'), { status: { pollingCommit: head } }, { type: 'merge', subresource: 'status' })
  await settles(async () => expect((await repoStatus()).webhookCommit).toBe(head))
  await quiet(writes) // until the controller has heard of the commit, too
  const requests = repository.requests().length
  writes.length = 0
  await t.clock.advance(30 * MINUTE)
  expect(writes).toEqual([])
  expect(repository.requests().length).toBe(requests)
})

test('a fetch that takes long goes on until it is there, and is no failure', async () => {
  const app = unique('app')
  t.registry.push(app, ['1.0.0'])
  const { promise: server, resolve: answers } = Promise.withResolvers<void>()
  let fetches = 0
  let head: Promise<string> | undefined
  await start((git) => ({
    ...git,
    // asked once: the time that real questions take is a long time for the clock of the test, after which a fetch is given up
    resolve: (...call) => (head ??= git.resolve(...call)),
    async fetch(...call) {
      fetches++
      await server
      return git.fetch(...call)
    },
  }))
  const repository = await createGitRepo({ 'values.yaml': 'image: old # {"$imagescan": "app"}\n' })
  await createScan('one', { image: image(app) })
  await settles(async () => expect(fetches).toBe(1))
  for (let second = 0; second < 90; second++) {
    await t.clock.advance(1_000)
    await pause(20)
  }
  expect((await repoStatus()).conditions).toBeUndefined()
  answers()
  await synced('True')
  expect(await repository.git(['show', 'master:values.yaml'])).toContain(`${image(app)}:1.0.0`)
  expect(fetches).toBe(1)
})

test('a process that died between its push and its status commits nothing twice', async () => {
  const app = unique('app')
  t.registry.push(app, ['1.0.0'])
  await start()
  const repository = await createGitRepo({ 'values.yaml': 'image: old # {"$imagescan": "app"}\n' })
  await createScan('one', { image: image(app) })
  await synced('True')
  const head = await repository.head()
  const forgotten = { conditions: null, lastSyncedImageScanTime: null, webhookCommit: null, lastWebhookTime: null }
  await t.client.patch(ref(GIT_REPO, 'repo'), { status: forgotten }, { type: 'merge', subresource: 'status' })
  await restart()
  await synced('True')
  expect(await repository.head()).toBe(head)
  expect((await repoStatus()).lastSyncedImageScanTime).toBeUndefined()
})

test('nobody else loses a commit: the change is made again on top of it', async () => {
  const app = unique('app')
  t.registry.push(app, ['1.0.0'])
  const repository = await createGitRepo({ 'values.yaml': 'image: old # {"$imagescan": "app"}\n' })
  // somebody pushes between our look and our push, once
  const others =
    'test -e done && exit 0; touch done; unset GIT_QUARANTINE_PATH; git update-ref refs/heads/master $(git commit-tree -p master -m theirs master^{tree})'
  await mkdir(join(repository.dir, 'hooks'), { recursive: true })
  await writeFile(join(repository.dir, 'hooks', 'pre-receive'), `#!/bin/sh\ncat >/dev/null; ${others}\n`)
  await chmod(join(repository.dir, 'hooks', 'pre-receive'), 0o755)
  await start()
  await createScan('one', { image: image(app) })
  await synced('True')
  expect(await repository.git(['log', '--format=%s', 'master'])).toBe('images 1\ntheirs\nchange')
})

test('a scan that fails, a refused push, a broken file and missing rights stop the commits and say so', async () => {
  const app = unique('app')
  t.registry.push(app, ['1.0.0'])
  await start()
  const repository = await createGitRepo(
    { 'values.yaml': 'image: old # {"$imagescan": "app"}\n' },
    { clientSecretName: '', imageScanInterval: '1s' },
  )
  const first = await repository.head()
  await createScan('bad', { image: image(unique('none')), tagName: 'bad' })
  await createScan('one', { image: image(app) })
  await synced('False', /^image scan bad \(tagName "bad"\) has failed: the registry lists no tags of/)
  await t.client.delete(ref(IMAGE_SCAN, 'bad'))
  await synced('False', /name a secret that may push in clientSecretName/)
  const change = (spec: object) => t.client.patch(ref(GIT_REPO, 'repo'), { spec }, { type: 'merge' })
  await change({ clientSecretName: 'missing' })
  await synced('False', /Secret "missing" not found/)
  await createSecret('wrong', 'kubernetes.io/basic-auth', { username: 'writer', password: 'wrong-canary' })
  await change({ clientSecretName: 'wrong' })
  await synced('False', /^new image versions could not be written back: authentication/)
  await repository.git(['config', 'http.receivepack', 'false'])
  await change({ clientSecretName: 'push' })
  await synced('False', /the credentials may not push to/)
  await change({ targetNamespace: 'forbidden' })
  await synced('False', /^not in this workspace$/)
  await change({ targetNamespace: null, revision: 'v1' })
  await synced('False', /remove revision/)
  await change({ revision: null, paths: ['../..'] })
  await synced('False', /"..\/.." leads out of the repository/)
  await change({ paths: null, imageScanCommit: { messageTemplate: '{{ nonsense' } })
  await synced('False', /imageScanCommit.messageTemplate: /)
  expect(await repository.head()).toBe(first)
  const status = JSON.stringify(await repoStatus())
  expect(status).not.toMatch(/canary/)
  await repository.git(['config', 'http.receivepack', 'true'])
  await change({ imageScanCommit: { messageTemplate: null, authorName: null, authorEmail: null } })
  await synced('True')
  expect(await repository.git(['log', '-1', '--format=%an|%ae|%s'])).toBe('fleet||Update from image update automation')
  await repository.commit({ 'values.yaml': 'image: # {"$imagescan": "app"}\n' })
  await t.client.patch(
    ref(GIT_REPO, 'repo'),
    { status: { pollingCommit: await repository.head() } },
    { type: 'merge', subresource: 'status' },
  )
  await synced('False', /values.yaml: line 1: the setter "app" has no value before it/)
  await change({ imageScanCommit: null })
  await settles(async () => expect((await repoStatus()).conditions?.find(({ type }) => type === 'ImageSynced')).toBeUndefined())
})
