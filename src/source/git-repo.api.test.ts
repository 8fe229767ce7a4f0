// The GitRepo controller on a real API server and a real git server; bundles are only noted. What goes wrong is in git-repo-troubles.api.test.ts.
import { describe, expect, test } from 'vitest'
import { GIT_REPO } from '../api/kinds.ts'
import { CLIENT_SECRET_HASH_ANNOTATION, GIT_REPO_FINALIZER, SHARD_REF_LABEL } from '../api/labels.ts'
import { consistently, eventually, quiet } from '../testing/eventually.ts'
import { GIT_USER, type TestHub, useSource } from '../testing/source-hub.ts'

const fx = useSource()
const writesFor = (hub: TestHub, name: string): string[] => hub.writes.filter((write) => write.endsWith(`/${name}`))

describe('a GitRepo', () => {
  test('is read, followed, and costs nothing while nothing happens', async () => {
    const hub = await fx.start()
    const repo = await fx.repository({ 'app/a.yaml': 'one' })
    const name = fx.unique()
    await fx.scene.create(name, { repo: repo.url })
    const first = await repo.head()
    const { status, metadata } = await fx.scene.current(name, first)
    expect(status).toMatchObject({ pollingCommit: first, lastPollingTriggered: expect.stringMatching(/Z$/) })
    expect(metadata.finalizers).toEqual([GIT_REPO_FINALIZER])
    for (const [type, value] of [
      ['Accepted', 'True'],
      ['GitPolling', 'True'],
      ['Reconciling', 'False'],
      ['Stalled', 'False'],
    ] as const)
      await fx.scene.condition(name, type, value)
    expect(hub.publishedFor(name)).toEqual([expect.objectContaining({ commit: first, files: { 'app/a.yaml': 'one' } })])
    expect(writesFor(hub, name)).toEqual([
      `patch GitRepo ${fx.scene.namespace}/${name}`,
      `patch status GitRepo ${fx.scene.namespace}/${name}`,
    ])
    await fx.scene.event(name, 'GotNewCommit', new RegExp(first))

    await quiet(hub.writes)
    hub.writes.length = 0
    await consistently(() => expect(writesFor(hub, name)).toEqual([]), { forMs: 6_000 })
    expect(repo.requests().length).toBeGreaterThan(4)

    const next = await repo.commit({ 'app/a.yaml': 'two' })
    await fx.scene.current(name, next)
    expect(hub.publishedFor(name).at(-1)).toMatchObject({ commit: next, files: { 'app/a.yaml': 'two' } })
    expect(writesFor(hub, name)).toEqual([`patch status GitRepo ${fx.scene.namespace}/${name}`])
  })

  test('is neither read nor written again after a restart', async () => {
    const repo = await fx.repository()
    const name = fx.unique()
    await fx.start()
    await fx.scene.secret('creds-of-restart', GIT_USER)
    await fx.scene.create(name, { repo: repo.url, clientSecretName: 'creds-of-restart', forceSyncGeneration: 3 })
    await fx.scene.current(name, await repo.head())
    await eventually(async () => expect((await fx.scene.get(name)).metadata.annotations).toHaveProperty([CLIENT_SECRET_HASH_ANNOTATION]))
    await fx.stopHubs()
    const { metadata } = await fx.scene.get(name)

    const asked = repo.requests().length
    const after = await fx.start()
    await eventually(() => expect(repo.requests().length).toBeGreaterThan(asked + 2))
    expect([after.writes, after.publisher.published]).toEqual([[], []])
    expect((await fx.scene.get(name)).metadata.resourceVersion).toBe(metadata.resourceVersion)
  })

  test('shares polls and checkouts with others of the same repository', async () => {
    const repo = await fx.repository()
    const names = Array.from({ length: 8 }, () => fx.unique())
    for (const name of names) await fx.scene.create(name, { repo: repo.url, paths: [name], pollingInterval: '1h' })
    const hub = await fx.start() // only now, so that they all come at once
    for (const name of names) await fx.scene.current(name, await repo.head())
    const packs = repo.requests().filter(({ method, path }) => method === 'POST' && path.endsWith('git-upload-pack'))
    // Each poll is one question; those that come while one is under way share it. Packs are fetched once.
    expect(packs.length).toBeLessThan(names.length)
    expect(hub.publisher.published).toHaveLength(8)
  })

  test('keeps its own pace beside others that follow the same branch of the same repository', async () => {
    await fx.start()
    const repo = await fx.repository()
    const [eager, calm, still] = [fx.unique(), fx.unique(), fx.unique()]
    await fx.scene.create(eager, { repo: repo.url })
    await fx.scene.create(calm, { repo: repo.url, pollingInterval: '1h' })
    await fx.scene.create(still, { repo: repo.url, disablePolling: true })
    const first = await repo.head()
    for (const name of [eager, calm, still]) await fx.scene.current(name, first)
    const next = await repo.commit({ a: '2' })
    await fx.scene.current(eager, next)
    await consistently(async () => {
      for (const name of [calm, still]) expect((await fx.scene.get(name)).status?.commit).toBe(first)
    })
    await fx.scene.edit(still, { forceSyncGeneration: 1 })
    await fx.scene.current(still, next)
    expect((await fx.scene.get(calm)).status?.commit).toBe(first)
  })

  test('of another shard is left alone', async () => {
    await fx.start()
    const repo = await fx.repository()
    const name = fx.unique()
    await fx.scene.create(name, { repo: repo.url }, { labels: { [SHARD_REF_LABEL]: 'elsewhere' } })
    await consistently(async () => {
      expect((await fx.scene.get(name)).metadata.finalizers).toBeUndefined()
      expect(repo.requests()).toEqual([])
    })
  })

  test('follows tags, branches and commit ids, and a change between them', async () => {
    await fx.start()
    const repo = await fx.repository()
    const first = await repo.head()
    await repo.tag('v1', first, { annotated: true })
    const second = await repo.commit({ a: '2' })
    const side = await repo.commit({ a: '3' }, { branch: 'side', from: 'master' })
    const name = fx.unique()
    await fx.scene.create(name, { repo: repo.url, revision: 'v1', branch: 'side' })
    await fx.scene.current(name, first)
    await fx.scene.edit(name, { revision: null })
    await fx.scene.current(name, side)
    await fx.scene.edit(name, { branch: null })
    await fx.scene.current(name, second)
    await fx.scene.edit(name, { revision: first })
    await fx.scene.current(name, first)
  })

  test('with polling disabled is read when its spec changes or it is forced', async () => {
    const hub = await fx.start()
    const repo = await fx.repository()
    const name = fx.unique()
    await fx.scene.create(name, { repo: repo.url, disablePolling: true })
    await fx.scene.current(name, await repo.head())
    const second = await repo.commit({ a: '2' })
    await consistently(() => expect(hub.publishedFor(name)).toHaveLength(1))
    await fx.scene.edit(name, { forceSyncGeneration: 1 })
    expect((await fx.scene.current(name, second)).status?.updateGeneration).toBe(1)
    const third = await repo.commit({ a: '3' })
    await fx.scene.edit(name, { paths: ['x'] })
    await fx.scene.current(name, third)
    expect(hub.publishedFor(name).at(-1)?.gitRepo.spec.paths).toEqual(['x'])
  })

  test('says while a long reading is under way', async () => {
    const hub = await fx.start()
    const { promise, resolve } = Promise.withResolvers<void>()
    hub.publisher.act = () => promise
    const repo = await fx.repository()
    const name = fx.unique()
    await fx.scene.create(name, { repo: repo.url })
    const { status } = await fx.scene.condition(name, 'Reconciling', 'True', /reading commit/)
    expect(status).toMatchObject({ gitJobStatus: 'InProgress', pollingCommit: await repo.head() })
    expect(status?.commit ?? '').toBe('')
    resolve()
    await fx.scene.current(name, await repo.head())
    await fx.scene.condition(name, 'Reconciling', 'False')
  })

  test('that changes while it is read is read anew at once', async () => {
    const hub = await fx.start()
    const repo = await fx.repository()
    const name = fx.unique()
    hub.publisher.act = ({ gitRepo }, signal) =>
      gitRepo.spec.paths
        ? Promise.resolve()
        : new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    await fx.scene.create(name, { repo: repo.url })
    await eventually(() => expect(hub.publishedFor(name)).toHaveLength(1))
    await fx.scene.edit(name, { paths: ['x'] })
    await fx.scene.current(name, await repo.head())
    await fx.scene.condition(name, 'Stalled', 'False')
  })

  test('keeps conditions that others write meanwhile', async () => {
    const hub = await fx.start()
    const repo = await fx.repository()
    const name = fx.unique()
    let serialOfOthers = 0
    hub.publisher.act = async () => {
      const { status } = await fx.scene.get(name)
      const conditions = [
        ...(status?.conditions ?? []).filter(({ type }) => type !== 'Ready'),
        { type: 'Ready', status: 'True', message: `${serialOfOthers++}` },
      ]
      await fx.client.patch(
        { ...GIT_REPO, name, namespace: fx.scene.namespace },
        { status: { conditions, display: { state: 'theirs' } } },
        { type: 'merge', subresource: 'status' },
      )
    }
    await fx.scene.create(name, { repo: repo.url })
    for (let n = 0; n < 3; n++) await fx.scene.current(name, await repo.commit({ a: `${n}` }))
    const { status } = await fx.scene.condition(name, 'Ready', 'True', new RegExp(`${serialOfOthers - 1}`))
    expect(status?.display).toEqual({ state: 'theirs' })
  })
})
