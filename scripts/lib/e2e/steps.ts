// The test, step by step.
import { setTimeout as pause } from 'node:timers/promises'
import type { Cluster } from '../../../src/api/cluster.ts'
import { CLUSTER, FLEET_API_VERSION } from '../../../src/api/kinds.ts'
import type { KubeObject } from '../../../src/lib/kube/types.ts'
import { eventually } from '../../../src/testing/eventually.ts'
import { PAUSE_IMAGE } from './flags.ts'
import { importParis, installCharts, joinHub, registerRome, uninstall, upgradeCharts } from './guide-steps.ts'
import { setLink } from './network.ts'
import { APP, awaitGitRepo, awaitPods, check, checkDeployed, deploymentsOf, type Pod, podsOf, type Stage, WORKSPACE } from './stage.ts'

/** One step; what it gives is printed beside its time. */
export interface Step {
  readonly name: string
  run(stage: Stage): Promise<string | undefined>
}

/** In their order. */
export const STEPS: readonly Step[] = [
  { name: 'charts installed, hub pods ready', run: installCharts },
  { name: 'the hub is a member of its own fleet', run: joinHub },
  { name: 'paris is imported by its kubeconfig, its agent registers', run: importParis },
  { name: 'rome registers itself by a token', run: registerRome },
  { name: 'a GitRepo deploys pods to both', run: deploy },
  { name: 'a commit changes them', run: (stage) => commit(stage, 2) },
  { name: 'agents upgrade themselves to another image', run: upgradeAgents },
  { name: 'kubelet and containerd restart in paris', run: restartNode },
  { name: 'the link of paris is down, and up again', run: cutLink },
  { name: 'no pod of ours was restarted', run: neverRestarted },
  { name: 'uninstalled', run: uninstall },
]

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
      targets: [{ clusterSelector: { matchLabels: { env: 'prod' } } }],
    },
  }
  await stage.hub.client.apply(gitRepo as KubeObject, { fieldManager: 'e2e' })
  await awaitGitRepo(stage, id)
  check((await deploymentsOf(stage)).length === 2, 'the GitRepo is for two clusters')
  await runsInBoth(stage, 1)
}

async function runsInBoth({ paris, rome }: Stage, replicas: number): Promise<void> {
  for (const { client } of [paris, rome]) await awaitPods(client, APP, APP, replicas)
}

async function commit(stage: Stage, replicas: number): Promise<undefined> {
  await awaitGitRepo(stage, await stage.repository.commit(files(replicas)))
  await runsInBoth(stage, replicas)
}

async function upgradeAgents(stage: Stage): Promise<string> {
  const running = () => Promise.all([stage.paris, stage.rome].map(({ client }) => podsOf(client, APP, APP)))
  const before = await running()
  await upgradeCharts(stage)
  await reports(stage, Date.now())
  sameRunning(before.flat(), (await running()).flat())
  return 'by docs/guides/upgrade.md'
}

async function restartNode(stage: Stage): Promise<undefined> {
  const { client, ...paris } = stage.paris
  const before = await podsOf(client, APP, APP)
  await paris.stopNode()
  await paris.startNode()
  await eventually(
    async () => {
      const node = await client.get<KubeObject & { status?: Pick<NonNullable<Cluster['status']>, 'conditions'> }>({
        apiVersion: 'v1',
        kind: 'Node',
        name: 'paris',
      })
      check(node.status?.conditions?.find(({ type }) => type === 'Ready')?.status === 'True', 'not ready')
    },
    { what: 'the node is ready', timeoutMs: 120_000 },
  )
  await commit(stage, 3)
  sameRunning(before, those(await podsOf(client, APP, APP), before))
}

/** A commit that is made while paris is cut off: rome has it at once, paris after. */
async function cutLink(stage: Stage): Promise<string> {
  const { linkDownMs } = stage.options
  const before = await podsOf(stage.paris.client, APP, APP)
  await setLink('paris', 'down')
  let up = 0
  try {
    const down = Date.now()
    const id = await stage.repository.commit(files(1))
    await eventually(
      async () =>
        check(
          (await deploymentsOf(stage)).some((one) => isDeployed(one, id)),
          'not yet',
        ),
      { what: 'rome has the commit' },
    )
    const inRome = seconds(Date.now() - down)
    await pause(Math.max(0, down + linkDownMs - Date.now()))
    // three check-ins, at least a minute
    if (linkDownMs > 90_000) check((await connectedOf(stage)) === 'False', 'paris is not shown as disconnected')
    await setLink('paris', 'up')
    up = Date.now()
    await awaitGitRepo(stage, id, 180_000)
    const arrived = seconds(Date.now() - up)
    const left = await awaitPods(stage.paris.client, APP, APP, 1)
    sameRunning(those(before, left), left)
    await reports(stage, up)
    await eventually(async () => check((await connectedOf(stage)) === 'True', 'paris is not connected'), { timeoutMs: 90_000 })
    const again = Date.now()
    await commit(stage, 2)
    return `down for ${linkDownMs / 1000} s, in rome after ${inRome} s; in paris ${arrived} s after it was up; the next commit everywhere after ${seconds(Date.now() - again)} s`
  } finally {
    await setLink('paris', 'up')
  }
}

function isDeployed(deployment: Parameters<typeof checkDeployed>[0], id: string): boolean {
  try {
    checkDeployed(deployment, id)
    return true
  } catch {
    // not yet
    return false
  }
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(1)
}

async function clusterParis({ hub }: Stage): Promise<Cluster> {
  return hub.client.get<Cluster>({ ...CLUSTER, name: 'paris', namespace: WORKSPACE })
}

async function connectedOf(stage: Stage): Promise<string | undefined> {
  return (await clusterParis(stage)).status?.conditions?.find(({ type }) => type === 'Connected')?.status
}

/** Waits until the agent of paris has reported since a time. */
async function reports(stage: Stage, since: number): Promise<void> {
  await eventually(
    async () => {
      const { status } = await clusterParis(stage)
      check(Date.parse(status?.agent?.lastSeen ?? '') > since, `last seen ${status?.agent?.lastSeen}`)
    },
    { what: 'the agent of paris reports', timeoutMs: 90_000, everyMs: 250 },
  )
}

/** Of some pods those that are among others. */
function those(pods: readonly Pod[], others: readonly Pod[]): Pod[] {
  const uids = new Set(others.map(({ metadata }) => metadata.uid))
  return pods.filter(({ metadata }) => uids.has(metadata.uid))
}

function sameRunning(before: readonly Pod[], after: readonly Pod[]): void {
  const describe = (pods: readonly Pod[]) =>
    pods
      .map(({ metadata, status }) => `${metadata.uid} restarted ${status?.containerStatuses?.[0]?.restartCount}`)
      .sort()
      .join(', ')
  check(describe(before) === describe(after), `pods were replaced or restarted: ${describe(before)}; now ${describe(after)}`)
}

async function neverRestarted({ hub, paris, rome }: Stage): Promise<undefined> {
  for (const { client } of [hub, paris, rome]) {
    for (const app of ['fleet-controller', 'gitjob', 'helmops', 'fleet-agent']) {
      for (const { metadata, status } of await podsOf(client, '', app)) {
        const count = status?.containerStatuses?.[0]?.restartCount ?? 0
        check(count === 0, `${metadata.namespace}/${metadata.name} was restarted ${count} times`)
      }
    }
  }
}
