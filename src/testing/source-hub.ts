// A hub with nothing but the GitRepo controller: a real API server, a real git server, and a publisher that only takes notes.
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect } from 'vitest'
import type { GitRepo, GitRepoSpec } from '../api/git-repo.ts'
import { FLEET_API_VERSION, GIT_REPO } from '../api/kinds.ts'
import { SHARD_REF_LABEL } from '../api/labels.ts'
import { systemClock } from '../lib/controller/clock.ts'
import { type Condition, getCondition } from '../lib/controller/conditions.ts'
import { createEventRecorder } from '../lib/controller/events.ts'
import { keyOf } from '../lib/controller/keys.ts'
import { silentLogger } from '../lib/controller/log.ts'
import { createManager } from '../lib/controller/manager.ts'
import { createGitWorkerBackend, type GitWorkerBackend } from '../lib/git/worker-backend.ts'
import type { KubeClient } from '../lib/kube/client.ts'
import { createInformerFactory } from '../lib/kube/informer.ts'
import type { KubeObject } from '../lib/kube/types.ts'
import { createGitRepoController, type GitRepoControllerDeps } from '../source/git-repo-controller.ts'
import type { Publisher } from '../source/publisher.ts'
import { testCluster, uniqueNamespace } from './cluster.ts'
import { eventually } from './eventually.ts'
import type { FileMap } from './git-repository.ts'
import { type GitServer, type ServedRepository, startGitServer } from './git-server.ts'
import { clientOf } from './kube.ts'

/** One call of `publish`. */
export interface Published {
  readonly gitRepo: GitRepo
  readonly commit: string
  readonly files: Readonly<Record<string, string>>
}

/** A publisher that notes what it is given and does what it is told. */
export interface NotingPublisher extends Publisher {
  readonly published: Published[]
  readonly removed: string[]
  /** Runs within `publish`; may throw or wait. */
  act: (call: Published, signal: AbortSignal) => Promise<void>
  /** Answers of `remove`, in turn; afterwards 0. */
  remaining: number[]
}

function createNotingPublisher(): NotingPublisher {
  const notes: NotingPublisher = {
    published: [],
    removed: [],
    remaining: [],
    act: async () => {},
    async publish(gitRepo, { commit, root }, signal) {
      const call = { gitRepo, commit, files: await readFiles(root) }
      notes.published.push(call)
      await notes.act(call, signal)
      return { bundles: 1 }
    },
    async remove(gitRepo) {
      notes.removed.push(gitRepo.metadata.name)
      return { remaining: notes.remaining.shift() ?? 0 }
    },
  }
  return notes
}

async function readFiles(root: string): Promise<Record<string, string>> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  return Object.fromEntries(
    await Promise.all(files.map(async (file) => [file.slice(root.length + 1), await readFile(file, 'utf8')] as const)),
  )
}

export interface TestHub {
  readonly publisher: NotingPublisher
  /** Writes that the controller sent, as `verb Kind namespace/name`; not the announcements of readings. */
  readonly writes: string[]
  publishedFor(name: string): readonly Published[]
  stop(): Promise<void>
}

interface HubOptions {
  readonly client: KubeClient
  readonly backend: GitWorkerBackend
  readonly shard: string
  readonly deps?: Partial<GitRepoControllerDeps>
}

/** Starts the controller for one shard: other tests use the same API server. */
async function startHub({ client, backend, shard, deps = {} }: HubOptions): Promise<TestHub> {
  const tempDir = await mkdtemp(join(tmpdir(), 'source-test-'))
  const publisher = createNotingPublisher()
  const writes: string[] = []
  const counting = countWrites(client, writes)
  const informers = createInformerFactory(counting, { log: silentLogger })
  const controller = createGitRepoController({
    client: counting,
    informers,
    backend,
    publisher,
    events: createEventRecorder(counting, { component: 'fleet-gitops', clock: systemClock, log: silentLogger }),
    clock: systemClock,
    log: silentLogger,
    random: Math.random,
    tempDir,
    pid: process.pid,
    systemNamespace: 'cattle-fleet-system',
    workers: 10,
    shard,
    ...deps,
  })
  const stop = new AbortController()
  const running = createManager({ informers: [informers], controllers: [controller], log: silentLogger }).run(stop.signal)
  return {
    publisher,
    writes,
    publishedFor: (name) => publisher.published.filter(({ gitRepo }) => gitRepo.metadata.name === name),
    async stop() {
      stop.abort()
      await running
      expect(await readdir(tempDir)).toEqual([])
      await rm(tempDir, { recursive: true, force: true })
    },
  }
}

