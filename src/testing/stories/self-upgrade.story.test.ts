// Another agent image in the configuration: each agent replaces itself through its own bundle, and nothing else is deployed again.
import { expect, test } from 'vitest'
import type { BundleDeployment } from '../../api/bundle-deployment.ts'
import type { Cluster } from '../../api/cluster.ts'
import { BUNDLE_DEPLOYMENT, CLUSTER, CLUSTER_REGISTRATION } from '../../api/kinds.ts'
import { AGENT_NAME } from '../../api/labels.ts'
import { SYSTEM_NAMESPACE, WORKSPACE } from '../../devcluster/fleet-objects.ts'
import type { KubeObject } from '../../lib/kube/types.ts'
import { CONFIG_MAP, SECRET } from '../../registration/kinds.ts'
import { eventually } from '../eventually.ts'
import { configMap, configMapRef, MEMBER, useFleet } from '../fleet.ts'

const fleet = useFleet({
  config: { agentCheckinInterval: '2s' },
  controllerEnv: {
    FLEET_AGENT_ELECTION_LEASE_DURATION: '6s',
    FLEET_AGENT_ELECTION_RENEW_DEADLINE: '4s',
    FLEET_AGENT_ELECTION_RETRY_PERIOD: '1s',
  },
})
const NEXT = 'fleet-agent:next'

interface Pod extends KubeObject {
  readonly spec: { readonly containers: readonly { readonly image: string; readonly env: readonly { name: string; value?: string }[] }[] }
  readonly status?: { readonly containerStatuses?: readonly { readonly ready: boolean; readonly restartCount: number }[] }
}
interface Lease extends KubeObject {
  readonly spec: { readonly holderIdentity?: string; readonly leaseTransitions?: number }
}

const agentPods = async (): Promise<Pod[]> =>
  (await fleet.down.list<Pod>({ apiVersion: 'v1', kind: 'Pod' }, { namespace: SYSTEM_NAMESPACE, labelSelector: 'app=fleet-agent' })).items
const lease = () =>
  fleet.down.get<Lease>({ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', name: AGENT_NAME, namespace: SYSTEM_NAMESPACE })
const lastSeen = async (): Promise<number> =>
  Date.parse((await fleet.hub.get<Cluster>({ ...CLUSTER, name: MEMBER, namespace: WORKSPACE })).status?.agent?.lastSeen ?? '')

/** Helm releases of the member by name, each with its newest version. */
async function releases(): Promise<Record<string, number>> {
  const { items } = await fleet.down.list<KubeObject>(SECRET, { labelSelector: 'owner=helm' })
  const versions: Record<string, number> = {}
  for (const { metadata } of items) {
    const name = `${metadata.namespace}/${metadata.labels?.name}`
    versions[name] = Math.max(versions[name] ?? 0, Number(metadata.labels?.version))
  }
  return versions
}

async function configure(change: Record<string, unknown>): Promise<void> {
  const ref = { ...CONFIG_MAP, name: 'fleet-controller', namespace: SYSTEM_NAMESPACE }
  const { data } = await fleet.hub.get<KubeObject & { data: { config: string } }>(ref)
  await fleet.hub.patch(ref, { data: { config: JSON.stringify({ ...JSON.parse(data.config), ...change }) } }, { type: 'merge' })
}

/** Waits until the agent's own bundle is deployed as the hub wants it, and exactly one agent runs. */
async function settled(image: string): Promise<Pod> {
  return eventually(
    async () => {
      const { items } = await fleet.hub.list<BundleDeployment>(BUNDLE_DEPLOYMENT)
      expect(items.map(({ status }) => status?.display?.state)).toEqual(items.map(() => 'Ready'))
      for (const { spec, status } of items) expect(status?.appliedDeploymentID).toBe(spec.deploymentID)
      const [pod, ...more] = await agentPods()
      expect(more).toEqual([])
      expect(pod?.spec.containers[0]?.image).toBe(image)
      expect(pod?.status?.containerStatuses?.[0]?.ready).toBe(true)
      expect(Date.now() - (await lastSeen())).toBeLessThan(6_000)
      return pod as Pod
    },
    { what: `the agent runs as ${image}`, timeoutMs: 90_000 },
  )
}

test('an agent image that is changed in the configuration arrives, and nothing else changes', async () => {
  for (const name of ['one', 'two']) {
    const repository = await fleet.git.repository(name, {
      'raw/one.yaml': configMap('one'),
      'raw/fleet.yaml': `defaultNamespace: ${name}\n`,
    })
    await fleet.gitRepo(name, { repo: repository.url, paths: ['raw'] })
    await fleet.ready(name, await repository.head())
  }
  const old = await settled('fleet-agent:dev')
  const [before, oldLease, registrations, object] = await Promise.all([
    releases(),
    lease(),
    fleet.hub.list(CLUSTER_REGISTRATION),
    fleet.down.get(configMapRef('one', 'one')),
  ])
  const own = `${SYSTEM_NAMESPACE}/fleet-agent-${MEMBER}`
  expect(before[own]).toBe(1)

  const start = Date.now()
  await configure({ agentImage: NEXT, agentWorkers: { bundledeployment: '7' } })
  const pod = await settled(NEXT)
  process.stdout.write(`agent upgraded after ${Date.now() - start} ms\n`)

  expect(pod.metadata.uid).not.toBe(old.metadata.uid)
  expect(pod.spec.containers[0]?.env).toContainEqual({ name: 'BUNDLEDEPLOYMENT_RECONCILER_WORKERS', value: '7' })
  expect(pod.status?.containerStatuses?.[0]?.restartCount).toBe(0)
  await eventually(
    async () => expect(['', undefined, oldLease.spec.holderIdentity]).not.toContain((await lease()).spec.holderIdentity ?? ''),
    { what: 'the new agent leads' },
  )
  const seen = await lastSeen()
  await eventually(async () => expect(await lastSeen()).toBeGreaterThan(seen), { what: 'the new agent reports' })
  expect(await releases()).toEqual({ ...before, [own]: 2 })
  expect((await fleet.down.get(configMapRef('one', 'one'))).metadata).toEqual(object.metadata)
  const after = await fleet.hub.list(CLUSTER_REGISTRATION)
  expect(after.items.map(({ metadata }) => metadata.uid)).toEqual(registrations.items.map(({ metadata }) => metadata.uid))
})
