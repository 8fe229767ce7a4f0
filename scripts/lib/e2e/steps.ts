// The test, step by step.
import { readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import type { Cluster } from '../../../src/api/cluster.ts'
import { CLUSTER, FLEET_API_VERSION } from '../../../src/api/kinds.ts'
import type { KubeClient } from '../../../src/lib/kube/client.ts'
import type { KubeObject } from '../../../src/lib/kube/types.ts'
import { eventually } from '../../../src/testing/eventually.ts'
import { PAUSE_IMAGE } from './flags.ts'
import { setLink } from './network.ts'
import { APP, awaitGitRepo, awaitPods, check, podsOf, type Stage, SYSTEM_NAMESPACE, WORKSPACE } from './stage.ts'

/** One step; what it gives is printed beside its time. */
export interface Step {
  readonly name: string
  run(stage: Stage): Promise<string | undefined>
}

const MEMBER = 'member'
const AGENT = 'fleet-agent'

const CHECKIN_S = 5

/** In their order. */
export const STEPS: readonly Step[] = [
  { name: 'charts installed, hub pods ready', run: installCharts },
  {
    name: 'the hub is a member of its own fleet',
    run: (stage) => joined(stage, 'fleet-local', 'local', stage.clients.hub, SYSTEM_NAMESPACE),
  },
  { name: 'the member is imported, its agent registers', run: importMember },
  { name: 'a GitRepo deploys pods', run: deploy },
  { name: 'a commit changes them', run: (stage) => commit(stage, 2) },
  { name: 'agents upgrade themselves to another image', run: upgradeAgents },
  { name: 'kubelet and containerd restart on the member', run: restartNode },
  { name: 'the link of the member is down, and up again', run: cutLink },
]

async function installCharts(stage: Stage): Promise<undefined> {
  const at = ['--namespace', SYSTEM_NAMESPACE, '--create-namespace', '--wait', '--timeout', '4m']
  await stage.helm(stage.hub, 'install', 'fleet-crd', 'charts/fleet-crd', ...at)
  await stage.helm(stage.hub, 'install', 'fleet', 'charts/fleet', ...at, ...values(stage, 'e2e'))
  for (const app of ['fleet-controller', 'gitjob', 'helmops']) await awaitPods(stage.clients.hub, SYSTEM_NAMESPACE, app, 1)
  await stage.clients.hub.apply(namespace(WORKSPACE), { fieldManager: 'e2e' })
}

function values(stage: Stage, agentTag: string): string[] {
  const set = {
    'image.tag': 'e2e',
    'agentImage.tag': agentTag,
    apiServerURL: stage.hub.url,
    agentTLSMode: 'strict',
    agentCheckinInterval: `${CHECKIN_S}s`,
    // as quick as a lease can be without being lost on a busy machine
    'agent.leaderElection.leaseDuration': '15s',
    'agent.leaderElection.renewDeadline': '10s',
    'agent.leaderElection.retryPeriod': '2s',
  }
  return [
    ...Object.entries(set).flatMap(([key, value]) => ['--set', `${key}=${value}`]),
    '--set-file',
    `apiServerCA=${stage.hub.layout.files.ca}`,
  ]
}

async function importMember(stage: Stage): Promise<undefined> {
  const value = readFileSync(stage.member.kubeconfig).toString('base64')
  const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'member-kubeconfig', namespace: WORKSPACE }, data: { value } }
  const cluster = {
    apiVersion: FLEET_API_VERSION,
    kind: 'Cluster',
    metadata: { name: MEMBER, namespace: WORKSPACE, labels: { env: 'e2e' } },
    spec: { kubeConfigSecret: 'member-kubeconfig' },
  }
  for (const object of [secret, cluster] as KubeObject[]) await stage.clients.hub.apply(object, { fieldManager: 'e2e' })
  await joined(stage, WORKSPACE, MEMBER, stage.clients.member, SYSTEM_NAMESPACE)
}

/** Waits until a cluster reports, and its agent is one ready pod. */
async function joined(stage: Stage, workspace: string, name: string, client: KubeClient, place: string): Promise<undefined> {
  await eventually(
    async () => {
      const { status } = await stage.clients.hub.get<Cluster>({ ...CLUSTER, name, namespace: workspace })
      const ready = status?.conditions?.find(({ type }) => type === 'Ready')
      check(ready?.status === 'True' && Boolean(status?.agent?.lastSeen), JSON.stringify(status?.conditions ?? 'no status'))
    },
    { what: `cluster ${name} ready`, timeoutMs: 180_000, everyMs: 250 },
  )
  await awaitPods(client, place, AGENT, 1)
}