function countWrites(client: KubeClient, writes: string[]): KubeClient {
  const note = (verb: string, { kind, namespace, name }: { kind: string; namespace?: string; name: string }): void =>
    void writes.push(`${verb} ${kind} ${keyOf({ namespace, name })}`)
  return {
    ...client,
    create(object, ...rest) {
      note('create', { kind: object.kind, ...object.metadata })
      return client.create(object, ...rest)
    },
    patch(ref, body, options) {
      if (!isAnnouncement(body)) note(options.subresource ? `patch ${options.subresource}` : 'patch', ref)
      return client.patch(ref, body, options)
    },
    delete(ref, ...rest) {
      note('delete', ref)
      return client.delete(ref, ...rest)
    },
  }
}

/** A reading that takes more than a second is announced. That is any reading on a machine that is busy, so it does not count. */
function isAnnouncement(body: unknown): boolean {
  const { status } = body as { status?: { gitJobStatus?: string; conditions?: Condition[] } }
  const isReading = getCondition(status?.conditions, 'Reconciling')?.message?.startsWith('reading commit ') ?? false
  return status?.gitJobStatus === 'InProgress' && isReading
}

/** Short ways to do what users do. */
export interface Scene {
  readonly namespace: string
  create(name: string, spec: Partial<GitRepoSpec> & { repo: string }, metadata?: Partial<KubeObject['metadata']>): Promise<GitRepo>
  get(name: string): Promise<GitRepo>
  edit(name: string, spec: object): Promise<GitRepo>
  remove(name: string): Promise<boolean>
  gone(name: string): Promise<void>
  secret(name: string, data: Record<string, string>, type?: string): Promise<void>
  /** Waits until `commit` has been read with the present generation. */
  current(name: string, commit: string): Promise<GitRepo>
  condition(name: string, type: string, status: string, message?: RegExp): Promise<GitRepo>
  event(name: string, reason: string, note?: RegExp): Promise<void>
}

/** A fresh namespace whose GitRepos belong to a shard. */
async function createScene(client: KubeClient, shard: string): Promise<Scene> {
  const namespace = uniqueNamespace('source')
  await client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } })
  const ref = (name: string) => ({ ...GIT_REPO, name, namespace })
  const get = (name: string): Promise<GitRepo> => client.get<GitRepo>(ref(name))

  return {
    namespace,
    get,
    create: (name, spec, { labels, ...metadata } = {}) =>
      client.create<GitRepo>({
        apiVersion: FLEET_API_VERSION,
        kind: 'GitRepo',
        metadata: { ...metadata, name, namespace, labels: { [SHARD_REF_LABEL]: shard, ...labels } },
        spec: { pollingInterval: '2s', ...spec },
      }),
    edit: (name, spec) => client.patch<GitRepo>(ref(name), { spec }, { type: 'merge' }),
    remove: (name) => client.delete(ref(name)),
    gone: (name) => eventually(async () => expect(await client.find(ref(name))).toBeUndefined(), { what: `${name} gone` }),
    async secret(name, data, type = 'kubernetes.io/basic-auth') {
      const encoded = Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')]))
      const object = { apiVersion: 'v1', kind: 'Secret', type, metadata: { name, namespace }, data: encoded } as KubeObject
      await client.apply(object, { fieldManager: 'test', force: true })
    },
    current: (name, commit) =>
      eventually(async () => {
        const object = await get(name)
        const { commit: read, gitJobStatus, observedGeneration } = object.status ?? {}
        const expected = { read: commit, gitJobStatus: 'Current', observedGeneration: object.metadata.generation }
        expect({ read, gitJobStatus, observedGeneration }, JSON.stringify(object.status?.conditions)).toEqual(expected)
        return object
      }),
    condition: (name, type, status, message = /^/) =>
      eventually(async () => {
        const object = await get(name)
        const found = getCondition(object.status?.conditions, type)
        expect(found?.status, JSON.stringify(object.status?.conditions)).toBe(status)
        expect(found?.message ?? '').toMatch(message)
        return object
      }),
    event: (name, reason, note = /^/) =>
      eventually(async () => {
        const { items } = await client.list<KubeObject & { reason?: string; note?: string; regarding?: { name?: string } }>(
          { apiVersion: 'events.k8s.io/v1', kind: 'Event' },
          { namespace },
        )
        const notes = items.filter((event) => event.regarding?.name === name && event.reason === reason).map((event) => event.note ?? '')
        expect(
          notes.some((text) => note.test(text)),
          JSON.stringify(items.map((event) => `${event.reason}: ${event.note}`)),
        ).toBe(true)
      }),
  }
}

