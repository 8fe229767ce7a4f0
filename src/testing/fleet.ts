// The scene of a story: a hub, member clusters with our programs in them, and a git server.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, inject } from 'vitest'
import type { Bundle } from '../api/bundle.ts'
import type { BundleDeployment } from '../api/bundle-deployment.ts'
import type { GitRepo, GitRepoSpec } from '../api/git-repo.ts'
import { BUNDLE, BUNDLE_DEPLOYMENT, FLEET_API_VERSION, GIT_REPO } from '../api/kinds.ts'
import { WORKSPACE } from '../devcluster/fleet-objects.ts'
import { startWorld, type World, type WorldOptions } from '../devcluster/world.ts'
import { silentLogger } from '../lib/controller/log.ts'
import type { KubeClient } from '../lib/kube/client.ts'
import type { KubeObject, ObjectRef } from '../lib/kube/types.ts'
import { eventually } from './eventually.ts'
import { type GitServer, startGitServer } from './git-server.ts'

/** The root of the checkout. */
export const ROOT = join(import.meta.dirname, '..', '..')
/** The member cluster of most stories. */
export const MEMBER = 'downstream'

/** The built program, or the unbuilt one where nothing has been built or FLEET_TEST_SOURCE asks for it. */
export function program(name: 'fleet-controller' | 'fleet-agent' | 'fleet'): string {
  const built = join(ROOT, 'dist', name)
  return existsSync(built) && !process.env.FLEET_TEST_SOURCE ? built : join(ROOT, 'src', 'bin', `${name}.ts`)
}

interface Condition {
  readonly type: string
  readonly status: string
  readonly reason?: string | null
  readonly message?: string | null
}

export class Fleet {
  readonly #options: Partial<WorldOptions>
  #world: World | undefined
  #git: GitServer | undefined

  constructor(options: Partial<WorldOptions> = {}) {
    this.#options = options
  }