function files(replicas: number): Record<string, string> {
  const labels = { app: APP }
  const container = {
    name: APP,
    image: PAUSE_IMAGE,
    securityContext: { runAsNonRoot: true, runAsUser: 1000, readOnlyRootFilesystem: true },
  }
  const deployment = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: APP },
    spec: { replicas, selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers: [container] } } },
  }
  return { 'app/deployment.yaml': JSON.stringify(deployment), 'app/fleet.yaml': `defaultNamespace: ${APP}\n` }
}

async function deploy(stage: Stage): Promise<undefined> {
  const id = await stage.repository.commit(files(1))
  const gitRepo = {
    apiVersion: FLEET_API_VERSION,
    kind: 'GitRepo',
    metadata: { name: APP, namespace: WORKSPACE },
    spec: {
      repo: stage.repositoryUrl,
      branch: 'master',
      paths: ['app'],
      pollingInterval: '2s',
      targets: [{ clusterSelector: { matchLabels: { env: 'e2e' } } }],
    },
  }
  await stage.clients.hub.apply(gitRepo as KubeObject, { fieldManager: 'e2e' })
  await awaitGitRepo(stage, id)
  await awaitPods(stage.clients.member, APP, APP, 1)
}

async function commit(stage: Stage, replicas: number): Promise<undefined> {
  await awaitGitRepo(stage, await stage.repository.commit(files(replicas)))
  await awaitPods(stage.clients.member, APP, APP, replicas)
}

async function upgradeAgents(stage: Stage): Promise<undefined> {
  const before = await podsOf(stage.clients.member, APP, APP)
  await stage.helm(stage.hub, 'upgrade', 'fleet', 'charts/fleet', '--namespace', SYSTEM_NAMESPACE, '--wait', ...values(stage, 'next'))
  const image = 'fleet/fleet-agent:next'
  await awaitPods(stage.clients.member, SYSTEM_NAMESPACE, AGENT, 1, image)
  await awaitPods(stage.clients.hub, SYSTEM_NAMESPACE, AGENT, 1, image)
  await reports(stage, Date.now())
  sameRunning(before, await podsOf(stage.clients.member, APP, APP))
}

async function restartNode(stage: Stage): Promise<undefined> {
  const before = await podsOf(stage.clients.member, APP, APP)
  await stage.member.stopNode()
  await stage.member.startNode()
  await eventually(
    async () => {
      const node = await stage.clients.member.get<KubeObject & { status?: Pick<NonNullable<Cluster['status']>, 'conditions'> }>({
        apiVersion: 'v1',
        kind: 'Node',
        name: MEMBER,
      })
      check(node.status?.conditions?.find(({ type }) => type === 'Ready')?.status === 'True', 'not ready')
    },
    { what: 'the node is ready', timeoutMs: 120_000 },
  )
  await commit(stage, 3)
  const names = new Set(before.map(({ metadata }) => metadata.name))
  sameRunning(
    before,
    (await podsOf(stage.clients.member, APP, APP)).filter(({ metadata }) => names.has(metadata.name)),
  )
}

async function cutLink(stage: Stage): Promise<string> {
  const before = await podsOf(stage.clients.member, APP, APP)
  await setLink(MEMBER, 'down')
  let up = 0
  try {
    const id = await stage.repository.commit(files(1))
    await pause(stage.options.linkDownMs)
    await setLink(MEMBER, 'up')
    up = Date.now()
    await awaitGitRepo(stage, id, 180_000)
  } finally {
    await setLink(MEMBER, 'up')
  }
  const arrived = Date.now()
  const left = await awaitPods(stage.clients.member, APP, APP, 1)
  const uids = new Set(left.map(({ metadata }) => metadata.uid))
  sameRunning(
    before.filter(({ metadata }) => uids.has(metadata.uid)),
    left,
  )
  await reports(stage, up)
  return `down for ${stage.options.linkDownMs / 1000} s; what was committed meanwhile was there ${((arrived - up) / 1000).toFixed(1)} s after`
}

/** Waits until the member's agent has reported since a time. */
async function reports(stage: Stage, since: number): Promise<void> {
  await eventually(
    async () => {
      const { status } = await stage.clients.hub.get<Cluster>({ ...CLUSTER, name: MEMBER, namespace: WORKSPACE })
      check(Date.parse(status?.agent?.lastSeen ?? '') > since, `last seen ${status?.agent?.lastSeen}`)
    },
    { what: 'the agent of the member reports', timeoutMs: 90_000, everyMs: 250 },
  )
}

function sameRunning(before: Awaited<ReturnType<typeof podsOf>>, after: typeof before): void {
  const describe = (pods: typeof before) =>
    pods
      .map(({ metadata, status }) => `${metadata.uid} restarted ${status?.containerStatuses?.[0]?.restartCount}`)
      .sort()
      .join(', ')
  check(describe(before) === describe(after), `pods were replaced or restarted: ${describe(before)}; now ${describe(after)}`)
}

function namespace(name: string): KubeObject {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name } }
}
