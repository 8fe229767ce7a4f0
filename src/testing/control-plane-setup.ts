// Runs once before the tests that need an API server: starts the clusters `hub` and `downstream`, or takes the ones that the environment names.
//   FLEET_TEST_KUBECONFIG_HUB, FLEET_TEST_KUBECONFIG_DOWNSTREAM   use these clusters
//   KUBE_BIN                                                     folder with the programs of a control plane, kubectl and helm
import { execFile } from 'node:child_process'
import { existsSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { TestProject } from 'vitest/node'
import { ensureControlPlane } from '../../scripts/lib/control-plane/ensure.ts'
import type { DevClusters } from '../devcluster/clusters.ts'
import { startClusters } from '../devcluster/clusters.ts'
import type { TestCluster, TestClusterName } from './cluster.ts'

interface SharedRun {
  users: number
  readonly started: Promise<{ clusters: Record<TestClusterName, TestCluster>; own: DevClusters | undefined }>
}

const NAMES: readonly TestClusterName[] = ['hub', 'downstream']
// kubectl follows no links
const CRDS = realpathSync(join(import.meta.dirname, '..', '..', 'crds'))
const KUBECTL_LIMIT_MS = 120_000
// Two test projects load this file separately and share the clusters.
const SHARED = Symbol.for('fleet.test.clusters')

const run = promisify(execFile)

/** Provides `clusters` to the tests of the project; resolves to what ends the clusters after the last project. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const holder = globalThis as { [SHARED]?: SharedRun }
  holder[SHARED] ??= { users: 0, started: start() }
  const shared = holder[SHARED]
  shared.users++
  const { clusters, own } = await shared.started
  project.provide('clusters', clusters)
  return async () => {
    shared.users--
    if (shared.users > 0) return
    delete holder[SHARED]
    await own?.stop()
  }
}

async function start(): Promise<{ clusters: Record<TestClusterName, TestCluster>; own: DevClusters | undefined }> {
  const { bin } = await ensureControlPlane()
  const missing = NAMES.filter((name) => givenKubeconfig(name) === undefined)
  const own = missing.length === 0 ? undefined : await startClusters({ names: missing, bin })
  try {
    const clusters = await Promise.all(NAMES.map((name) => toTestCluster(name, bin, own)))
    await Promise.all(clusters.map(installCrds))
    return { clusters: Object.fromEntries(clusters.map((cluster) => [cluster.name, cluster])) as Record<TestClusterName, TestCluster>, own }
  } catch (error) {
    await own?.stop()
    throw error
  }
}

function givenKubeconfig(name: TestClusterName): string | undefined {
  return process.env[`FLEET_TEST_KUBECONFIG_${name.toUpperCase()}`] || undefined
}

async function toTestCluster(name: TestClusterName, bin: string, own: DevClusters | undefined): Promise<TestCluster> {
  const started = own?.clusters[name]
  if (started !== undefined) {
    const { url, ca, token, kubeconfig } = started
    return { name, url, ca, token, kubeconfig, bin }
  }
  const kubeconfig = givenKubeconfig(name) ?? ''
  const view = await kubectl(bin, kubeconfig, ['config', 'view', '--raw', '--minify', '--flatten', '-o', 'json'])
  const { clusters, users } = JSON.parse(view) as KubeconfigView
  const cluster = clusters?.[0]?.cluster
  const ca = Buffer.from(cluster?.['certificate-authority-data'] ?? '', 'base64').toString()
  return { name, url: cluster?.server ?? '', ca, token: users?.[0]?.user?.token ?? '', kubeconfig, bin }
}

interface KubeconfigView {
  readonly clusters?: readonly { readonly cluster?: { readonly server?: string; readonly 'certificate-authority-data'?: string } }[]
  readonly users?: readonly { readonly user?: { readonly token?: string } }[]
}

async function installCrds({ bin, kubeconfig }: TestCluster): Promise<void> {
  if (!existsSync(CRDS)) return
  await kubectl(bin, kubeconfig, ['apply', '--server-side', '--force-conflicts', '-f', CRDS])
  await kubectl(bin, kubeconfig, ['wait', '--for=condition=Established', '--timeout=90s', '-f', CRDS])
}

async function kubectl(bin: string, kubeconfig: string, args: readonly string[]): Promise<string> {
  const options = { encoding: 'utf8', timeout: KUBECTL_LIMIT_MS, maxBuffer: 32 * 2 ** 20 } as const
  const { stdout } = await run(join(bin, 'kubectl'), ['--kubeconfig', kubeconfig, ...args], options)
  return stdout
}
