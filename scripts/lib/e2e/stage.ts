// What the steps of the test act on: two clusters, helm, a git repository, and questions about pods.
import { connect, createServer, type Server } from 'node:net'
import { join } from 'node:path'
import type { BundleDeployment } from '../../../src/api/bundle-deployment.ts'
import type { GitRepo } from '../../../src/api/git-repo.ts'
import { BUNDLE_DEPLOYMENT, GIT_REPO } from '../../../src/api/kinds.ts'
import { clusterFiles } from '../../../src/devcluster/flags.ts'
import { createHostProcesses } from '../../../src/devcluster/host-process.ts'
import { createClient, type KubeClient } from '../../../src/lib/kube/client.ts'
import { loadConnection } from '../../../src/lib/kube/connection.ts'
import type { KubeObject } from '../../../src/lib/kube/types.ts'
import { eventually } from '../../../src/testing/eventually.ts'
import { type GitServer, type ServedRepository, startGitServer } from '../../../src/testing/git-server.ts'
import { must } from '../image/command.ts'
import { ROOT } from '../run.ts'
import type { NodeLayout } from './flags.ts'
import { makeLan, plugIn, WORLD_ADDRESS } from './network.ts'
import { type Programs, type RealNode, startRealNode } from './node.ts'

export const WORKSPACE = 'fleet-default'
export const SYSTEM_NAMESPACE = 'cattle-fleet-system'
/** Namespace and name of what is deployed through git. */
export const APP = 'app'

/** What the outer part hands to the inner one. */
export interface StageOptions {
  readonly dir: string
  readonly cgroup: string
  readonly cniPlugins: string
  readonly programs: Programs
  readonly linkDownMs: number
}

export interface Pod extends KubeObject {
  readonly spec: { readonly containers: readonly { readonly image: string }[] }
  readonly status?: {
    readonly phase?: string
    readonly conditions?: readonly { readonly type: string; readonly status: string }[]
    readonly containerStatuses?: readonly { readonly restartCount: number }[]
  }
}

export interface Stage {
  readonly options: StageOptions
  readonly hub: RealNode
  readonly member: RealNode
  readonly clients: { readonly hub: KubeClient; readonly member: KubeClient }
  readonly repository: ServedRepository
  /** of the repository, as pods reach it */
  readonly repositoryUrl: string
  /** Runs helm with a kubeconfig; gives its output. */
  helm(node: RealNode, ...args: string[]): Promise<string>
  close(): Promise<void>
}

/** Starts both clusters, with all images, and the git server. */
export async function openStage(options: StageOptions): Promise<Stage> {
  await makeLan()
  const children = createHostProcesses()
  const git = await startGitServer()
  const forward = await forwardTo(Number(new URL(git.url).port))
  const start = async (name: string, number: number) => {
    const layout = layoutOf(options, name, number)
    const node = await startRealNode(layout, options.programs, children, (pid) => plugIn(name, layout.address, pid))
    const agent = 'docker.io/fleet/fleet-agent:e2e'
    for (const image of name === 'hub' ? ['pause', 'fleet', 'fleet-agent'] : ['pause', 'fleet-agent']) {
      const more = image === 'fleet-agent' ? { [agent]: agent.replace(/e2e$/, 'next') } : {}
      await node.importImages(join(options.dir, 'images', `${image}.tar`), more)
    }
    return node
  }
  const [hub, member] = await Promise.all([start('hub', 1), start('member', 2)])
  const clients = { hub: await clientOf(hub), member: await clientOf(member) }
  const repository = await git.repository(APP)
  return {
    options,
    hub,
    member,
    clients,
    repository,
    repositoryUrl: repository.url.replace(git.url, `http://${WORLD_ADDRESS}:${portOf(forward)}`),
    helm: (node, ...args) =>
      must(join(options.programs.controlPlane, 'helm'), [...args, '--kubeconfig', node.kubeconfig], {
        env: { HOME: options.dir },
        cwd: ROOT,
      }),
    close: () => close(children, git, forward),
  }
}

