// Steps that do what docs/guides say, word by word: installing, joining, upgrading, uninstalling.
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Cluster } from '../../../src/api/cluster.ts'
import { CLUSTER } from '../../../src/api/kinds.ts'
import type { KubeClient } from '../../../src/lib/kube/client.ts'
import type { KubeObject } from '../../../src/lib/kube/types.ts'
import { eventually } from '../../../src/testing/eventually.ts'
import { ROOT } from '../run.ts'
import { blockWith, withOurs } from './guide.ts'
import { AGENT, APP, awaitPods, check, NEXT_AGENT, podsOf, type Stage, SYSTEM_NAMESPACE, WORKSPACE } from './stage.ts'

const PAGES = { install: 'install.md', airGap: 'air-gap.md', upgrade: 'upgrade.md' } as const
const PULL_SECRET = 'registry-login'

/** What the guides leave to the user: reports and leases as quick as a busy machine allows. */
const QUICK = `
agentCheckinInterval: 5s
agent:
  leaderElection: {leaseDuration: 15s, renewDeadline: 10s, retryPeriod: 2s}
`

function say(page: keyof typeof PAGES, heading: string, text: string): string {
  return blockWith(readFileSync(join(ROOT, 'docs', 'guides', PAGES[page]), 'utf8'), heading, text)
}

/** The hub as in install.md, with the values and the secret of air-gap.md. */
export async function installCharts(stage: Stage): Promise<string> {
  const { hub, desk } = stage
  const file = (name: string, text: string) => writeFileSync(join(desk, name), text)
  file('quick.yaml', QUICK)
  file('air-gap.yaml', say('airGap', 'Images', 'systemDefaultRegistry'))
  copyFileSync(hub.layout.files.ca, join(desk, 'ca.pem'))
  await stage.shell(hub, say('airGap', 'Images', 'create secret docker-registry'))
  const ours = { 'charts/fleet -n': 'charts/fleet -f quick.yaml -f air-gap.yaml -n', 'https://hub.example.com:6443': hub.url }
  await stage.shell(hub, withOurs(say('install', 'The hub', 'helm install fleet '), ours))
  for (const app of ['fleet-controller', 'gitjob', 'helmops']) await awaitPods(hub.client, SYSTEM_NAMESPACE, app, 1)
  return 'by docs/guides/install.md and air-gap.md'
}

export async function joinHub(stage: Stage): Promise<undefined> {
  await joined(stage, 'fleet-local', 'local', stage.hub.client)
  const table = await stage.shell(stage.hub, say('install', 'The hub', 'kubectl get clusters'))
  check(/\bLAST-SEEN\b/.test(table) && /\blocal\b.*\d{4}-\d\d-\d\dT/.test(table), `the guide promises a time under LAST-SEEN:\n${table}`)
}

export async function importParis(stage: Stage): Promise<undefined> {
  copyFileSync(stage.paris.kubeconfig, join(stage.desk, 'paris.kubeconfig'))
  await stage.shell(stage.hub, say('install', 'Clusters', 'kubeConfigSecret'))
  await joined(stage, WORKSPACE, 'paris', stage.paris.client)
  await stage.paris.client.get({ apiVersion: 'v1', kind: 'Secret', name: PULL_SECRET, namespace: SYSTEM_NAMESPACE })
}

export async function registerRome(stage: Stage): Promise<string> {
  const { hub, rome } = stage
  await stage.shell(rome, say('airGap', 'Images', 'create secret docker-registry'))
  await stage.shell(hub, say('install', 'Clusters', 'ClusterRegistrationToken'))
  await stage.shell(rome, say('install', 'Clusters', 'helm install fleet-agent'))
  const name = await eventually(async () => {
    const { items } = await hub.client.list<Cluster>(CLUSTER, { namespace: WORKSPACE })
    const found = items.find(({ spec, metadata }) => spec?.clientID === 'rome' && metadata.labels?.env === 'prod')
    check(found !== undefined, 'no cluster with client id rome and label env=prod')
    return found?.metadata.name ?? ''
  })
  await joined(stage, WORKSPACE, name, rome.client)
  // the chart starts it without the secret; the hub, which takes it over, knows of it
  await eventually(async () => usesPullSecret(rome.client), { timeoutMs: 120_000 })
  return name
}

/** Waits until a cluster reports, and its agent is one ready pod. */
async function joined(stage: Stage, workspace: string, name: string, client: KubeClient): Promise<void> {
  await eventually(
    async () => {
      const { status } = await stage.hub.client.get<Cluster>({ ...CLUSTER, name, namespace: workspace })
      const ready = status?.conditions?.find(({ type }) => type === 'Ready')
      check(ready?.status === 'True' && Boolean(status?.agent?.lastSeen), JSON.stringify(status?.conditions ?? 'no status'))
    },
    { what: `cluster ${name} ready`, timeoutMs: 180_000, everyMs: 250 },
  )
  await awaitPods(client, SYSTEM_NAMESPACE, AGENT, 1)
}

async function usesPullSecret(client: KubeClient): Promise<void> {
  const pods = await podsOf(client, SYSTEM_NAMESPACE, AGENT)
  const seen = pods.map(({ spec }) => spec.imagePullSecrets?.map(({ name }) => name).join() ?? 'none')
  check(seen.length === 1 && seen[0] === PULL_SECRET, `pull secrets of the agent's pods: ${seen.join('; ')}`)
}

/** As in upgrade.md; only the agents get another image. */
export async function upgradeCharts(stage: Stage): Promise<void> {
  const commands = say('upgrade', 'Order', 'helm upgrade fleet ')
  await stage.shell(stage.hub, withOurs(commands, { '--reset-then-reuse-values': '--reset-then-reuse-values --set agentImage.tag=next' }))
  for (const { client } of [stage.paris, stage.rome, stage.hub]) {
    await awaitPods(client, SYSTEM_NAMESPACE, AGENT, 1, NEXT_AGENT)
    await usesPullSecret(client)
  }
}

/** As in install.md: what was deployed is gone, then the hub's programs, then the agents, then the definitions. */
export async function uninstall(stage: Stage): Promise<string> {
  const { hub, paris, rome } = stage
  const started = Date.now()
  const times: string[] = []
  const done = (what: string) => times.push(`${what} after ${((Date.now() - started) / 1000).toFixed(0)} s`)
  for (const command of say('install', 'Uninstalling', 'helm uninstall').trim().split('\n')) {
    await stage.shell(hub, command)
    done(command.split(' ').slice(0, 3).join(' '))
  }
  for (const { client } of [paris, rome]) await gone(client, APP, APP)
  for (const app of ['fleet-controller', 'gitjob', 'helmops']) await gone(hub.client, SYSTEM_NAMESPACE, app)
  await Promise.all([paris, rome, hub].map((member) => stage.shell(member, say('install', 'Uninstalling', 'delete namespace'))))
  for (const { client } of [paris, rome, hub]) await gone(client, SYSTEM_NAMESPACE, AGENT)
  done('agents')
  await stage.shell(hub, say('install', 'Uninstalling', 'kubectl get crd'))
  return times.join(', ')
}

async function gone(client: KubeClient, namespace: string, app: string): Promise<void> {
  await eventually(
    async () => {
      const pods = await client.list<KubeObject>({ apiVersion: 'v1', kind: 'Pod' }, { namespace, labelSelector: `app=${app}` })
      check(pods.items.length === 0, pods.items.map(({ metadata }) => metadata.name).join(', '))
    },
    { what: `no pods of ${app} in ${namespace}`, timeoutMs: 60_000, everyMs: 250 },
  )
}
