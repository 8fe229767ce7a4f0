// The GitRepo controller on a real API server and a real git server: errors, secrets, restrictions, deletion.
import { once } from 'node:events'
import { mkdir } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { CLIENT_SECRET_HASH_ANNOTATION, HELM_SECRET_HASH_ANNOTATION } from '../api/labels.ts'
import { TerminalError } from '../lib/controller/errors.ts'
import type { GitBackend } from '../lib/git/types.ts'
import { consistently, eventually } from '../testing/eventually.ts'
import { startGitServer } from '../testing/git-server.ts'
import { createNamespace } from '../testing/kube.ts'
import { GIT_USER, useSource } from '../testing/source-hub.ts'

const fx = useSource()

describe('errors', () => {
  test('of the content stall the GitRepo, keep the good commit, and are tried again after a restart', async () => {
    const hub = await fx.start()
    const repo = await fx.repository({ a: 'good' })
    const good = await repo.head()
    const name = fx.unique()
    hub.publisher.act = async ({ files }) => {
      if (files.a === 'bad') throw new TerminalError('fleet.yaml:3: unclosed list')
    }
    await fx.scene.create(name, { repo: repo.url })
    await fx.scene.current(name, good)
    const bad = await repo.commit({ a: 'bad' })
    const { status } = await fx.scene.condition(name, 'Stalled', 'True', /^fleet\.yaml:3: unclosed list$/)
    expect(status).toMatchObject({ commit: good, pollingCommit: bad, gitJobStatus: 'Failed' })
    await consistently(() => expect(hub.publishedFor(name)).toHaveLength(2))
    await fx.stopHubs()

    const mended = await fx.start()
    await fx.scene.current(name, bad)
    await fx.scene.condition(name, 'Stalled', 'False', /^$/)
    expect(mended.publishedFor(name)).toHaveLength(1)
  })

  test('of the content are cleared by the next commit', async () => {
    const hub = await fx.start()
    const repo = await fx.repository({ a: 'bad' })
    const name = fx.unique()
    hub.publisher.act = async ({ files }) => {
      if (files.a === 'bad') throw new TerminalError('broken')
    }
    await fx.scene.create(name, { repo: repo.url })
    await fx.scene.condition(name, 'Stalled', 'True', /broken/)
    await fx.scene.condition(name, 'GitPolling', 'True')
    await fx.scene.current(name, await repo.commit({ a: 'good' }))
    await fx.scene.condition(name, 'Stalled', 'False', /^$/)
  })

  test('that may pass are shown and tried again', async () => {
    const hub = await fx.start()
    const repo = await fx.repository()
    const name = fx.unique()
    hub.publisher.act = async () => {
      if (hub.publishedFor(name).length < 2) throw new Error('chart repository does not answer')
    }
    await fx.scene.create(name, { repo: repo.url })
    await fx.scene.condition(name, 'Stalled', 'True', /chart repository does not answer/)
    await fx.scene.current(name, await repo.head())
    expect(hub.publishedFor(name)).toHaveLength(2)
  })

  test('of the server are shown, keep what there is, and heal', async () => {
    await fx.start()
    const server = await startGitServer()
    const repo = await server.repository('away')
    const name = fx.unique()
    const first = await repo.head()
    await fx.scene.create(name, { repo: repo.url })
    await fx.scene.current(name, first)
    await server.goAway()
    const { status } = await fx.scene.condition(name, 'GitPolling', 'False', /cannot be reached/)
    expect(status).toMatchObject({ commit: first, pollingCommit: first, gitJobStatus: 'Current' })
    await fx.scene.condition(name, 'Stalled', 'True', /cannot be reached/)
    await fx.scene.event(name, 'FailedToCheckCommit', /cannot be reached/)
    await server.comeBack()
    await fx.scene.condition(name, 'GitPolling', 'True', /^$/)
    await fx.scene.condition(name, 'Stalled', 'False', /^$/)
    await server.stop()
  })

  test('of a server that dribbles keep no worker from the others', async () => {
    const commit = 'a'.repeat(40)
    const silent = new Set<string>()
    const backend: GitBackend = {
      resolve: async () => commit,
      async fetch({ url }, _commit, into, _options, signal) {
        if (silent.has(url)) await once(signal, 'abort').then(() => signal.throwIfAborted())
        await mkdir(into)
      },
    }
    await fx.start({ backend, workers: 2 })
    const slow = Array.from({ length: 3 }, () => fx.unique())
    for (const name of slow) {
      silent.add(`https://slow.example/${name}`)
      await fx.scene.create(name, { repo: `https://slow.example/${name}` })
    }
    for (const name of slow) await fx.scene.condition(name, 'Reconciling', 'True', /is being fetched: its server is slow/)
    const name = fx.unique()
    await fx.scene.create(name, { repo: 'https://git.example/ok' })
    await fx.scene.current(name, commit)
    // none of them is left to the tests that follow, which would look for these servers
    const all = [...slow, name]
    for (const one of all) await fx.scene.remove(one)
    for (const one of all) await fx.scene.gone(one)
  })

  test('of a branch that is not there yet', async () => {
    const hub = await fx.start()
    const repo = await fx.repository()
    const name = fx.unique()
    await fx.scene.create(name, { repo: repo.url, branch: 'soon' })
    await fx.scene.condition(name, 'GitPolling', 'False', /commit not found for branch: soon/)
    expect(hub.publishedFor(name)).toEqual([])
    await fx.scene.current(name, await repo.commit({}, { branch: 'soon', from: 'master' }))
  })

  test('of a commit that does not exist', async () => {
    await fx.start()
    const repo = await fx.repository()
    const name = fx.unique()
    await fx.scene.create(name, { repo: repo.url, revision: 'f'.repeat(40) })
    await fx.scene.condition(name, 'Stalled', 'True', /has no commit ffff/)
    await fx.scene.edit(name, { revision: await repo.head() })
    await fx.scene.current(name, await repo.head())
  })

  test('of the address', async () => {
    await fx.start()
    const name = fx.unique()
    await fx.scene.create(name, { repo: 'git@git.example:team/app' })
    await fx.scene.condition(name, 'GitPolling', 'False', /needs an SSH private key/)
  })
})

