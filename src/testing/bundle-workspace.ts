// A workspace on a real API server for tests of the bundle controller: clusters that no agent serves, and controllers of a shard of their own.
import { expect } from 'vitest'
import type { Bundle, BundleSpec } from '../api/bundle.ts'
import type { BundleDeployment, BundleDeploymentStatus } from '../api/bundle-deployment.ts'
import type { Cluster } from '../api/cluster.ts'
import { BUNDLE, BUNDLE_DEPLOYMENT, CLUSTER } from '../api/kinds.ts'
import { SHARD_REF_LABEL } from '../api/labels.ts'
import { createBundleController } from '../deployment/bundle-controller.ts'
import { createDeploymentFinalizer } from '../deployment/finalize.ts'
import { SECRET, type Secret } from '../deployment/secrets.ts'
import { systemClock } from '../lib/controller/clock.ts'
import { createEventRecorder } from '../lib/controller/events.ts'
import { silentLogger } from '../lib/controller/log.ts'
import { createManager } from '../lib/controller/manager.ts'
import type { KubeClient } from '../lib/kube/client.ts'
import { createInformerFactory } from '../lib/kube/informer.ts'
import type { KubeObject, ObjectRef } from '../lib/kube/types.ts'
import type { TemplateCompiler } from '../target/values-template.ts'
import { uniqueNamespace } from './cluster.ts'
import { eventually } from './eventually.ts'
import { clientOf } from './kube.ts'

/** Knows `${ name }` and fails for clusters called bad. */
const compileTemplate: TemplateCompiler = (text) => (data) => {
  if (data.ClusterName === 'bad') throw new Error('no such label')
  return text.replace(/\$\{ name \}/g, String(data.ClusterName))
}

/** The controllers under test, running. */
export interface Controllers {
  /** `verb Kind name` of all writes so far; a refused one has a status behind it. */
  readonly writes: string[]
  /** Requests that read single objects. */
  readonly reads: string[]
  /** Resolves when the controllers know the clusters of a workspace as the API server does: each kind is watched by itself, and at its own pace. */
  knowClusters(workspace: string): Promise<void>
  stop(): Promise<void>
}

/** Starts the controllers of a shard. */
export async function startControllers(kubeconfig: string, shard: string): Promise<Controllers> {
  const client = await clientOf(kubeconfig)
  const writes: string[] = []
  const reads: string[] = []
  const counted = counting(client, writes, reads)
  const informers = createInformerFactory(counted, { log: silentLogger })
  const common = { client: counted, informers, log: silentLogger, clock: systemClock, workers: 10, shard }
  const events = createEventRecorder(client, { component: 'fleet-bundle-ctrl', clock: systemClock, log: silentLogger })
  const controllers = [createBundleController({ ...common, events, compileTemplate }), createDeploymentFinalizer(common)]
  const stop = new AbortController()
  const running = createManager({ informers: [informers], controllers, log: silentLogger }).run(stop.signal)
  return {
    writes,
    reads,
    async knowClusters(namespace) {
      const versions = (clusters: readonly Cluster[]) =>
        clusters.map(({ metadata }) => `${metadata.name} ${metadata.resourceVersion}`).sort()
      const known = informers.informer<Cluster>({ type: CLUSTER })
      await eventually(async () => {
        const { items } = await client.list<Cluster>(CLUSTER, { namespace })
        expect(versions(known.list(namespace))).toEqual(versions(items))
      })
    },
    async stop() {
      stop.abort()
      await running
      await client.close()
    },
  }
}

function counting(client: KubeClient, writes: string[], reads: string[]): KubeClient {
  async function note<T>(what: string, request: Promise<T>): Promise<T> {
    try {
      const answer = await request
      writes.push(what)
      return answer
    } catch (error) {
      writes.push(`${what} ${(error as { status?: number }).status}`)
      throw error
    }
  }
  return {
    ...client,
    get(ref, options) {
      reads.push(`${ref.kind} ${ref.name}`)
      return client.get(ref, options)
    },
    find(ref, options) {
      reads.push(`${ref.kind} ${ref.name}`)
      return client.find(ref, options)
    },
    create: (object, options) => note(`create ${object.kind} ${object.metadata.name}`, client.create(object, options)),
    update: (object, options) => note(`update ${object.kind} ${object.metadata.name}`, client.update(object, options)),
    patch: (ref, body, options) =>
      note(`patch ${ref.kind} ${ref.name}${options.subresource ? ' status' : ''}`, client.patch(ref, body, options)),
    delete: (ref, options) => note(`delete ${ref.kind} ${ref.name}`, client.delete(ref, options)),
  }
}

