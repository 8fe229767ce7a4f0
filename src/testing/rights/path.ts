// One way through everything the hub does, for the story about rights: each step waits until its end is reached.
import { expect } from 'vitest'
import type { BundleDeployment } from '../../api/bundle-deployment.ts'
import type { Cluster } from '../../api/cluster.ts'
import type { GitRepo, GitRepoSpec } from '../../api/git-repo.ts'
import type { HelmOp } from '../../api/helm-op.ts'
import {
  BUNDLE,
  BUNDLE_DEPLOYMENT,
  BUNDLE_NAMESPACE_MAPPING,
  CLUSTER,
  CLUSTER_GROUP,
  CLUSTER_REGISTRATION,
  CLUSTER_REGISTRATION_TOKEN,
  GIT_REPO,
  HELM_OP,
  SCHEDULE,
} from '../../api/kinds.ts'
import { CLUSTER_LABEL, CLUSTER_NAMESPACE_LABEL, MANAGED_LABEL, OCI_STORAGE_SECRET, ROTATE_ANNOTATION } from '../../api/labels.ts'
import type { Schedule } from '../../api/schedule.ts'
import { SYSTEM_NAMESPACE, WORKSPACE } from '../../devcluster/fleet-objects.ts'
import { applyAll } from '../../devcluster/world.ts'
import { getCondition } from '../../lib/controller/conditions.ts'
import type { KubeObject, ObjectRef, ResourceType } from '../../lib/kube/types.ts'
import { CONFIG_MAP, NAMESPACE, ROLE, SECRET, SERVICE_ACCOUNT, secretObject } from '../../registration/kinds.ts'
import { stamp } from '../../registration/set-identity.ts'
import type { ChartServer } from '../chart-server.ts'
import { eventually } from '../eventually.ts'
import { configMap, configMapRef } from '../fleet.ts'
import type { GitServer, ServedRepository } from '../git-server.ts'
import type { ImageRegistryServer } from '../image-registry.ts'
import { PULLER, PUSHER, type TestRegistry } from '../registry.ts'
import { chart } from './chart-folder.ts'
import { type ClusterName, LOCAL_WORKSPACE, type RightsScene } from './scene.ts'

/** What is deployed comes from here. */
export interface Servers {
  readonly git: GitServer
  readonly charts: ChartServer
  readonly images: ImageRegistryServer
  /** undefined where there is no program for it */
  readonly storage: TestRegistry | undefined
}

const OTHER_WORKSPACE = 'others'
const ROBOT = { authorName: 'Image Robot', authorEmail: 'robot@example.com', messageTemplate: 'Update images' }
const inWorkspace = (name: string) => ({ name, namespace: WORKSPACE })
const ONLY_DOWN = [{ clusterSelector: { matchLabels: { env: 'test' } } }]

export class Path {
  readonly #scene: RightsScene
  readonly #servers: Servers

  constructor(scene: RightsScene, servers: Servers) {
    this.#scene = scene
    this.#servers = servers
  }

