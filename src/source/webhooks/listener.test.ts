import { createHmac } from 'node:crypto'
import { connect } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import type { GitRepo } from '../../api/git-repo.ts'
import { systemClock } from '../../lib/controller/clock.ts'
import { silentLogger } from '../../lib/controller/log.ts'
import type { KubeClient } from '../../lib/kube/client.ts'
import { ApiError } from '../../lib/kube/errors.ts'
import type { Informer, InformerFactory } from '../../lib/kube/informer.ts'
import type { KubeObject, ObjectRef } from '../../lib/kube/types.ts'
import { createFakeClock } from '../../testing/fake-clock.ts'
import { createWebhookListener } from './listener.ts'
import { type AnswerWebhook, createReceiver } from './receiver.ts'

const COMMIT = 'c'.repeat(40)
const URL = 'https://git.example/team/app'
const PUSH = JSON.stringify({ ref: 'refs/heads/main', after: COMMIT, repository: { html_url: URL } })

const running: { stop(): Promise<void> }[] = []
afterEach(async () => {
  for (const one of running.splice(0)) await one.stop()
})

async function start(answer: AnswerWebhook): Promise<string> {
  const stop = new AbortController()
  let done: Promise<void> = Promise.resolve()
  const port = await new Promise<number>((resolve, reject) => {
    const listener = createWebhookListener({
      host: '127.0.0.1',
      port: 0,
      answer,
      clock: systemClock,
      log: silentLogger,
      onListening: resolve,
    })
    done = listener.run(stop.signal)
    done.catch(reject)
  })
  running.push({
    async stop() {
      stop.abort()
      await done
    },
  })
  return `http://127.0.0.1:${port}`
}

function informerOf<T extends KubeObject>(objects: readonly T[]): Informer<T> {
  return {
    synced: true,
    get: (name, namespace) => objects.find(({ metadata }) => metadata.name === name && metadata.namespace === namespace),
    list: () => objects,
    by: () => [],
    subscribe: () => () => {},
    waitSynced: async () => {},
  }
}

function gitRepo(name: string, spec: Partial<GitRepo['spec']> = {}): GitRepo {
  return { apiVersion: 'fleet.cattle.io/v1alpha1', kind: 'GitRepo', metadata: { name, namespace: 'n' }, spec: { repo: URL, ...spec } }
}

/** A receiver over these objects; `requests` tells what it sent. */
function receiverOf(gitRepos: readonly GitRepo[], secrets: Readonly<Record<string, Record<string, string>>> = {}) {
  const requests: string[] = []
  const metadata = Object.keys(secrets).map((key) => {
    const [namespace = '', name = ''] = key.split('/')
    return { apiVersion: 'v1', kind: 'Secret', metadata: { namespace, name, resourceVersion: '1' } }
  })
  const informers = {
    informer: ({ type }: { type: { kind: string } }) => informerOf<KubeObject>(type.kind === 'GitRepo' ? gitRepos : metadata),
  } as unknown as InformerFactory
  const client = {
    async find({ namespace, name }: ObjectRef) {
      requests.push(`find ${namespace}/${name}`)
      const data = Object.entries(secrets[`${namespace}/${name}`] ?? {}).map(([key, text]) => [key, Buffer.from(text).toString('base64')])
      return { metadata: { namespace, name, resourceVersion: '1' }, data: Object.fromEntries(data) }
    },
    async patch({ namespace, name }: ObjectRef, body: { status?: object; spec?: object }) {
      requests.push(`patch ${namespace}/${name} ${JSON.stringify(body.status ?? body.spec)}`)
      const found = gitRepos.find(({ metadata }) => metadata.name === name)
      if (!found || name === 'gone') throw new ApiError({ status: 404, reason: 'NotFound', message: 'gone' })
      return found
    },
  } as unknown as KubeClient
  const clock = createFakeClock()
  const answer = createReceiver({ client, informers, systemNamespace: 'system', clock, log: silentLogger })
  return { requests, clock, answer }
}

const headers = { 'x-github-event': 'push' }
const sign = (key: string): Record<string, string> => ({
  ...headers,
  'x-hub-signature-256': `sha256=${createHmac('sha256', key).update(PUSH).digest('hex')}`,
})

