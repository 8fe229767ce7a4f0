import { expect, test } from 'vitest'
import type { KubeObject } from '../../lib/kube/types.ts'
import type { StatusInformers } from '../informers.ts'
import { labelText, renderFamilies } from './exposition.ts'
import { fleetMetrics } from './fleet-metrics.ts'

function caches(objects: Record<string, readonly object[]>): StatusInformers {
  const listed = (name: string) => ({ list: () => objects[name] ?? [] })
  return Object.fromEntries(
    ['gitRepos', 'helmOps', 'bundles', 'bundleDeployments', 'clusters', 'clusterGroups'].map((name) => [name, listed(name)]),
  ) as unknown as StatusInformers
}

const object = (kind: string, name: string, rest: object): KubeObject =>
  ({ apiVersion: 'fleet.cattle.io/v1alpha1', kind, metadata: { name, namespace: 'fleet-default', generation: 3 }, ...rest }) as KubeObject

test('a bundle has its counters and one series a state', () => {
  const bundle = object('Bundle', 'app', { status: { summary: { desiredReady: 3, ready: 3 } } })
  const text = fleetMetrics(caches({ bundles: [bundle] }), new Set(['bundle']), () => true)
  const labels = 'name="app",namespace="fleet-default",commit="",repo="",generation="3"'
  expect(text).toContain(`# TYPE fleet_bundle_desired_ready gauge\nfleet_bundle_desired_ready{${labels},state="Ready"} 3\n`)
  expect(text).toContain(`fleet_bundle_err_applied{${labels},state="Ready"} 0\n`)
  expect(text.match(/^fleet_bundle_state\{.*\} [01]$/gm)).toHaveLength(7)
  expect(text).toContain(`fleet_bundle_state{${labels},state="Ready"} 1\n`)
})

test('names are those of upstream', () => {
  const status = {
    version: '1.2.3',
    resourceCounts: { desiredReady: 2, notReady: 3, waitApplied: 1 },
    summary: { desiredReady: 1, ready: 0 },
  }
  const text = fleetMetrics(
    caches({
      gitRepos: [object('GitRepo', 'g', { spec: { repo: 'https://h/r', paths: ['a', 'b'] }, status })],
      helmOps: [object('HelmOp', 'h', { spec: { helm: { version: '1.x' } }, status })],
      clusters: [object('Cluster', 'c', { status: { ...status, display: { state: 'WaitCheckIn' } } })],
      clusterGroups: [object('ClusterGroup', 'cg', { status })],
      bundleDeployments: [object('BundleDeployment', 'bd', { spec: { deploymentID: 'x' } })],
    }),
    new Set(['gitrepo', 'helmop', 'cluster', 'clustergroup', 'bundledeployment']),
    () => true,
  )
  for (const line of [
    'fleet_gitrepo_resources_desired_ready{name="g",namespace="fleet-default",repo="https://h/r",branch="",paths="a;b"} 2',
    'fleet_gitrepo_resources_wait_applied{name="g",namespace="fleet-default",repo="https://h/r",branch="",paths="a;b"} 1',
    'fleet_helmop_ready_clusters{name="h",namespace="fleet-default",repo="",chart="",version="1.2.3"} 0',
    'fleet_helmop_resources_not_ready{name="h",namespace="fleet-default",repo="",chart="",version="1.2.3"} 3',
    'fleet_cluster_resources_count_desiredready{name="c",namespace="fleet-default",cluster_name="",cluster_display_name="",generation="3",state="WaitCheckIn"} 2',
    'fleet_cluster_state{name="c",namespace="fleet-default",cluster_name="",cluster_display_name="",generation="3",state="WaitCheckIn"} 1',
    'fleet_cluster_group_resource_count_desired_ready{name="cg",namespace="fleet-default",generation="3",state="NotReady"} 2',
    'fleet_cluster_group_resource_count_notready{name="cg",namespace="fleet-default",generation="3",state="NotReady"} 3',
    'fleet_cluster_group_resource_count_waitapplied{name="cg",namespace="fleet-default",generation="3",state="NotReady"} 1',
    'fleet_cluster_group_bundle_desired_ready{name="cg",namespace="fleet-default",generation="3",state="NotReady"} 1',
  ])
    expect(text).toContain(`${line}\n`)
  expect(text).toMatch(/^fleet_bundledeployment_state\{name="bd".*state="WaitApplied"\} 1$/m)
})

test('what stands in a label cannot end it', () => {
  expect(renderFamilies([{ name: 'a', help: 'b', series: [{ labels: labelText({ x: 'a"b\\c\nd' }), value: 1 }] }])).toBe(
    '# HELP a b\n# TYPE a gauge\na{x="a\\"b\\\\c\\nd"} 1\n',
  )
})