describe('secrets', () => {
  test('open a private repository, and are picked up when they change', async () => {
    await fx.start()
    const repo = await fx.privateRepository()
    const [name, secret] = [fx.unique(), fx.unique()]
    await fx.scene.create(name, { repo: repo.url, clientSecretName: secret })
    await fx.scene.condition(name, 'GitPolling', 'False', /authentication required/)
    await fx.scene.condition(name, 'Accepted', 'False', new RegExp(`^Secret "${secret}" not found`))
    await fx.scene.secret(secret, { ...GIT_USER, password: 'wrong' })
    await fx.scene.condition(name, 'Accepted', 'True')
    await fx.scene.condition(name, 'GitPolling', 'False', /authentication required/)
    await fx.scene.secret(secret, GIT_USER)
    await fx.scene.current(name, await repo.head())
    await fx.scene.condition(name, 'GitPolling', 'True')
    await eventually(async () =>
      expect((await fx.scene.get(name)).metadata.annotations?.[CLIENT_SECRET_HASH_ANNOTATION]).toMatch(/^[0-9a-f]{64}$/),
    )
  })

  test('that are missing keep a public repository from being deployed', async () => {
    const hub = await fx.start()
    const repo = await fx.repository()
    const name = fx.unique()
    await fx.scene.create(name, { repo: repo.url, clientSecretName: 'nowhere' })
    await fx.scene.condition(name, 'Accepted', 'False', /Secret "nowhere" not found/)
    await fx.scene.condition(name, 'GitPolling', 'True')
    await fx.scene.event(name, 'FailedValidatingSecret', /nowhere/)
    expect(hub.publishedFor(name)).toEqual([])
    await fx.scene.edit(name, { clientSecretName: null })
    await fx.scene.current(name, await repo.head())
  })

  test('for charts make it read again when they change', async () => {
    const hub = await fx.start()
    const repo = await fx.repository()
    const [name, secret] = [fx.unique(), fx.unique()]
    await fx.scene.create(name, { repo: repo.url, helmSecretName: secret })
    await fx.scene.condition(name, 'Accepted', 'False', /failed to look up helmSecretName/)
    await fx.scene.secret(secret, { username: 'one' }, 'Opaque')
    await fx.scene.current(name, await repo.head())
    const hash = async (): Promise<string | undefined> => (await fx.scene.get(name)).metadata.annotations?.[HELM_SECRET_HASH_ANNOTATION]
    await eventually(async () => expect(await hash()).toBeDefined())
    const [before, times] = [await hash(), hub.publishedFor(name).length]
    await fx.scene.secret(secret, { username: 'two' }, 'Opaque')
    await eventually(async () => expect(await hash()).not.toBe(before))
    expect(hub.publishedFor(name)).toHaveLength(times + 1)
  })

  test('named gitcredential are used when none is named', async () => {
    await fx.start()
    const own = await fx.otherScene()
    const repo = await fx.privateRepository()
    await own.secret('gitcredential', GIT_USER)
    await own.create('any', { repo: repo.url })
    const { metadata } = await own.current('any', await repo.head())
    expect(metadata.annotations).toBeUndefined()
    await fx.client.delete({ apiVersion: 'v1', kind: 'Namespace', name: own.namespace })
  })
})