export class Workspace {
  readonly client: KubeClient
  readonly name: string
  readonly shard: string

  private constructor(client: KubeClient, name: string, shard: string) {
    this.client = client
    this.name = name
    this.shard = shard
  }

  static async create(client: KubeClient, shard: string, labels: Record<string, string> = {}): Promise<Workspace> {
    const name = uniqueNamespace('ws')
    await client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } })
    return new Workspace(client, name, shard)
  }

  namespaceOf(cluster: string): string {
    return `${this.name}-${cluster}`
  }

  /** A cluster as registration leaves it. */
  async cluster(name: string, labels: Record<string, string> = {}): Promise<void> {
    const namespace = this.namespaceOf(name)
    await this.client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } })
    await this.client.create<Cluster>({ ...CLUSTER, metadata: { name, namespace: this.name, labels }, spec: {} })
    await this.patchCluster(name, { status: { namespace } }, 'status')
  }

  patchCluster(name: string, patch: object, subresource?: string): Promise<Cluster> {
    return this.client.patch({ ...CLUSTER, name, namespace: this.name }, patch, { type: 'merge', ...(subresource ? { subresource } : {}) })
  }

  /** Creates or replaces a bundle; by default it goes to all clusters. */
  bundle(name: string, spec: BundleSpec = {}, labels: Record<string, string> = {}): Promise<Bundle> {
    const resources = [{ name: 'a.yaml', content: `# ${this.name} ${name}\n` }]
    const object: Bundle = {
      ...BUNDLE,
      metadata: { name, namespace: this.name, labels: { ...labels, [SHARD_REF_LABEL]: this.shard } },
      spec: { resources, targets: [{ clusterSelector: {} }], ...spec },
    }
    return this.client.apply<Bundle>(object, { fieldManager: 'test', force: true })
  }

  getBundle(name: string): Promise<Bundle> {
    return this.client.get<Bundle>({ ...BUNDLE, name, namespace: this.name })
  }

  deleteBundle(name: string): Promise<boolean> {
    return this.client.delete({ ...BUNDLE, name, namespace: this.name })
  }

  refOf(bundle: string, cluster: string): ObjectRef {
    return { ...BUNDLE_DEPLOYMENT, name: bundle, namespace: this.namespaceOf(cluster) }
  }

  find(bundle: string, cluster: string): Promise<BundleDeployment | undefined> {
    return this.client.find<BundleDeployment>(this.refOf(bundle, cluster))
  }

  /** Waits for the deployment, and for a check on it. */
  deployment(bundle: string, cluster: string, check: (deployment: BundleDeployment) => unknown = () => {}): Promise<BundleDeployment> {
    return eventually(
      async () => {
        const deployment = await this.client.get<BundleDeployment>(this.refOf(bundle, cluster))
        await check(deployment)
        return deployment
      },
      { what: `deployment ${bundle} on ${cluster}` },
    )
  }

  awaitBundle(name: string, check: (bundle: Bundle) => unknown): Promise<Bundle> {
    return eventually(
      async () => {
        const bundle = await this.getBundle(name)
        await check(bundle)
        return bundle
      },
      { what: `bundle ${name}` },
    )
  }

  /** The agent reports; by default that all is well. */
  async report(bundle: string, cluster: string, status: BundleDeploymentStatus = {}): Promise<void> {
    const { spec } = await this.client.get<BundleDeployment>(this.refOf(bundle, cluster))
    const body = { status: { appliedDeploymentID: spec.deploymentID, ready: true, nonModified: true, ...status } }
    await this.client.patch(this.refOf(bundle, cluster), body, { type: 'merge', subresource: 'status' })
  }

  /** Texts of the secret with the values of a deployment. */
  async values(bundle: string, cluster: string): Promise<{ values: string; stagedValues: string } | undefined> {
    const secret = await this.client.find<Secret>({ ...SECRET, name: bundle, namespace: this.namespaceOf(cluster) })
    const text = (key: string) => Buffer.from(secret?.data?.[key] ?? '', 'base64').toString()
    return secret && { values: text('values'), stagedValues: text('stagedValues') }
  }

  object<T extends KubeObject>(kind: 'Secret' | 'ConfigMap', name: string, namespace = this.name): Promise<T | undefined> {
    return this.client.find<T>({ apiVersion: 'v1', kind, name, namespace })
  }
}
