// What the tests on a real API server share: registries, a git server, a clock that the test moves, and short ways to make and look at objects.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest'
import type { GitRepo, GitRepoSpec } from '../api/git-repo.ts'
import type { ImageScan, ImageScanSpec } from '../api/image-scan.ts'
import { GIT_REPO, IMAGE_SCAN } from '../api/kinds.ts'
import { silentLogger } from '../lib/controller/log.ts'
import { createManager } from '../lib/controller/manager.ts'
import { createGitWorkerBackend, type GitWorkerBackend } from '../lib/git/worker-backend.ts'
import { createClient, type KubeClient } from '../lib/kube/client.ts'
import { loadConnection } from '../lib/kube/connection.ts'
import { createInformerFactory } from '../lib/kube/informer.ts'
import type { KubeObject, ObjectRef } from '../lib/kube/types.ts'
import { createRegistries, type Registries } from '../lib/oci/registry.ts'
import { testCluster, uniqueNamespace } from '../testing/cluster.ts'
import { eventually } from '../testing/eventually.ts'
import { createFakeClock, type FakeClock } from '../testing/fake-clock.ts'
import { type GitServer, type ServedRepository, startGitServer } from '../testing/git-server.ts'
import { type ImageRegistryServer, startImageRegistry } from '../testing/image-registry.ts'
import { createImageRegistry } from './registry.ts'
import { createImageScanController } from './scan-controller.ts'
import { createWriteBackController } from './write-back-controller.ts'

export const MINUTE = 60_000
const A_MOMENT_MS = 300
const WRITER = { username: 'writer', password: 'git-canary-1618' }
const PULLER = { username: 'puller', password: 'pull-canary-5772' }

