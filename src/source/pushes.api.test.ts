// Pushes and restrictions on a real API server: the receiver runs as another replica would, and the controller only sees what that leaves in the status.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { FLEET_API_VERSION, GIT_REPO, POLICY } from '../api/kinds.ts'
import { systemClock } from '../lib/controller/clock.ts'
import { silentLogger } from '../lib/controller/log.ts'
import { createInformerFactory, type InformerFactory } from '../lib/kube/informer.ts'
import { consistently, eventually, quiet } from '../testing/eventually.ts'
import { useSource } from '../testing/source-hub.ts'
import { createRestrictions } from './restrictions.ts'
import { type AnswerWebhook, createReceiver } from './webhooks/receiver.ts'

const fx = useSource()
const stop = new AbortController()
let replica: InformerFactory
let answer: AnswerWebhook

beforeAll(async () => {
  const { client } = fx
  replica = createInformerFactory(client, { log: silentLogger })
  answer = createReceiver({ client, informers: replica, systemNamespace: 'cattle-fleet-system', clock: systemClock, log: silentLogger })
  replica.start(stop.signal)
  await replica.waitSynced()
})
afterAll(async () => {
  stop.abort()
  await replica?.stop()
})

async function push(url: string, commit: string): Promise<number> {
  const body = Buffer.from(JSON.stringify({ ref: 'refs/heads/master', after: commit, repository: { html_url: url } }))
  const request = { method: 'POST', headers: { 'x-github-event': 'push' }, address: 'test' }
  return (await answer(request, async () => body)).status
}

describe('a push', () => {
  test.each([{ pollingInterval: '1h' }, { disablePolling: true }])('makes the controller look at once: %j', async (spec) => {
    const hub = await fx.start()
    const repo = await fx.repository()
    const name = fx.unique()
    await fx.scene.create(name, { repo: repo.url, ...spec })
    await fx.scene.current(name, await repo.head())
    const next = await repo.commit({ a: '2' })
    await quiet(hub.writes)
    hub.writes.length = 0
    expect(await push(repo.url, next)).toBe(200)
    const { status } = await fx.scene.current(name, next)
    expect(status?.webhookCommit).toBe(next)
    expect(hub.writes.filter((write) => write.endsWith(`/${name}`))).toEqual([`patch status GitRepo ${fx.scene.namespace}/${name}`])
  })

  test('of one commit deploys what the server has, and the status says which', async () => {
    await fx.start()
    const repo = await fx.repository()
    const name = fx.unique()
    await fx.scene.create(name, { repo: repo.url, pollingInterval: '1h' })
    const first = await repo.head()
    await fx.scene.current(name, first)
    const [pushed, head] = [await repo.commit({ a: '2' }), await repo.commit({ a: '3' })]
    await push(repo.url, pushed)
    expect((await fx.scene.current(name, head)).status?.webhookCommit).toBe(head)
  })

  test('of a commit that the server never shows is given up, and does not stand in the way of the next', async () => {
    await fx.start()
    const repo = await fx.repository()
    const name = fx.unique()
    await fx.scene.create(name, { repo: repo.url, pollingInterval: '1h' })
    const first = await repo.head()
    await fx.scene.current(name, first)
    const asked = repo.requests().length
    await push(repo.url, 'f'.repeat(40))
    await eventually(async () => expect((await fx.scene.get(name)).status?.webhookCommit).toBe(first), { timeoutMs: 60_000 })
    await fx.scene.event(name, 'WebhookCommitNotVisible', /fff, which/)
    expect(repo.requests().length).toBeLessThan(asked + 40)
    const next = await repo.commit({ a: '2' })
    await push(repo.url, next)
    await fx.scene.current(name, next)
  })
})

describe('a policy', () => {
  test('counts as soon as it comes, and no longer when it goes', async () => {
    const scene = await fx.otherScene()
    const { authorize, informers: restrictions } = createRestrictions(replica)
    await replica.waitSynced()
    await fx.start({ authorize, restrictions })
    const repo = await fx.repository()
    await scene.create('app', { repo: repo.url })
    await scene.current('app', await repo.head())
    const policy = { ...POLICY, name: 'rules', namespace: scene.namespace }
    await fx.client.create({
      apiVersion: FLEET_API_VERSION,
      kind: policy.kind,
      metadata: { name: policy.name, namespace: policy.namespace },
      requireServiceAccount: true,
    } as never)
    await scene.condition('app', 'Accepted', 'False', /^serviceAccount is required by Policy but is not set$/)
    const next = await repo.commit({ a: '2' })
    await consistently(async () => expect((await scene.get('app')).status?.commit).not.toBe(next), { forMs: 3_000 })
    await fx.client.delete(policy)
    await scene.current('app', next)
    await scene.condition('app', 'Accepted', 'True')
    await fx.client.delete({ ...GIT_REPO, name: 'app', namespace: scene.namespace })
    await scene.gone('app')
    await fx.client.delete({ apiVersion: 'v1', kind: 'Namespace', name: scene.namespace })
  })
})
