// Repositories as companies have them: behind proxies, with certificates of their own, by ssh, on servers that break; a push is told by a signed webhook.
import { createHmac } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { createServer, request as forward, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { GitRepo, GitRepoSpec } from '../../api/git-repo.ts'
import { FLEET_API_VERSION, GIT_REPO } from '../../api/kinds.ts'
import { getCondition } from '../../lib/controller/conditions.ts'
import type { KubeObject } from '../../lib/kube/types.ts'
import { eventually } from '../eventually.ts'
import { configMap, configMapRef } from '../fleet.ts'
import { type GitServer, type ServedRepository, startGitServer } from '../git-server.ts'
import { type InstalledScene, SYSTEM_NAMESPACE, startInstalledScene } from '../installed.ts'
import { SSH_SERVER_PROBLEM, type SshServer, startSshServer } from '../ssh-server.ts'
import { startConnectProxy, startSocksProxy, type WayProxy } from '../way-proxies.ts'

const WORKSPACE = 'fleet-local'
const IN_SYSTEM = ['--namespace', SYSTEM_NAMESPACE]
/** Only the proxies find it. */
const HOST = 'git.example'
const ZEROS = Buffer.alloc(2 ** 20)
const TEN_GIGABYTES = 10 * 2 ** 30
let scene: InstalledScene
let plain: GitServer
let encrypted: GitServer
let web: WayProxy
let socks: WayProxy
let ssh: SshServer | undefined

beforeAll(async () => {
  if (SSH_SERVER_PROBLEM) process.stdout.write(`git over ssh skipped: ${SSH_SERVER_PROBLEM}\n`)
  ;[plain, encrypted, web, socks] = await Promise.all([
    startGitServer(),
    startGitServer({ tls: true }),
    startConnectProxy(),
    startSocksProxy({ username: 'fleet', password: 'PROXY-CANARY' }),
  ])
  if (!SSH_SERVER_PROBLEM) ssh = await startSshServer()
  scene = await startInstalledScene(['hub'])
  await scene.helm('hub', ['install', 'fleet-crd', 'charts/fleet-crd', ...IN_SYSTEM, '--create-namespace'])
  const values = {
    apiServerURL: hub().url,
    apiServerCA: hub().ca,
    gitClientTimeout: '3s',
    proxy: `http://127.0.0.1:${web.port}`,
    noProxy: '10.0.0.0/8,.svc',
    extraEnv: [{ name: 'ALL_PROXY', value: `socks5://fleet:PROXY-CANARY@127.0.0.1:${socks.port}` }],
  }
  writeFileSync(join(scene.dir, 'values.json'), JSON.stringify(values))
  const from = ['--values', join(scene.dir, 'values.json'), '--wait', '--timeout', '2m']
  await scene.helm('hub', ['install', 'fleet', 'charts/fleet', ...IN_SYSTEM, ...from])
})
afterAll(async () => {
  await scene?.stop()
  await Promise.all([plain, encrypted, web, socks, ssh].map((one) => one?.stop()))
})

const hub = () => scene.clusters.hub!
const base64 = (text: string): string => Buffer.from(text).toString('base64')

async function follow(name: string, spec: Partial<GitRepoSpec> & { repo: string }): Promise<void> {
  const full = { branch: 'master', pollingInterval: '1s', targetNamespace: name, targets: [{ clusterSelector: {} }], ...spec }
  const gitRepo = { apiVersion: FLEET_API_VERSION, kind: 'GitRepo', metadata: { name, namespace: WORKSPACE }, spec: full }
  await hub().client.apply(gitRepo as KubeObject, { fieldManager: 'story', force: true })
}

async function secret(name: string, type: string, data: Readonly<Record<string, string>>): Promise<void> {
  const encoded = Object.fromEntries(Object.entries(data).map(([key, value]) => [key, base64(value)]))
  const object = { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace: WORKSPACE }, type, data: encoded }
  await hub().client.apply(object as KubeObject, { fieldManager: 'story', force: true })
}

/** Waits for an object that a GitRepo deploys. */
function arrives(name: string, object: string, everyMs = 100): Promise<unknown> {
  return eventually(() => hub().client.get(configMapRef(object, name)), {
    what: `ConfigMap ${object} of GitRepo ${name}`,
    timeoutMs: 120_000,
    everyMs,
  })
}