/** A scene for all tests of a file; each has a namespace and a clock of its own. */
export function useImageScans() {
  let client: KubeClient
  let ws: string
  let dir: string
  let clock: FakeClock
  const writes: string[] = []
  let stop: (() => Promise<void>) | undefined
  let git: GitServer
  let backend: GitWorkerBackend
  let registries: Registries
  let registry: ImageRegistryServer
  let guarded: ImageRegistryServer
  let encrypted: ImageRegistryServer
  let serial = 0

  beforeAll(async () => {
    client = createClient(await loadConnection({ kubeconfig: testCluster('hub').kubeconfig }))
    dir = await mkdtemp(join(tmpdir(), 'imagescan-test-'))
    git = await startGitServer({ auth: WRITER })
    backend = createGitWorkerBackend()
    registries = createRegistries()
    ;[registry, guarded, encrypted] = await Promise.all([
      startImageRegistry(),
      startImageRegistry({ auth: PULLER }),
      startImageRegistry({ auth: PULLER, tls: true }),
    ])
  })

  beforeEach(async () => {
    ws = uniqueNamespace('imagescan')
    await client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: ws } })
    clock = createFakeClock(Date.parse('2026-03-01T00:00:00Z'))
    writes.length = 0
  })

  afterEach(async () => {
    await stop?.()
    stop = undefined
  })

  afterAll(async () => {
    await Promise.all([client?.close(), git?.stop(), backend?.close(), registries?.close()])
    await Promise.all([registry, guarded, encrypted].map((one) => one?.down()))
    await rm(dir, { recursive: true, force: true })
  })

  /** Starts both controllers as a new process would; `over` stands between them and git. */
  async function start(over: (git: GitWorkerBackend) => GitWorkerBackend = (git) => git): Promise<void> {
    const factory = createInformerFactory(client, { log: silentLogger })
    const counting: KubeClient = {
      ...client,
      patch: (...call) => {
        writes.push(`${call[0].kind} ${call[0].name}`)
        return client.patch(...call)
      },
    }
    const common = {
      client: counting,
      informers: { ...factory, informer: ((options) => factory.informer({ ...options, namespace: ws })) as typeof factory.informer },
      log: silentLogger,
      clock,
      random: () => 0,
      workers: 4,
      handles: () => true,
    }
    const scans = createImageScanController({ ...common, registry: createImageRegistry(registries) })
    const commits = createWriteBackController({
      ...common,
      backend: over(backend),
      tempDir: dir,
      pid: process.pid,
      authorize: ({ spec }) =>
        spec.targetNamespace === 'forbidden' ? { isAllowed: false, message: 'not in this workspace' } : { isAllowed: true },
    })
    const stopping = new AbortController()
    const running = createManager({ informers: [factory], controllers: [scans, commits], log: silentLogger }).run(stopping.signal)
    stop = async () => {
      stopping.abort()
      await running
    }
    await factory.waitSynced()
  }

  const ref = (kind: { apiVersion: string; kind: string }, name: string): ObjectRef => ({ ...kind, name, namespace: ws })
  const image = (name: string, server = registry): string => `${server.host}/${name}`
  const unique = (prefix: string): string => `${prefix}-${serial++}`

  async function createScan(name: string, spec: Partial<ImageScanSpec> & { image: string }): Promise<void> {
    const full = { interval: '1m', tagName: 'app', gitrepoName: 'repo', policy: {}, ...spec }
    await client.create<ImageScan>({ ...IMAGE_SCAN, metadata: { name, namespace: ws }, spec: full })
  }

  const patchScan = (name: string, spec: object) => client.patch(ref(IMAGE_SCAN, name), { spec }, { type: 'merge' })

  async function createSecret(name: string, type: string, data: Readonly<Record<string, string>>): Promise<void> {
    await client.create({ apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace: ws }, type, stringData: data } as KubeObject)
  }

  async function createPullSecret(name: string, server: ImageRegistryServer, more: Readonly<Record<string, string>> = {}): Promise<void> {
    const auths = { [server.host]: { auth: Buffer.from(`${PULLER.username}:${PULLER.password}`).toString('base64') } }
    await createSecret(name, 'kubernetes.io/dockerconfigjson', { '.dockerconfigjson': JSON.stringify({ auths }), ...more })
  }

  /** A repository that may be written to, and a GitRepo that asks for it. */
  async function createGitRepo(files: Readonly<Record<string, string>>, spec: Partial<GitRepoSpec> = {}): Promise<ServedRepository> {
    const repository = await git.repository(unique('scan'), files)
    await repository.git(['config', 'http.receivepack', 'true'])
    await createSecret('push', 'kubernetes.io/basic-auth', WRITER)
    const imageScanCommit = { authorName: 'Robot', authorEmail: 'robot@example.com', messageTemplate: 'images{{ printf " %d" 1 }}' }
    const full = { repo: repository.url, clientSecretName: 'push', imageScanInterval: '10m', imageScanCommit, ...spec }
    await client.create<GitRepo>({ ...GIT_REPO, metadata: { name: 'repo', namespace: ws }, spec: full })
    return repository
  }

  /** Lets the controllers work on what they were told, and waits until `check` holds. */
  function settles(check: () => Promise<void>): Promise<void> {
    return eventually(
      async () => {
        await clock.advance(A_MOMENT_MS)
        await check()
      },
      { timeoutMs: 60_000, everyMs: 20 },
    )
  }

  const scanStatus = async (name: string) => (await client.get<ImageScan>(ref(IMAGE_SCAN, name))).status ?? {}
  const repoStatus = async () => (await client.get<GitRepo>(ref(GIT_REPO, 'repo'))).status ?? {}

  function scanned(name: string, expected: object): Promise<void> {
    return settles(async () => expect(await scanStatus(name)).toMatchObject(expected))
  }

  const fails = (name: string, message: RegExp) =>
    scanned(name, {
      conditions: expect.arrayContaining([
        expect.objectContaining({ type: 'ImageScanned', status: 'False', message: expect.stringMatching(message) }),
        expect.objectContaining({ type: 'Stalled', status: 'True', message: expect.stringMatching(message) }),
      ]),
    })

  const synced = (status: string, message: RegExp = /^$/) =>
    settles(async () => {
      const found = (await repoStatus()).conditions?.find(({ type }) => type === 'ImageSynced')
      expect({ status: found?.status, message: found?.message ?? '' }).toEqual({ status, message: expect.stringMatching(message) })
    })

  /** What stays true for a while, in which nothing is written and nobody asked. */
  async function nothingMore(forMs = 20 * A_MOMENT_MS): Promise<void> {
    const before = [writes.length, registry.seen.length]
    for (let passed = 0; passed < forMs; passed += A_MOMENT_MS) {
      await clock.advance(A_MOMENT_MS)
      if (passed % 3_000 === 0) await new Promise((resolve) => setTimeout(resolve, 20))
    }
    expect([writes.slice(before[0]), registry.seen.slice(before[1])]).toEqual([[], []])
  }
  return {
    writes,
    start,
    restart: async () => {
      await stop?.()
      await start()
    },
    ref,
    image,
    unique,
    createScan,
    patchScan,
    createSecret,
    createPullSecret,
    createGitRepo,
    settles,
    scanStatus,
    repoStatus,
    scanned,
    fails,
    synced,
    nothingMore,
    get client() {
      return client
    },
    get clock() {
      return clock
    },
    get registry() {
      return registry
    },
    get guarded() {
      return guarded
    },
    get encrypted() {
      return encrypted
    },
  }
}
