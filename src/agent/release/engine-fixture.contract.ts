// What the contract of the release engines is examined with: a cluster, an engine on it, and the helm command to look at what it did.
import { join } from 'node:path'
import { afterAll, beforeAll } from 'vitest'
import { exec } from '../../lib/exec/exec.ts'
import { createHelm } from '../../lib/helm/helm.ts'
import type { HelmRelease, ReleaseState } from '../../lib/helm/release.ts'
import { createClient, type KubeClient } from '../../lib/kube/client.ts'
import { type KubeConnection, loadConnection } from '../../lib/kube/connection.ts'
import type { KubeObject, ResourceType } from '../../lib/kube/types.ts'
import { testCluster, uniqueNamespace } from '../../testing/cluster.ts'
import type { Rendered } from '../render/render.ts'
import type { DeployRequest, ReleaseAccess, ReleaseEngine, ReleaseRef, ReleaseSettings, Revision } from './engine.ts'
import type { Managed } from './field-manager.ts'
import { createHelmEngine } from './helm-engine.ts'
import { createReleaseStore, type ReleaseStore } from './store.ts'

export interface EngineUnderTest {
  /** The engine, given one that leaves everything to helm. */
  create(context: { helm: ReleaseEngine; store: ReleaseStore }): ReleaseEngine
  /** A folder that is removed at the end. */
  workDir: string
}

export interface Live extends KubeObject {
  data?: Record<string, string>
  spec?: Record<string, unknown>
}

export interface EngineScene {
  readonly client: KubeClient
  readonly store: ReleaseStore
  readonly engine: ReleaseEngine
  /** One that leaves everything to helm, for changing from one to the other. */
  readonly helmEngine: ReleaseEngine
  readonly access: ReleaseAccess
  place(): ReleaseRef
  find(release: ReleaseRef, name: string, type?: ResourceType): Promise<Live | undefined>
  /** Field managers of a config map, with the top-level fields of each. */
  owners(release: ReleaseRef, name: string): Promise<Record<string, string[]>>
  revisions(release: ReleaseRef): Promise<string[]>
  deploy(release: ReleaseRef, what: Rendered, options?: DeployOptions): Promise<Revision>
  setState(release: ReleaseRef, version: number, state: ReleaseState): Promise<void>
  /** Runs the helm command in the namespace of a release. */
  helm(release: ReleaseRef, ...args: string[]): Promise<string>
}

type DeployOptions = Partial<Omit<DeployRequest, 'settings'>> & {
  settings?: Partial<ReleaseSettings>
  engine?: ReleaseEngine
  access?: ReleaseAccess
}

const SETTINGS: ReleaseSettings = {
  createNamespace: true,
  takeOwnership: false,
  force: false,
  atomic: false,
  timeoutSeconds: 0,
  waitForJobs: false,
  maxHistory: 2,
  skipSchemaValidation: false,
}

/** A cache that is always empty: the contract is about what stands in the cluster. */
const noCache = { synced: true, get: () => undefined, list: () => [], by: () => [], subscribe: () => () => {}, waitSynced: async () => {} }

export const configMap = (name: string, data: Record<string, string> = { k: 'v' }, annotations: Record<string, string> = {}): KubeObject =>
  ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, labels: { 'objectset.rio.cattle.io/hash': 'set' }, annotations },
    data,
  }) as KubeObject

export const rendered = (manifests: KubeObject[], extra: Partial<Rendered> = {}): Rendered => ({
  style: {},
  chart: { apiVersion: 'v2', name: 'demo', version: 'v0.0.0+s-1' },
  manifests,
  hooks: [],
  definitions: '',
  ...extra,
})

/** Sets everything up before the tests of the block. */
export function useEngine({ create, workDir }: EngineUnderTest): EngineScene {
  let connection: KubeConnection
  const scene = {} as { client: KubeClient; store: ReleaseStore; engine: ReleaseEngine; helmEngine: ReleaseEngine; access: ReleaseAccess }

  beforeAll(async () => {
    const { kubeconfig, bin } = testCluster('downstream')
    connection = await loadConnection({ kubeconfig })
    const client = createClient(connection)
    const store = createReleaseStore(client, noCache)
    const helm = createHelm({ binary: join(bin, 'helm'), home: join(workDir, 'home'), env: {}, concurrency: 2 })
    const helmEngine = createHelmEngine({ helm, store, client, workDir })
    const access = { client, kubeconfig: () => connection.toKubeconfig() }
    Object.assign(scene, { client, store, helmEngine, engine: create({ helm: helmEngine, store }), access })
  })
  afterAll(() => scene.client.close())

  return Object.assign(scene, {
    place: () => ({ namespace: uniqueNamespace('engine'), name: 'demo' }),
    find: ({ namespace }: ReleaseRef, name: string, type: ResourceType = { apiVersion: 'v1', kind: 'ConfigMap' }) =>
      scene.client.find<Live>({ ...type, namespace, name }),
    async owners({ namespace }: ReleaseRef, name: string) {
      const { metadata } = await scene.client.request<Managed>('GET', `/api/v1/namespaces/${namespace}/configmaps/${name}`)
      const entries = (metadata.managedFields ?? []).map(({ manager, operation, fieldsV1 = {} }): [string, string[]] => [
        `${manager} ${operation}`,
        Object.keys(fieldsV1).map((field) => field.replace(/^f:/, '')),
      ])
      return Object.fromEntries(entries)
    },
    revisions: async (release: ReleaseRef) => (await scene.store.revisions(release)).map(({ version, state }) => `${version} ${state}`),
    async deploy(
      release: ReleaseRef,
      what: Rendered,
      { engine = scene.engine, access = scene.access, settings, ...options }: DeployOptions = {},
    ) {
      const request = {
        release,
        rendered: what,
        owner: { bundleId: 'demo', agentNamespace: 'agents', serviceAccount: '', keepResources: false },
        commit: undefined,
        values: {},
        deployment: 'v1',
        current: await engine.status(release),
        ...options,
      }
      return engine.deploy({ ...request, settings: { ...SETTINGS, ...settings } }, access)
    },
    async setState(release: ReleaseRef, version: number, status: ReleaseState) {
      const stored = (await scene.store.read({ ...release, version })) as HelmRelease
      await scene.store.write({ ...stored, info: { ...stored.info, status } })
    },
    async helm({ namespace }: ReleaseRef, ...args: string[]) {
      const { bin, kubeconfig } = testCluster('downstream')
      const options = { env: { HOME: workDir }, timeoutMs: 60_000 }
      return (await exec(join(bin, 'helm'), [...args, '-n', namespace, '--kubeconfig', kubeconfig], options)).stdout
    },
  })
}