/** Waits for a condition whose message matches; returns what the GitRepo says. */
function says(name: string, type: string, status: string, message: RegExp): Promise<GitRepo> {
  return eventually(
    async () => {
      const gitRepo = await hub().client.get<GitRepo>({ ...GIT_REPO, name, namespace: WORKSPACE })
      const condition = getCondition(gitRepo.status?.conditions, type)
      expect(condition?.status, JSON.stringify(gitRepo.status?.conditions)).toBe(status)
      expect(condition?.message ?? '').toMatch(message)
      return gitRepo
    },
    { what: `GitRepo ${name}: ${type}=${status}`, timeoutMs: 120_000 },
  )
}

test('a server with a certificate of its own, behind the proxy of the values', async () => {
  const repository = await encrypted.repository('encrypted', { 'one.yaml': configMap('one') })
  const repo = repository.url.replace('127.0.0.1', HOST)
  await follow('encrypted', { repo })
  await says(
    'encrypted',
    'GitPolling',
    'False',
    /certificate of the server of https:\/\/git\.example:\d+\/encrypted\.git is signed by an unknown authority/,
  )
  await follow('encrypted', { repo, caBundle: base64(encrypted.ca) })
  await arrives('encrypted', 'one')
  await says('encrypted', 'GitPolling', 'True', /^$/)
  expect(web.seen.some((target) => target === new URL(repo).host)).toBe(true)
})

test.skipIf(SSH_SERVER_PROBLEM !== undefined)('an ssh server behind the proxy for everything; key and host key are checked', async () => {
  const server = ssh!
  const repository = await plain.repository('by-ssh', { 'one.yaml': configMap('one') })
  const repo = server.url(repository.dir).replace('127.0.0.1', HOST)
  const knownHosts = server.knownHosts.replace('127.0.0.1', HOST)
  await secret('ssh', 'kubernetes.io/ssh-auth', { 'ssh-privatekey': server.keys.ed25519, known_hosts: knownHosts.replace(HOST, 'other') })
  await follow('by-ssh', { repo, clientSecretName: 'ssh' })
  await says('by-ssh', 'GitPolling', 'False', /unknown host key of \[git\.example\]/)
  await secret('ssh', 'kubernetes.io/ssh-auth', { 'ssh-privatekey': server.keys.ed25519, known_hosts: knownHosts })
  await arrives('by-ssh', 'one')
  expect(socks.seen[0]).toBe(`fleet:PROXY-CANARY@${HOST}:${server.port}`)

  socks.mood = 'refuses'
  socks.cut()
  const { status } = await says(
    'by-ssh',
    'GitPolling',
    'False',
    /the proxy socks5:\/\/127\.0\.0\.1:\d+ refuses the way to ssh:\/\/git\.example/,
  )
  expect(JSON.stringify(status)).not.toContain('CANARY')
  socks.mood = 'good'
  await repository.commit({ 'two.yaml': configMap('two') })
  await arrives('by-ssh', 'two')
})

test('a push that a signed webhook tells of; what a stranger says is not heard', async () => {
  const repository = await plain.repository('pushed', { 'one.yaml': configMap('one') })
  await secret('webhook', 'Opaque', { github: 'WEBHOOK-KEY' })
  await follow('pushed', { repo: repository.url, pollingInterval: '1h', webhookSecret: 'webhook' })
  await arrives('pushed', 'one')

  const commit = await repository.commit({ 'two.yaml': configMap('two') })
  const pushed = performance.now()
  const body = JSON.stringify({ ref: 'refs/heads/master', after: commit, repository: { html_url: repository.url.replace(/\.git$/, '') } })
  const send = (key: string): Promise<Response> =>
    fetch(scene.webhooks, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-github-event': 'push',
        'x-hub-signature-256': `sha256=${createHmac('sha256', key).update(body).digest('hex')}`,
      },
      body,
    })
  const requests = repository.requests().length
  expect((await send('guessed')).status).toBeGreaterThanOrEqual(400)
  expect(repository.requests()).toHaveLength(requests)
  expect((await send('WEBHOOK-KEY')).status).toBe(200)
  await arrives('pushed', 'two', 20)
  const ms = Math.round(performance.now() - pushed)
  process.stdout.write(`a push was deployed ${ms} ms after it was made, told by a signed webhook\n`)
  expect(ms).toBeLessThan(20_000) // budget 2 s on a quiet machine
})