describe('restrictions', () => {
  test('that refuse a GitRepo keep it from asking its server', async () => {
    let isAllowed = false
    const authorize = () => (isAllowed ? { isAllowed: true as const } : { isAllowed: false as const, message: 'disallowed repo' })
    const hub = await fx.start({ authorize })
    const repo = await fx.repository()
    const name = fx.unique()
    await fx.scene.create(name, { repo: repo.url })
    await fx.scene.condition(name, 'Accepted', 'False', /^disallowed repo$/)
    await fx.scene.event(name, 'PolicyViolation', /disallowed repo/)
    expect([repo.requests(), hub.publishedFor(name)]).toEqual([[], []])
    isAllowed = true
    await fx.scene.edit(name, { paths: ['x'] })
    await fx.scene.current(name, await repo.head())
    await fx.scene.condition(name, 'Accepted', 'True')
  })

  test('fill in what the spec leaves empty', async () => {
    const hub = await fx.start({ authorize: () => ({ isAllowed: true, defaults: { serviceAccount: 'team', clientSecretName: '' } }) })
    const repo = await fx.repository()
    const names = [fx.unique(), fx.unique()] as const
    await fx.scene.create(names[0], { repo: repo.url })
    await fx.scene.create(names[1], { repo: repo.url, serviceAccount: 'own' })
    for (const name of names) await fx.scene.current(name, await repo.head())
    expect((await fx.scene.get(names[0])).spec.serviceAccount).toBe('team')
    expect((await fx.scene.get(names[1])).spec.serviceAccount).toBe('own')
    expect(hub.publishedFor(names[0]).at(-1)?.gitRepo.spec.serviceAccount).toBe('team')
  })
})

describe('deleting a GitRepo', () => {
  test('removes its bundles first, and says what it waits for', async () => {
    const hub = await fx.start()
    const repo = await fx.repository()
    const name = fx.unique()
    await fx.scene.create(name, { repo: repo.url, targetNamespace: 'not-there', deleteNamespace: true })
    await fx.scene.current(name, await repo.head())
    hub.publisher.remaining = Array.from({ length: 100 }, () => 1)
    await fx.scene.remove(name)
    await fx.scene.condition(name, 'Reconciling', 'True', /waiting for its bundles to go, 1 left/)
    hub.publisher.remaining = []
    await fx.scene.gone(name)
    expect(hub.publisher.removed.filter((one) => one === name).length).toBeGreaterThan(2)
  })

  test('takes the target namespace with it if asked to', async () => {
    await fx.start()
    const [target, kept] = [await createNamespace(fx.client, 'target'), await createNamespace(fx.client, 'target')]
    const repo = await fx.repository()
    const names = [fx.unique(), fx.unique()] as const
    await fx.scene.create(names[0], { repo: repo.url, targetNamespace: target, deleteNamespace: true })
    await fx.scene.create(names[1], { repo: repo.url, targetNamespace: kept })
    for (const name of names) {
      await fx.scene.current(name, await repo.head())
      await fx.scene.remove(name)
      await fx.scene.gone(name)
    }
    const find = (name: string) => fx.client.find({ apiVersion: 'v1', kind: 'Namespace', name })
    const left = await find(target)
    expect(left === undefined || left.metadata.deletionTimestamp !== undefined).toBe(true)
    expect((await find(kept))?.metadata.deletionTimestamp).toBeUndefined()
    await fx.client.delete({ apiVersion: 'v1', kind: 'Namespace', name: kept })
  })

  test('ends a reading under way', async () => {
    const hub = await fx.start()
    hub.publisher.act = (_call, signal) => new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    const repo = await fx.repository()
    const name = fx.unique()
    await fx.scene.create(name, { repo: repo.url })
    await eventually(() => expect(hub.publishedFor(name)).toHaveLength(1))
    await fx.scene.remove(name)
    await fx.scene.gone(name)
  })

  test('needs neither its server nor permission', async () => {
    const name = fx.unique()
    await fx.start({ authorize: () => ({ isAllowed: false, message: 'no' }) })
    await fx.scene.create(name, { repo: 'https://127.0.0.1:1/none' })
    await fx.scene.condition(name, 'Accepted', 'False')
    await fx.scene.remove(name)
    await fx.scene.gone(name)
  })
})
