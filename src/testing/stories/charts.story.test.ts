// From nothing to a fleet by charts alone, with their default values; each program has the rights of its chart and no others.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { BundleDeployment } from '../../api/bundle-deployment.ts'
import type { Cluster } from '../../api/cluster.ts'
import type { GitRepo } from '../../api/git-repo.ts'
import { BUNDLE_DEPLOYMENT, CLUSTER, FLEET_API_VERSION, GIT_REPO } from '../../api/kinds.ts'
import { getCondition } from '../../lib/controller/conditions.ts'
import type { KubeObject } from '../../lib/kube/types.ts'
import { eventually } from '../eventually.ts'
import { configMap, configMapRef } from '../fleet.ts'
import { type GitServer, startGitServer } from '../git-server.ts'
import { type InstalledScene, SYSTEM_NAMESPACE, startInstalledScene } from '../installed.ts'

const WORKSPACE = 'fleet-default'
const IN_SYSTEM = ['--namespace', SYSTEM_NAMESPACE]
const SECRET = { apiVersion: 'v1', kind: 'Secret' }
let scene: InstalledScene
let git: GitServer

beforeAll(async () => {
  git = await startGitServer()
  scene = await startInstalledScene(['hub', 'edge'])
})
afterAll(async () => {
  await scene?.stop()
  await git?.stop()
})

const hub = () => scene.clusters.hub!
const edge = () => scene.clusters.edge!

function connected(name: string, namespace: string): Promise<Cluster> {
  return eventually(
    async () => {
      const cluster = await hub().client.get<Cluster>({ ...CLUSTER, name, namespace })
      const { conditions, summary } = cluster.status ?? {}
      expect(getCondition(conditions, 'Connected')?.status, JSON.stringify(conditions)).toBe('True')
      expect({ ...summary, some: (summary?.desiredReady ?? 0) > 0 }, JSON.stringify(conditions)).toMatchObject({
        some: true,
        ready: summary?.desiredReady,
      })
      return cluster
    },
    { what: `cluster ${namespace}/${name} connected and ready`, timeoutMs: 120_000 },
  )
}

async function followed(name: string, commit: string): Promise<void> {
  await eventually(
    async () => {
      const { status } = await hub().client.get<GitRepo>({ ...GIT_REPO, name, namespace: WORKSPACE })
      expect(
        { commit: status?.commit, ready: getCondition(status?.conditions, 'Ready')?.status },
        JSON.stringify(status?.conditions),
      ).toEqual({
        commit,
        ready: 'True',
      })
    },
    { what: `GitRepo ${name} ready`, timeoutMs: 60_000 },
  )
}

async function deployedCommits(): Promise<(string | undefined)[]> {
  const { items } = await hub().client.list(BUNDLE_DEPLOYMENT, { labelSelector: 'fleet.cattle.io/repo-name=apps' })
  return items.map(({ metadata }) => metadata.labels?.['fleet.cattle.io/commit'])
}

/** The releases of GitRepo apps, once all of them are of the version that is wanted. */
function releases(): Promise<(string | undefined)[]> {
  return eventually(async () => {
    const { items } = await hub().client.list<BundleDeployment>(BUNDLE_DEPLOYMENT, { labelSelector: 'fleet.cattle.io/repo-name=apps' })
    expect(items.map(({ status }) => status?.appliedDeploymentID)).toEqual(items.map(({ spec }) => spec.deploymentID))
    return items.map(({ status }) => status?.release ?? undefined)
  })
}

test('the charts with default values make the hub a ready cluster of its own fleet', async () => {
  await scene.helm('hub', ['install', 'fleet-crd', 'charts/fleet-crd', ...IN_SYSTEM, '--create-namespace'])
  writeFileSync(join(scene.dir, 'ca.pem'), hub().ca)
  const address = ['--set', `apiServerURL=${hub().url}`, '--set-file', `apiServerCA=${join(scene.dir, 'ca.pem')}`]
  await scene.helm('hub', ['install', 'fleet', 'charts/fleet', ...IN_SYSTEM, ...address, '--wait', '--timeout', '2m'])
  await connected('local', 'fleet-local')
})