  async open(): Promise<void> {
    this.#git = await startGitServer()
    this.#world = await startWorld({
      bin: inject('clusters').hub.bin,
      programs: { controller: program('fleet-controller'), agent: program('fleet-agent') },
      crds: join(ROOT, 'crds'),
      members: [{ name: MEMBER, labels: { env: 'dev' } }],
      log: silentLogger,
      ...this.#options,
    })
  }

  async close(): Promise<void> {
    await this.#world?.stop()
    await this.#git?.stop()
  }

  get world(): World {
    if (!this.#world) throw new Error('the scene is not open')
    return this.#world
  }

  get git(): GitServer {
    if (!this.#git) throw new Error('the scene is not open')
    return this.#git
  }

  get hub(): KubeClient {
    return this.clientOf('hub')
  }

  get down(): KubeClient {
    return this.clientOf(MEMBER)
  }

  clientOf(cluster: string): KubeClient {
    const client = this.world.clients[cluster]
    if (!client) throw new Error(`there is no cluster ${cluster}`)
    return client
  }

  /** Creates a GitRepo or replaces its spec. It polls each second and targets all clusters unless the spec says otherwise. */
  async gitRepo(name: string, spec: Partial<GitRepoSpec> & { repo: string }): Promise<void> {
    const full = { branch: 'master', pollingInterval: '1s', targets: [{ name: 'all', clusterSelector: {} }], ...spec }
    await this.hub.apply(
      { apiVersion: FLEET_API_VERSION, kind: 'GitRepo', metadata: { name, namespace: WORKSPACE }, spec: full } as KubeObject,
      { fieldManager: 'story', force: true },
    )
  }

  getGitRepo(name: string): Promise<GitRepo> {
    return this.hub.get<GitRepo>({ ...GIT_REPO, name, namespace: WORKSPACE })
  }

  async bundles(gitRepo: string): Promise<Bundle[]> {
    return (await this.hub.list<Bundle>(BUNDLE, { namespace: WORKSPACE, labelSelector: `fleet.cattle.io/repo-name=${gitRepo}` })).items
  }

  async deployments(gitRepo: string): Promise<BundleDeployment[]> {
    return (await this.hub.list<BundleDeployment>(BUNDLE_DEPLOYMENT, { labelSelector: `fleet.cattle.io/repo-name=${gitRepo}` })).items
  }

  /** Waits until a GitRepo has been read at a commit and all of it is ready. */
  async ready(name: string, commit: string, timeoutMs = 90_000): Promise<GitRepo> {
    return eventually(
      async () => {
        const gitRepo = await this.getGitRepo(name)
        const { commit: read, conditions, display, gitJobStatus } = gitRepo.status ?? {}
        expect({ read, gitJobStatus, ready: statusOf(conditions, 'Ready') }, JSON.stringify({ conditions, display })).toEqual({
          read: commit,
          gitJobStatus: 'Current',
          ready: 'True',
        })
        const deployments = await this.deployments(name)
        expect(deployments.length).toBeGreaterThan(0)
        expect(display?.readyBundleDeployments).toBe(`${deployments.length}/${deployments.length}`)
        for (const { metadata, spec, status } of deployments) {
          expect({
            name: metadata.name,
            commit: metadata.labels?.['fleet.cattle.io/commit'],
            applied: status?.appliedDeploymentID,
            state: status?.display?.state,
          }).toEqual({ name: metadata.name, commit, applied: spec.deploymentID, state: 'Ready' })
        }
        return gitRepo
      },
      { what: `GitRepo ${name} ready at ${commit.slice(0, 8)}`, timeoutMs },
    )
  }

  /** Waits until a condition of an object has this status and a message that matches. */
  condition(ref: ObjectRef, type: string, status: string, message: RegExp = /^/, timeoutMs = 60_000): Promise<void> {
    return eventually(
      async () => {
        const object = await this.hub.get<KubeObject & { status?: { conditions?: Condition[] } }>(ref)
        const condition = object.status?.conditions?.find((candidate) => candidate.type === type)
        expect(condition?.status, JSON.stringify(object.status?.conditions)).toBe(status)
        expect(condition?.message ?? '').toMatch(message)
      },
      { what: `${ref.kind} ${ref.name}: ${type}=${status}`, timeoutMs },
    )
  }

  gitRepoCondition(name: string, type: string, status: string, message?: RegExp): Promise<void> {
    return this.condition({ ...GIT_REPO, name, namespace: WORKSPACE }, type, status, message)
  }

  /** Waits until an object is gone. */
  gone(client: KubeClient, ref: ObjectRef): Promise<void> {
    return eventually(async () => expect(await client.find(ref)).toBeUndefined(), {
      what: `${ref.kind} ${ref.namespace ?? ''}/${ref.name} gone`,
    })
  }

  /** What our programs have logged, for the message of a failure. */
  logs(): string {
    const { dir } = this.world
    // no deeper than the logs lie: below are files of work that come and go at any moment
    const namesIn = (folder: string): string[] => (existsSync(join(dir, folder)) ? readdirSync(join(dir, folder)) : [])
    const pods = namesIn('.').flatMap((node) => namesIn(join(node, 'pods')).map((pod) => join(node, 'pods', pod)))
    const files = pods.flatMap((pod) => namesIn(pod).map((name) => join(pod, name))).filter((file) => file.endsWith('.log'))
    return files.map((file) => `== ${file}\n${readFileSync(join(dir, file), 'utf8').split('\n').slice(-40).join('\n')}`).join('\n')
  }
}

function statusOf(conditions: readonly Pick<Condition, 'type' | 'status'>[] | null | undefined, type: string): string | undefined {
  return conditions?.find((condition) => condition.type === type)?.status
}

/** A scene for all tests of a file. */
export function useFleet(options: Partial<WorldOptions> = {}): Fleet {
  const fleet = new Fleet(options)
  beforeAll(() => fleet.open())
  afterAll(() => fleet.close())
  return fleet
}

/** A ConfigMap as YAML. */
export function configMap(name: string, data: Readonly<Record<string, string>> = { key: 'value' }): string {
  return `${JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data })}\n`
}

/** The reference of a ConfigMap. */
export function configMapRef(name: string, namespace: string): ObjectRef {
  return { apiVersion: 'v1', kind: 'ConfigMap', name, namespace }
}