/** User of the guarded git server. */
export const GIT_USER = { username: 'reader', password: 'correct horse' }

interface Parts {
  readonly client: KubeClient
  readonly git: GitServer
  readonly guarded: GitServer
  readonly backend: GitWorkerBackend
  readonly scene: Scene
}

/** What the tests of a file share. */
class SourceFixture {
  #parts: Parts | undefined
  readonly #hubs: TestHub[] = []
  readonly #shard = uniqueNamespace('shard')
  #serial = 0

  async open(): Promise<void> {
    const client = await clientOf(testCluster('hub').kubeconfig)
    const [git, guarded] = await Promise.all([startGitServer(), startGitServer({ auth: GIT_USER })])
    const backend = createGitWorkerBackend()
    // Starting the thread takes a while, which is not to count as the time of the first reading.
    await backend.resolve(await git.repository('warm-up'), { branch: 'master' }, new AbortController().signal)
    this.#parts = { client, git, guarded, backend, scene: await createScene(client, this.#shard) }
  }

  async close(): Promise<void> {
    if (!this.#parts) return
    const { client, git, guarded, backend, scene } = this.#parts
    await backend.close()
    await Promise.all([git.stop(), guarded.stop()])
    await client.delete({ apiVersion: 'v1', kind: 'Namespace', name: scene.namespace })
    await client.close()
  }

  private get parts(): Parts {
    if (!this.#parts) throw new Error('the fixture is not open')
    return this.#parts
  }

  get scene(): Scene {
    return this.parts.scene
  }

  get client(): KubeClient {
    return this.parts.client
  }

  /** A namespace besides the usual one. */
  otherScene(): Promise<Scene> {
    return createScene(this.client, this.#shard)
  }

  async start(deps: Partial<GitRepoControllerDeps> = {}): Promise<TestHub> {
    const { client, backend } = this.parts
    const hub = await startHub({ client, backend, shard: this.#shard, deps })
    this.#hubs.push(hub)
    return hub
  }

  async stopHubs(): Promise<void> {
    for (const hub of this.#hubs.splice(0)) await hub.stop()
  }

  unique(): string {
    return `r${this.#serial++}`
  }

  repository(files: FileMap = { a: '1' }): Promise<ServedRepository> {
    return this.parts.git.repository(this.unique(), files)
  }

  privateRepository(): Promise<ServedRepository> {
    return this.parts.guarded.repository(this.unique(), { a: '1' })
  }
}

/** A fixture for all tests of a file; its hubs end with each test. */
export function useSource(): SourceFixture {
  const fixture = new SourceFixture()
  beforeAll(() => fixture.open())
  afterEach(() => fixture.stopHubs())
  afterAll(() => fixture.close())
  return fixture
}