async function close(children: ReturnType<typeof createHostProcesses>, git: GitServer, forward: Server): Promise<void> {
  forward.close()
  await git.stop()
  await children.close()
}

function layoutOf(options: StageOptions, name: string, number: number): NodeLayout {
  const dir = join(options.dir, name)
  return {
    name,
    address: `10.213.0.${10 + number}`,
    podNetwork: `10.${244 + number}`,
    dir,
    files: clusterFiles(options.dir, name),
    cgroup: `/${options.cgroup}`,
    cniPlugins: options.cniPlugins,
  }
}

async function clientOf(node: RealNode): Promise<KubeClient> {
  return createClient(await loadConnection({ kubeconfig: node.kubeconfig }))
}

// The git server listens on loopback; clusters reach it through this.
async function forwardTo(port: number): Promise<Server> {
  const server = createServer((socket) => {
    const upstream = connect(port, '127.0.0.1')
    socket.pipe(upstream).pipe(socket)
    for (const [one, other] of [
      [socket, upstream],
      [upstream, socket],
    ] as const)
      one.on('error', () => other.destroy())
  })
  await new Promise<void>((done) => server.listen(0, WORLD_ADDRESS, done))
  return server
}

function portOf(server: Server): number {
  const address = server.address()
  return typeof address === 'object' && address ? address.port : 0
}

/** Pods with a label `app`, those that end excepted. */
export async function podsOf(client: KubeClient, namespace: string, app: string): Promise<Pod[]> {
  const { items } = await client.list<Pod>({ apiVersion: 'v1', kind: 'Pod' }, { namespace, labelSelector: `app=${app}` })
  return items.filter(({ metadata }) => metadata.deletionTimestamp === undefined)
}

export function isPodReady({ status }: Pod): boolean {
  return status?.conditions?.some(({ type, status: state }) => type === 'Ready' && state === 'True') ?? false
}

/** Waits until a namespace has this many pods of an app, all ready and of this image. */
export async function awaitPods(client: KubeClient, namespace: string, app: string, count: number, image?: string): Promise<Pod[]> {
  return eventually(
    async () => {
      const pods = await podsOf(client, namespace, app)
      const seen = pods.map(
        (pod) => `${pod.metadata.name} ${pod.spec.containers[0]?.image} ${isPodReady(pod) ? 'ready' : pod.status?.phase}`,
      )
      const right = pods.every((pod) => isPodReady(pod) && (image === undefined || pod.spec.containers[0]?.image === image))
      check(right && pods.length === count, seen.join(', ') || 'no pods')
      return pods
    },
    { what: `${count} ready pods of ${app} in ${namespace}`, timeoutMs: 180_000, everyMs: 250 },
  )
}

/** Waits until the GitRepo has been read at a commit, and every deployment of it is ready with what it says. */
export async function awaitGitRepo(stage: Stage, commit: string, timeoutMs = 120_000): Promise<void> {
  await eventually(
    async () => {
      const { status } = await stage.clients.hub.get<GitRepo>({ ...GIT_REPO, name: APP, namespace: WORKSPACE })
      const ready = status?.conditions?.find(({ type }) => type === 'Ready')
      check(status?.commit === commit && ready?.status === 'True', `${status?.commit} ${ready?.status} ${ready?.message ?? ''}`)
      const { items } = await stage.clients.hub.list<BundleDeployment>(BUNDLE_DEPLOYMENT, {
        labelSelector: `fleet.cattle.io/repo-name=${APP}`,
      })
      for (const { metadata, spec, status: state } of items) {
        const applied = state?.appliedDeploymentID === spec.deploymentID && state?.display?.state === 'Ready'
        const label = metadata.labels?.['fleet.cattle.io/commit']
        check(applied && label === commit, `${metadata.name} is ${state?.display?.state} at ${label}`)
      }
      check(items.length > 0, 'no deployments')
    },
    { what: `GitRepo ${APP} ready at ${commit.slice(0, 8)}`, timeoutMs, everyMs: 100 },
  )
}

/** @throws Error when it does not hold */
export function check(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(otherwise)
}