  /** The hub joins its own fleet, a cluster is imported, and one registers with a token. */
  async join(): Promise<void> {
    await Promise.all([this.#scene.importCluster(), this.#scene.registerCluster()])
    await Promise.all([this.#connected('local', LOCAL_WORKSPACE), this.#connected('down'), this.#connected('edge')])
  }

  /** A commit is deployed with values and copies, an image is written back, a push is told of, and all of it goes again. */
  async deployCommit(): Promise<void> {
    const { hub } = this.#scene
    const { git, images } = this.#servers
    images.push('team/app', ['1.0.0'])
    const image = `${images.host}/team/app`
    const repository = await git.repository('apps', {
      ...chart('app', { imageScans: [{ tagName: 'app', image, interval: '1s', policy: { semver: { range: '*' } } }] }),
      'app/templates/app.yaml': `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: app }\ndata:\n  image: "none" # {"$imagescan": "app"}\n`,
      ...chart('other', {}),
      'raw/one.yaml': configMap('raw-one'),
      'raw/fleet.yaml': JSON.stringify({ defaultNamespace: 'raw' }),
    })
    await repository.git(['config', 'http.receivepack', 'true'])
    await applyAll(hub, [
      secretObject(inWorkspace('push'), { username: 'pusher', password: 'secret' }, 'kubernetes.io/basic-auth'),
      secretObject(inWorkspace('hook'), { github: 'hook' }),
      secretObject(inWorkspace('copied'), { key: 'value' }),
      { ...CONFIG_MAP, metadata: inWorkspace('copied'), data: { key: 'value' } } as KubeObject,
    ])
    const spec = {
      paths: ['app', 'other', 'raw'],
      clientSecretName: 'push',
      imageScanInterval: '1s',
      imageScanCommit: ROBOT,
      deleteNamespace: true,
    }
    await this.#gitRepo('apps', { repo: repository.url, ...spec, targetNamespace: 'apps' })
    await eventually(async () => expect(await repository.git(['show', 'master:app/templates/app.yaml'])).toContain(`"${image}:1.0.0"`), {
      what: 'the image is written back',
    })
    await this.#ready('apps', repository)
    await eventually(async () =>
      expect((await hub.list(SECRET, { namespace: await this.#namespaceOf('down') })).items.map(({ metadata }) => metadata.name)).toContain(
        'copied',
      ),
    )

    await this.#push('apps', repository, {
      'other/values.yaml': 'text: changed\n',
      'raw/one.yaml': null,
      'raw/fleet.yaml': null,
      'app/values.yaml': null,
    })
    await this.#ready('apps', repository)
    await hub.patch({ ...CONFIG_MAP, ...inWorkspace('copied') }, { data: { key: 'changed' } }, { type: 'merge' })
    await this.#push('apps', repository, {
      ...chart('other', { downstreamResources: [] }, 'changed'),
      'app/fleet.yaml': JSON.stringify({ helm: { releaseName: 'app' } }),
    })
    await this.#ready('apps', repository)
    await this.#push('apps', repository, { 'README.md': 'nothing that is deployed\n' })
    await this.#ready('apps', repository)
    await this.#gone({ ...GIT_REPO, ...inWorkspace('apps') })
    await this.#deploymentsGone('fleet.cattle.io/repo-name=apps')
  }

  /** A commit is kept in a registry. */
  async storeCommit(): Promise<void> {
    const { git, storage } = this.#servers
    if (!storage) return
    const access = {
      reference: `${storage.host}/stored`,
      cacerts: storage.ca,
      ...PUSHER,
      agentUsername: PULLER.username,
      agentPassword: PULLER.password,
    }
    await applyAll(this.#scene.hub, [secretObject(inWorkspace('storage'), access, OCI_STORAGE_SECRET)])
    const repository = await git.repository('stored', {
      'raw/one.yaml': configMap('stored', { text: 'first' }),
      'raw/fleet.yaml': JSON.stringify({ defaultNamespace: 'stored' }),
    })
    await this.#gitRepo('stored', { repo: repository.url, paths: ['raw'], ociRegistrySecret: 'storage' })
    await this.#ready('stored', repository)
    await repository.commit({ 'raw/one.yaml': configMap('stored', { text: 'second' }) })
    await this.#ready('stored', repository)
    await this.#gone({ ...GIT_REPO, ...inWorkspace('stored') })
    await this.#deploymentsGone('fleet.cattle.io/repo-name=stored')
  }

  /** A chart out of a private repository is deployed, followed, and goes. */
  async deployChart(): Promise<void> {
    const { charts } = this.#servers
    const files = { 'templates/cm.yaml': configMap('charted') }
    await charts.publish('charts', 'hello', '1.0.0', files)
    await applyAll(this.#scene.hub, [secretObject(inWorkspace('pull'), { username: 'user', password: 'secret' })])
    const spec = {
      helm: { repo: charts.repository('charts'), chart: 'hello', version: '1.x', releaseName: 'charted' },
      ...{
        helmSecretName: 'pull',
        pollingInterval: '1s',
        defaultNamespace: 'charted',
        deleteNamespace: true,
        namespace: 'charted',
        targets: ONLY_DOWN,
      },
    }
    await applyAll(this.#scene.hub, [{ ...HELM_OP, metadata: inWorkspace('charted'), spec } as KubeObject])
    const runs = (version: string) =>
      eventually(
        async () => {
          const { status } = await this.#scene.hub.get<HelmOp>({ ...HELM_OP, ...inWorkspace('charted') })
          expect([status?.version, status?.display?.readyBundleDeployments], JSON.stringify(status)).toEqual([version, '1/1'])
        },
        { what: `chart ${version} runs`, timeoutMs: 90_000 },
      )
    await runs('1.0.0')
    await charts.publish('charts', 'hello', '1.1.0', files)
    await runs('1.1.0')
    await this.#gone({ ...HELM_OP, ...inWorkspace('charted') })
    await this.#deploymentsGone('fleet.cattle.io/fleet-helm-name=charted')
  }

  /** Clusters are grouped, deployed to by schedule, and reached from another namespace. */
  async select(): Promise<void> {
    const { hub } = this.#scene
    const hourly = { schedule: '0 0 * * * ?', duration: '30m', location: 'UTC', targets: { clusters: [{ clusterGroup: 'all' }] } }
    const bundle = {
      resources: [{ name: 'one.yaml', content: configMap('mapped') }],
      defaultNamespace: 'mapped',
      targets: [{ clusterSelector: {} }],
    }
    await applyAll(hub, [
      { ...NAMESPACE, metadata: { name: OTHER_WORKSPACE } },
      { ...CLUSTER_GROUP, metadata: inWorkspace('all'), spec: { selector: { matchLabels: { env: 'edge' } } } } as KubeObject,
      { ...SCHEDULE, metadata: inWorkspace('often'), spec: hourly } as KubeObject,
      { ...SCHEDULE, metadata: inWorkspace('never'), spec: { ...hourly, schedule: 'at noon' } } as KubeObject,
      {
        ...BUNDLE_NAMESPACE_MAPPING,
        ...{
          metadata: { name: 'others', namespace: OTHER_WORKSPACE },
          bundleSelector: {},
          namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': WORKSPACE } },
        },
      } as KubeObject,
      { ...BUNDLE, metadata: { name: 'mapped', namespace: OTHER_WORKSPACE }, spec: bundle } as KubeObject,
    ])
    await eventually(async () => {
      const { status } = await hub.get<Schedule>({ ...SCHEDULE, ...inWorkspace('often') })
      expect(status?.matchingClusters).toEqual(['edge'])
      expect((await this.#cluster('edge')).status?.scheduled).toBe(true)
    })
    await this.#gone({ ...SCHEDULE, ...inWorkspace('often') })
    await eventually(async () => expect((await this.#cluster('edge')).status?.scheduled ?? false).toBe(false))
    await eventually(() => this.#scene.client('down').get(configMapRef('mapped', 'mapped')), { what: 'a bundle reaches another namespace' })
    await this.#gone({ ...BUNDLE, name: 'mapped', namespace: OTHER_WORKSPACE })
    await this.#gone({ ...CLUSTER_GROUP, ...inWorkspace('all') })
  }

  /** Credentials change, agents are installed anew, rights that somebody took away come back, and what belongs to nobody goes. */
  async tend(): Promise<void> {
    const { hub } = this.#scene
    const down = { ...CLUSTER, ...inWorkspace('down') }
    const short = { ...CLUSTER_REGISTRATION_TOKEN, metadata: inWorkspace('short'), spec: { ttl: '2s' } } as KubeObject
    await applyAll(hub, [short])
    await hub.patch(down, { metadata: { annotations: { [ROTATE_ANNOTATION]: 'once' } } }, { type: 'merge' })
    await eventually(
      async () => expect(getCondition((await this.#cluster('down')).status?.conditions, 'CredentialsRotated')?.status).toBe('True'),
      {
        what: 'the credential of an agent is rotated',
      },
    )
    await this.#restored()
    const [before] = await this.#registrations('down')
    await hub.patch(down, { spec: { redeployAgentGeneration: 1 } }, { type: 'merge' })
    await eventually(
      async () => {
        const now = await this.#registrations('down')
        expect([now.length, now.includes(before ?? '')]).toEqual([1, false])
      },
      { what: 'the agent is installed anew', timeoutMs: 90_000 },
    )
    await this.#connected('down')
    await this.#configure({ agentImage: 'fleet-agent:next' })
    await eventually(async () =>
      expect(JSON.stringify((await hub.get({ ...BUNDLE, ...inWorkspace('fleet-agent-edge') })) ?? '')).toContain('fleet-agent:next'),
    )
    await this.#gone({ ...CLUSTER_REGISTRATION_TOKEN, ...inWorkspace('short') }, false)
    await this.#orphansGo()
  }

  /** Everything is taken away: tokens, clusters, the agent of the hub. */
  async leave(): Promise<void> {
    const { hub } = this.#scene
    await this.#gone({ ...CLUSTER_REGISTRATION_TOKEN, ...inWorkspace('edge') })
    await this.#gone({ ...SECRET, ...inWorkspace('edge') }, false)
    await this.#changeBootstrap()
    await this.#configure({ bootstrap: { namespace: LOCAL_WORKSPACE, localAgentDisabled: true } })
    await eventually(async () =>
      expect((await this.#cluster('local', LOCAL_WORKSPACE)).status?.agentDeployedGeneration ?? undefined).toBeUndefined(),
    )
    const namespaces = await Promise.all((['down', 'edge'] as const).map((name) => this.#namespaceOf(name)))
    await Promise.all(['down', 'edge'].map((name) => this.#gone({ ...CLUSTER, ...inWorkspace(name) })))
    for (const name of namespaces) await this.#gone({ ...NAMESPACE, name }, false)
    await eventually(async () => expect((await hub.list(CLUSTER_REGISTRATION, { namespace: WORKSPACE })).items).toEqual([]))
    await this.#configure({ bootstrap: { namespace: 'fleet-moved', localAgentDisabled: true } })
    await this.#gone({ ...CLUSTER_GROUP, name: 'default', namespace: LOCAL_WORKSPACE }, false)
    await this.#gone({ ...CLUSTER, name: 'local', namespace: LOCAL_WORKSPACE }, false)
  }

  /** The repository of the hub's own fleet: there, another branch, gone; and its group, which somebody changed. */
  async #changeBootstrap(): Promise<void> {
    const { hub } = this.#scene
    const repository = { ...GIT_REPO, name: 'bootstrap', namespace: LOCAL_WORKSPACE }
    const repo = `${this.#servers.git.url}/none.git`
    const group = { ...CLUSTER_GROUP, name: 'default', namespace: LOCAL_WORKSPACE }
    await hub.patch(group, { spec: { selector: { matchLabels: { name: 'other' } } } }, { type: 'merge' })
    for (const branch of ['one', 'two']) {
      await this.#configure({ bootstrap: { namespace: LOCAL_WORKSPACE, repo, branch } })
      await eventually(async () => expect((await hub.get<GitRepo>(repository)).spec.branch).toBe(branch))
    }
    await this.#configure({ bootstrap: { namespace: LOCAL_WORKSPACE } })
    await this.#gone(repository, false)
  }

  #cluster(name: string, namespace = WORKSPACE): Promise<Cluster> {
    return this.#scene.hub.get<Cluster>({ ...CLUSTER, name, namespace })
  }

  async #namespaceOf(cluster: ClusterName): Promise<string> {
    return (await this.#cluster(cluster)).status?.namespace ?? ''
  }

  #connected(name: string, namespace = WORKSPACE): Promise<void> {
    return eventually(
      async () => {
        const { conditions, summary } = (await this.#cluster(name, namespace)).status ?? {}
        expect(getCondition(conditions, 'Connected')?.status, JSON.stringify(conditions)).toBe('True')
        expect({ ...summary, some: (summary?.desiredReady ?? 0) > 0 }).toMatchObject({ some: true, ready: summary?.desiredReady })
      },
      { what: `cluster ${name} connected`, timeoutMs: 120_000 },
    )
  }

  async #gitRepo(name: string, spec: Partial<GitRepoSpec>): Promise<void> {
    const full = { branch: 'master', pollingInterval: '2s', targets: ONLY_DOWN, ...spec }
    await applyAll(this.#scene.hub, [{ ...GIT_REPO, metadata: inWorkspace(name), spec: full } as KubeObject])
  }

  #ready(name: string, repository: ServedRepository): Promise<void> {
    return eventually(
      async () => {
        const { status } = await this.#scene.hub.get<GitRepo>({ ...GIT_REPO, ...inWorkspace(name) })
        expect([status?.commit, getCondition(status?.conditions, 'Ready')?.status], JSON.stringify(status?.conditions)).toEqual([
          await repository.head(),
          'True',
        ])
        const { items } = await this.#scene.hub.list<BundleDeployment>(BUNDLE_DEPLOYMENT, {
          labelSelector: `fleet.cattle.io/repo-name=${name}`,
        })
        expect(items.map((item) => item.status?.appliedDeploymentID)).toEqual(items.map(({ spec }) => spec.deploymentID))
      },
      { what: `GitRepo ${name} ready`, timeoutMs: 90_000 },
    )
  }

  async #push(name: string, repository: ServedRepository, files: Parameters<ServedRepository['commit']>[0]): Promise<void> {
    const commit = await repository.commit(files)
    const payload = { ref: 'refs/heads/master', after: commit, repository: { html_url: repository.url.replace(/\.git$/, '') } }
    const headers = { 'content-type': 'application/json', 'x-github-event': 'push' }
    const answer = await fetch(this.#scene.webhooks, { method: 'POST', headers, body: JSON.stringify(payload) })
    expect(answer.status, `${name}: ${await answer.text()}`).toBe(200)
  }

  /** Deletes an object and waits until it is gone. */
  async #gone(ref: ObjectRef, deletes = true): Promise<void> {
    if (deletes) await this.#scene.hub.delete(ref)
    await eventually(async () => expect(await this.#scene.hub.find(ref)).toBeUndefined(), {
      what: `${ref.kind} ${ref.name} gone`,
      timeoutMs: 90_000,
    })
  }

  async #deploymentsGone(labelSelector: string): Promise<void> {
    await eventually(async () => expect((await this.#scene.hub.list(BUNDLE_DEPLOYMENT, { labelSelector })).items).toEqual([]))
  }

  async #registrations(cluster: ClusterName): Promise<string[]> {
    const { clientID } = (await this.#cluster(cluster)).spec
    const { items } = await this.#scene.hub.list<KubeObject & { spec: { clientID?: string } }>(CLUSTER_REGISTRATION, {
      namespace: WORKSPACE,
    })
    return items.filter(({ spec }) => spec.clientID === clientID).map(({ metadata }) => metadata.name)
  }

  /** Rights of agents that somebody took away. */
  async #restored(): Promise<void> {
    const { hub } = this.#scene
    const roles = [{ apiVersion: ROLE.apiVersion, kind: 'ClusterRole', name: 'fleet-content' }]
    const [name = ''] = await this.#registrations('down')
    const bindings = [ROLE, { ...ROLE, kind: 'RoleBinding' }].map((type) => ({ ...type, ...inWorkspace(name) }))
    const refs = [...roles, ...bindings]
    for (const ref of refs) await hub.delete(ref)
    for (const ref of refs) await eventually(() => hub.get(ref), { what: `${ref.kind} ${ref.name} is restored` })
  }

  async #configure(change: Record<string, unknown>): Promise<void> {
    const ref = { ...CONFIG_MAP, name: 'fleet-controller', namespace: SYSTEM_NAMESPACE }
    const { data } = await this.#scene.hub.get<KubeObject & { data: { config: string } }>(ref)
    const config = JSON.stringify({ ...JSON.parse(data.config), ...change })
    await this.#scene.hub.patch(ref, { data: { config } }, { type: 'merge' })
  }

  /** What a hub leaves that is killed while it removes something. */
  async #orphansGo(): Promise<void> {
    const { hub } = this.#scene
    const labels = { [MANAGED_LABEL]: 'true' }
    const annotations = { [CLUSTER_LABEL]: 'nobody', [CLUSTER_NAMESPACE_LABEL]: WORKSPACE }
    const orphanOf = (owner: ResourceType, type: ResourceType) => {
      const metadata = { name: 'orphan', ...(type.kind.startsWith('Cluster') ? {} : { namespace: 'default' }), labels }
      const roleRef = { roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'nobody' } }
      const made = stamp({ ...type, metadata }, { id: 'orphans', owner: { ...owner, metadata: { ...inWorkspace('nobody'), uid: 'none' } } })
      return { ...made, ...(type.kind.endsWith('Binding') ? roleRef : {}) }
    }
    // each owner's kind once, and none whose own controller sees the orphan too: it would be as quick as the clean-up
    const orphans = [
      orphanOf(NAMESPACE, SERVICE_ACCOUNT),
      orphanOf(CLUSTER, SECRET),
      orphanOf(CLUSTER, ROLE),
      orphanOf(NAMESPACE, { ...ROLE, kind: 'RoleBinding' }),
      orphanOf(CLUSTER_REGISTRATION, { ...ROLE, kind: 'ClusterRole' }),
      orphanOf(CLUSTER_REGISTRATION_TOKEN, { ...ROLE, kind: 'ClusterRoleBinding' }),
    ]
    const namespace = { ...NAMESPACE, metadata: { name: 'orphan', labels, annotations } }
    await applyAll(hub, [...orphans, namespace] as KubeObject[])
    for (const { apiVersion, kind, metadata } of [...orphans, namespace])
      await this.#gone(
        { apiVersion, kind, name: metadata.name, ...('namespace' in metadata ? { namespace: String(metadata.namespace) } : {}) },
        false,
      )
  }
}