describe('a server that', () => {
  type Mood = 'good' | 'hangs' | 'dies in the middle of a pack' | 'sends garbage for a pack' | 'sends ten gigabytes of zeros for a pack'
  let mood: Mood
  let sent = 0
  let front: ReturnType<typeof createServer>
  let broken: ServedRepository
  let sound: ServedRepository
  let serial = 0

  beforeAll(async () => {
    front = createServer((request, response) => {
      answer(request, response).catch(() => response.destroy()) // the client went away, or was cut off, in the middle of its request
    })
    await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve))
    ;[broken, sound] = (await Promise.all(
      ['broken', 'sound'].map((name) => plain.repository(name, { 'zero.yaml': configMap('zero') })),
    )) as [ServedRepository, ServedRepository]
    mood = 'good'
    await follow('broken', { repo: `http://127.0.0.1:${(front.address() as AddressInfo).port}/broken.git` })
    await follow('sound', { repo: sound.url })
    await Promise.all([arrives('broken', 'zero'), arrives('sound', 'zero')])
  })
  beforeEach(() => {
    sent = 0
    serial++
  })
  afterEach(() => {
    mood = 'good'
    front.closeAllConnections()
  })
  afterAll(() => {
    front?.closeAllConnections()
    front?.close()
  })

  /** Passes all on to the git server, but for what its mood says. */
  async function answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const pieces: Buffer[] = []
    for await (const piece of incoming) pieces.push(piece as Buffer)
    const body = Buffer.concat(pieces)
    if (mood === 'hangs') return
    if (mood !== 'good' && /want [0-9a-f]{40}/.test(body.toString('latin1'))) return spoil(response)
    const { method, headers } = incoming
    const upstream = forward(new URL(incoming.url ?? '/', plain.url), { method, headers }, (answered) => {
      response.writeHead(answered.statusCode ?? 502, answered.headers)
      answered.pipe(response)
    })
    upstream.on('error', () => response.destroy())
    upstream.end(body)
  }

  async function spoil(response: ServerResponse): Promise<void> {
    response.writeHead(200, { 'content-type': 'application/x-git-upload-pack-result' })
    if (mood === 'sends garbage for a pack') return void response.end('0008NAK\n0024\u0001PACK, or what was one, and more')
    if (mood === 'dies in the middle of a pack') return void response.write('0008NAK\n0011\u0001PACK\0\0\0\u0002', () => response.destroy())
    const gone = new Promise((resolve) => response.once('close', resolve))
    while (!response.destroyed && sent < TEN_GIGABYTES) {
      sent += ZEROS.length
      if (!response.write(ZEROS)) await Promise.race([new Promise((resolve) => response.once('drain', resolve)), gone])
    }
    response.end()
  }

  test.each<[Mood, string, RegExp]>([
    ['hangs', 'GitPolling', /did not answer in time/],
    ['dies in the middle of a pack', 'Stalled', /cannot be reached|broken pack|ended|closed/],
    ['sends garbage for a pack', 'Stalled', /broken pack|not a git repository/],
    ['sends ten gigabytes of zeros for a pack', 'Stalled', /sends more than|broken pack|not a git repository/],
  ])('%s takes nothing away, harms nobody else, and is forgiven', async (how, type, message) => {
    mood = how
    const [one, another] = [`broken-${serial}`, `sound-${serial}`]
    const commit = await broken.commit({ [`${one}.yaml`]: configMap(one) })
    const { status } = await says('broken', type, type === 'Stalled' ? 'True' : 'False', message)
    expect(status?.commit).not.toBe(commit)
    await hub().client.get(configMapRef('zero', 'broken'))
    await sound.commit({ [`${another}.yaml`]: configMap(another) })
    await arrives('sound', another)
    expect(sent).toBeLessThan(2 * 2 ** 30)

    mood = 'good'
    await arrives('broken', one)
    await says('broken', 'Stalled', 'False', /^$/)
  })

  test('did any of that has not brought down a program of the hub', async () => {
    interface Pod extends KubeObject {
      readonly status?: { readonly containerStatuses?: readonly { readonly name: string; readonly restartCount: number }[] }
    }
    const { items } = await hub().client.list<Pod>({ apiVersion: 'v1', kind: 'Pod' }, { namespace: SYSTEM_NAMESPACE })
    const restarts = items.flatMap(({ status }) => status?.containerStatuses ?? []).filter(({ restartCount }) => restartCount > 0)
    expect(restarts).toEqual([])
  })
})
