// What is different between two snapshots.
import type { Diagnostics, Snapshot } from '../monitor/snapshot.ts'
import { kilobytes, type Paint, plain, table } from './layout.ts'

const COUNTED = [
  ['GitRepos', 'gitrepos'],
  ['Bundles', 'bundles'],
  ['BundleDeployments', 'bundledeployments'],
  ['Contents', 'contents'],
  ['Clusters', 'clusters'],
  ['ClusterGroups', 'clustergroups'],
] as const satisfies readonly (readonly [string, keyof Snapshot])[]

const DIAGNOSED = [
  ['Stuck BundleDeployments', 'stuckBundleDeployments'],
  ['GitRepo/Bundle Mismatches', 'gitRepoBundleInconsistencies'],
  ['Content Issues', 'contentIssuesCount'],
  ['Bundles with No Deployments', 'bundlesWithNoDeployments'],
  ['GitRepos with No Bundles', 'gitReposWithNoBundles'],
  ['Agent Issues', 'clustersWithAgentIssues'],
  ['Large Bundles (>1MB)', 'largeBundles'],
] as const satisfies readonly (readonly [string, keyof Diagnostics])[]

/** Counts of objects and of troubles before and after, and the bundles that grew or shrank. */
export function changes(before: Snapshot, after: Snapshot, paint: Paint): string[] {
  const [old, now] = [before.diagnostics, after.diagnostics]
  const sizes = sizeChanges(before, after, paint)
  return [
    '',
    'RESOURCE COUNTS:',
    ...table(COUNTED.map(([label, list]) => change(label, countOf(before[list]), countOf(after[list]), paint))),
    ...(old && now
      ? [
          '',
          'DIAGNOSTICS CHANGES:',
          ...table(DIAGNOSED.map(([label, list]) => change(label, countOf(old[list]), countOf(now[list]), paint))),
        ]
      : []),
    ...(sizes.length > 0 ? ['', 'BUNDLE SIZE CHANGES:', ...sizes] : []),
  ]
}

function countOf(value: readonly unknown[] | number | undefined): number {
  return typeof value === 'number' ? value : (value?.length ?? 0)
}

function change(label: string, before: number, after: number, paint: Paint): string[] {
  const arrow = after > before ? paint('yellow', '↑') : after < before ? paint('green', '↓') : '→'
  return [`  ${label}:`, `${before} → ${after}`, arrow]
}

function sizeChanges(before: Snapshot, after: Snapshot, paint: Paint): string[] {
  const sizes = new Map((before.bundles ?? []).map(({ namespace, name, sizeBytes }) => [`${namespace}/${name}`, sizeBytes]))
  const lines = (after.bundles ?? []).flatMap(({ namespace, name, sizeBytes: size }) => {
    const key = `${namespace}/${name}`
    const old = sizes.get(key)
    if (!old || !size || old === size) return []
    const verdict = size > old ? paint('yellow', '⚠ GREW') : paint('green', '✓ SHRUNK')
    return [`  ${plain(key)}: ${kilobytes(old)} → ${kilobytes(size)} ${verdict}`]
  })
  return lines.sort()
}