async function post(url: string, init: RequestInit = {}): Promise<{ status: number; text: string }> {
  const response = await fetch(url, { method: 'POST', body: PUSH, headers, ...init })
  return { status: response.status, text: await response.text() }
}

describe('a push', () => {
  test('is noted in the status, and an unset interval becomes an hour', async () => {
    const { requests, answer } = receiverOf([gitRepo('a'), gitRepo('b', { pollingInterval: '5m' }), gitRepo('other', { repo: `${URL}x` })])
    expect(await post(`${await start(answer)}/any/path`)).toEqual({ status: 200, text: 'succeeded' })
    const status = JSON.stringify({ webhookCommit: COMMIT, lastWebhookTime: '2026-01-01T00:00:00Z' })
    expect(requests.toSorted()).toEqual([
      `patch n/a ${JSON.stringify({ pollingInterval: '1h0m0s' })}`,
      `patch n/a ${status}`,
      `patch n/b ${status}`,
    ])
  })

  test('for a GitRepo that has just gone is fine', async () => {
    expect((await post(await start(receiverOf([gitRepo('gone')]).answer))).status).toBe(200)
  })

  test('is checked with the secret of the GitRepo, or the one for all, each read once', async () => {
    const secrets = { 'n/own': { github: 'own' }, 'system/gitjob-webhook': { github: 'all' } }
    const { requests, answer } = receiverOf(
      [gitRepo('a', { webhookSecret: 'own', pollingInterval: '5m' }), gitRepo('b', { pollingInterval: '5m' })],
      secrets,
    )
    const url = await start(answer)
    const hinted = () => requests.filter((request) => request.startsWith('patch')).map((request) => request.slice(0, 9))
    expect((await post(url, { headers: sign('wrong') })).status).toBe(401)
    expect((await post(url, { headers: sign('own') })).status).toBe(200)
    expect(hinted()).toEqual(['patch n/a'])
    expect((await post(url, { headers: sign('all') })).status).toBe(200)
    expect(hinted()).toEqual(['patch n/a', 'patch n/b'])
    expect(requests.filter((request) => request.startsWith('find')).toSorted()).toEqual(['find n/own', 'find system/gitjob-webhook'])
  })

  test('is refused where the secret is missing', async () => {
    const { requests, answer } = receiverOf([gitRepo('a', { webhookSecret: 'nowhere' })])
    expect(await post(await start(answer))).toEqual({ status: 500, text: 'Webhook processing failed' })
    expect(requests).toEqual([])
  })

  test('from strangers is taken only so often', async () => {
    const { requests, clock, answer } = receiverOf([gitRepo('a', { pollingInterval: '5m' })])
    const url = await start(answer)
    const statuses: number[] = []
    for (let i = 0; i < 22; i++) statuses.push((await post(url)).status)
    expect([statuses.filter((status) => status === 200).length, statuses.at(-1)]).toEqual([20, 429])
    expect(requests).toHaveLength(20)
    await clock.advance(3_000)
    expect((await post(url)).status).toBe(200)
  })
})

describe('the listener', () => {
  test('takes no more than 1 MiB, announced or not', async () => {
    const url = await start(async (_request, readBody) => ({ status: 200, body: `${(await readBody()).length}` }))
    expect(await post(url, { body: Buffer.alloc(1 << 20) })).toEqual({ status: 200, text: '1048576' })
    expect((await post(url, { body: Buffer.alloc((1 << 20) + 1) })).status).toBe(413)
    const stream = new ReadableStream({
      start(controller) {
        for (let i = 0; i < 17; i++) controller.enqueue(new Uint8Array(1 << 16))
        controller.close()
      },
    })
    expect((await post(url, { body: stream, duplex: 'half' } as RequestInit)).status).toBe(413)
  })

  test('tells nothing about what went wrong', async () => {
    const url = await start(async () => {
      throw new Error('secret')
    })
    expect(await post(url)).toEqual({ status: 500, text: 'Webhook processing failed' })
  })

  test('survives connections that break off', async () => {
    const url = await start(async (_request, readBody) => ({ status: 200, body: `${(await readBody()).length}` }))
    const socket = connect(Number(new globalThis.URL(url).port), '127.0.0.1')
    await new Promise<void>((resolve) => socket.write('POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nabc', () => resolve()))
    socket.destroy()
    expect((await post(url)).status).toBe(200)
  })
})