test('a cluster registers with the values of a token and chart fleet-agent', async () => {
  await hub().client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: WORKSPACE } })
  await hub().client.create({
    apiVersion: FLEET_API_VERSION,
    kind: 'ClusterRegistrationToken',
    metadata: { name: 'edge', namespace: WORKSPACE },
    spec: { ttl: '1h' },
  } as KubeObject)
  const values = await eventually(async () => {
    const { data } = await hub().client.get<KubeObject & { data: { values: string } }>({ ...SECRET, name: 'edge', namespace: WORKSPACE })
    return Buffer.from(data.values, 'base64').toString()
  })
  writeFileSync(join(scene.dir, 'values.yaml'), values)
  const identity = ['--set', 'clientID=edge,labels.env=edge']
  const from = ['--values', join(scene.dir, 'values.yaml'), ...identity]
  await scene.helm('edge', ['install', 'fleet-agent', 'charts/fleet-agent', ...IN_SYSTEM, '--create-namespace', ...from])
  const registered = await eventually(async () => {
    const { items } = await hub().client.list<Cluster>(CLUSTER, { namespace: WORKSPACE, labelSelector: 'env=edge' })
    expect(items).toHaveLength(1)
    return items[0]!
  })
  await connected(registered.metadata.name, WORKSPACE)
})

test('a push that a webhook tells of is deployed at once', async () => {
  const repository = await git.repository('apps', { 'app/one.yaml': configMap('one') })
  await hub().client.create({
    apiVersion: FLEET_API_VERSION,
    kind: 'GitRepo',
    metadata: { name: 'apps', namespace: WORKSPACE },
    spec: {
      repo: repository.url,
      branch: 'master',
      paths: ['app'],
      pollingInterval: '1h',
      targetNamespace: 'apps',
      targets: [{ clusterSelector: { matchLabels: { env: 'edge' } } }],
    },
  } as KubeObject)
  await followed('apps', await repository.head())

  const commit = await repository.commit({ 'app/two.yaml': configMap('two') })
  const pushed = performance.now()
  const payload = { ref: 'refs/heads/master', after: commit, repository: { html_url: repository.url.replace(/\.git$/, '') } }
  const answer = await fetch(scene.webhooks, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-github-event': 'push' },
    body: JSON.stringify(payload),
  })
  expect(answer.status, await answer.text()).toBe(200)
  await eventually(() => edge().client.get(configMapRef('two', 'apps')), { everyMs: 20 })
  const ms = Math.round(performance.now() - pushed)
  process.stdout.write(`a push was deployed ${ms} ms after its webhook\n`)
  expect(ms).toBeLessThan(20_000) // budget 2 s on a quiet machine
  await followed('apps', commit)
  await eventually(async () => expect(await deployedCommits()).toEqual([commit]))
})

test('an upgrade of the chart rolls the agents, and deploys nothing anew', async () => {
  const before = await releases()
  await scene.helm('hub', [
    'upgrade',
    'fleet',
    'charts/fleet',
    ...IN_SYSTEM,
    '--reuse-values',
    '--set',
    'agentImage.tag=next',
    '--wait',
    '--timeout',
    '2m',
  ])
  for (const cluster of [hub(), edge()]) {
    await eventually(
      async () => {
        const { items } = await cluster.client.list<
          KubeObject & { spec: { containers: { image: string }[] }; status?: { phase?: string } }
        >({ apiVersion: 'v1', kind: 'Pod' }, { labelSelector: 'app=fleet-agent' })
        expect(items.map(({ spec, status }) => [spec.containers[0]?.image, status?.phase])).toEqual([['fleet/fleet-agent:next', 'Running']])
      },
      { what: `the agent of ${cluster.name} runs the new image`, timeoutMs: 90_000 },
    )
  }
  await connected('local', 'fleet-local')
  expect(await releases()).toEqual(before)
})
