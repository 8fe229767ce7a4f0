// What the steps of the test act on: three clusters, an administrator's shell, a git repository, and questions about pods.
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { join } from 'node:path'
import type { BundleDeployment } from '../../../src/api/bundle-deployment.ts'
import type { GitRepo } from '../../../src/api/git-repo.ts'
import { BUNDLE_DEPLOYMENT, GIT_REPO } from '../../../src/api/kinds.ts'
import { clusterFiles } from '../../../src/devcluster/flags.ts'
import { createHostProcesses, type HostProcesses } from '../../../src/devcluster/host-process.ts'
import { createClient, type KubeClient } from '../../../src/lib/kube/client.ts'
import { loadConnection } from '../../../src/lib/kube/connection.ts'
import type { KubeObject } from '../../../src/lib/kube/types.ts'
import { eventually } from '../../../src/testing/eventually.ts'
import { type GitServer, type ServedRepository, startGitServer } from '../../../src/testing/git-server.ts'
import { must } from '../image/command.ts'
import { ROOT } from '../run.ts'
import type { NodeLayout } from './flags.ts'
import { REGISTRY } from './images.ts'
import { makeLan, plugIn, WORLD_ADDRESS } from './network.ts'
import { type Programs, type RealNode, startRealNode } from './node.ts'

export const WORKSPACE = 'fleet-default'
export const SYSTEM_NAMESPACE = 'cattle-fleet-system'
const VERSION = (JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string }).version
const AGENT_IMAGE = `${REGISTRY}/fleet/fleet-agent`
/** What agents upgrade themselves to. */
export const NEXT_AGENT = `${AGENT_IMAGE}:next`
const SHELL_LIMIT_MS = 5 * 60_000
/** Namespace and name of what is deployed through git. */
export const APP = 'app'
export const AGENT = 'fleet-agent'

/** What the outer part hands to the inner one. */
export interface StageOptions {
  readonly dir: string
  readonly cgroup: string
  readonly cniPlugins: string
  readonly programs: Programs
  readonly linkDownMs: number
  /** for all steps */
  readonly limitMs: number
}

export interface Pod extends KubeObject {
  readonly spec: {
    readonly containers: readonly { readonly image: string }[]
    readonly imagePullSecrets?: readonly { readonly name: string }[]
  }
  readonly status?: {
    readonly phase?: string
    readonly conditions?: readonly { readonly type: string; readonly status: string }[]
    readonly containerStatuses?: readonly { readonly restartCount: number }[]
  }
}

/** A cluster and a client of its administrator. */
export interface Member extends RealNode {
  readonly client: KubeClient
}

export interface Stage {
  readonly options: StageOptions
  readonly hub: Member
  /** imported by a kubeconfig */
  readonly paris: Member
  /** registers itself by a token */
  readonly rome: Member
  readonly repository: ServedRepository
  /** of the repository, as pods reach it */
  readonly repositoryUrl: string
  /** Folder in which the administrator works: `charts` lies in it. */
  readonly desk: string
  /** Runs commands of a shell with kubectl and helm for a cluster; gives their output. */
  shell(member: Member, commands: string): Promise<string>
  close(): Promise<void>
}

/** Starts the clusters, with all images, and the git server. */
export async function openStage(options: StageOptions): Promise<Stage> {
  await makeLan()
  const children = createHostProcesses()
  const git = await startGitServer()
  const forward = await forwardTo(Number(new URL(git.url).port))
  const start = (name: string, number: number) => startMember(options, children, name, number)
  const [hub, paris, rome] = await Promise.all([start('hub', 1), start('paris', 2), start('rome', 3)])
  const repository = await git.repository(APP)
  const desk = join(options.dir, 'desk')
  mkdirSync(desk)
  symlinkSync(join(ROOT, 'charts'), join(desk, 'charts'))
  const path = `${options.programs.controlPlane}:${process.env.PATH ?? ''}`
  return {
    options,
    hub,
    paris,
    rome,
    repository,
    repositoryUrl: repository.url.replace(git.url, `http://${WORLD_ADDRESS}:${portOf(forward)}`),
    desk,
    shell: ({ kubeconfig }, commands) =>
      must('/bin/sh', ['-euc', commands], {
        env: { HOME: options.dir, PATH: path, KUBECONFIG: kubeconfig },
        cwd: desk,
        timeoutMs: SHELL_LIMIT_MS,
      }),
    close: () => close(children, git, forward),
  }
}

async function startMember(options: StageOptions, children: HostProcesses, name: string, number: number): Promise<Member> {
  const layout = layoutOf(options, name, number)
  const node = await startRealNode(layout, options.programs, children, (pid) => plugIn(name, layout.address, pid))
  const archive = (image: string) => join(options.dir, 'images', `${image}.tar`)
  await node.importImages(archive('pause'))
  if (name === 'hub') await node.importImages(archive('fleet'))
  await node.importImages(archive('fleet-agent'), { [`${AGENT_IMAGE}:${VERSION}`]: NEXT_AGENT })
  return { ...node, client: await clientOf(node) }
}

async function close(children: HostProcesses, git: GitServer, forward: Server): Promise<void> {
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
      const { status } = await stage.hub.client.get<GitRepo>({ ...GIT_REPO, name: APP, namespace: WORKSPACE })
      const ready = status?.conditions?.find(({ type }) => type === 'Ready')
      check(status?.commit === commit && ready?.status === 'True', `${status?.commit} ${ready?.status} ${ready?.message ?? ''}`)
      const deployments = await deploymentsOf(stage)
      for (const deployment of deployments) checkDeployed(deployment, commit)
      check(deployments.length > 0, 'no deployments')
    },
    { what: `GitRepo ${APP} ready at ${commit.slice(0, 8)}`, timeoutMs, everyMs: 100 },
  )
}

/** The BundleDeployments of the GitRepo. */
export async function deploymentsOf({ hub }: Stage): Promise<BundleDeployment[]> {
  const { items } = await hub.client.list<BundleDeployment>(BUNDLE_DEPLOYMENT, { labelSelector: `fleet.cattle.io/repo-name=${APP}` })
  return items
}

/** @throws Error when a deployment is not ready with what a commit says */
export function checkDeployed({ metadata, spec, status }: BundleDeployment, commit: string): void {
  const applied = status?.appliedDeploymentID === spec.deploymentID && status?.display?.state === 'Ready'
  const label = metadata.labels?.['fleet.cattle.io/commit']
  check(applied && label === commit, `${metadata.namespace}/${metadata.name} is ${status?.display?.state} at ${label}`)
}

/** @throws Error when it does not hold */
export function check(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(otherwise)
}
