// One snapshot in numbers.
import type { Diagnostics, Snapshot } from '../monitor/snapshot.ts'
import { heading, kilobytes, type Paint, plain, sign, table } from './layout.ts'

/** Counts of objects, and of troubles by kind. */
export function summary(snapshot: Snapshot, paint: Paint): string[] {
  const { diagnostics } = snapshot
  return [
    ...heading(paint, `FLEET MONITORING SUMMARY - ${plain(snapshot.timestamp)}`),
    paint('bold', 'RESOURCE COUNTS'),
    ...table(counts(snapshot)),
    ...(diagnostics ? ['', paint('bold', 'DIAGNOSTICS SUMMARY'), ...table(diagnosticRows(diagnostics, paint))] : []),
  ]
}

function counts({ gitrepos, bundles, bundledeployments, contents, clusters, clustergroups }: Snapshot): string[][] {
  const size = (bundles ?? []).reduce((sum, { sizeBytes = 0 }) => sum + sizeBytes, 0)
  return [
    ['  GitRepos:', numberOf(gitrepos)],
    ['  Bundles:', numberOf(bundles), `(Total Size: ${kilobytes(size)})`],
    ['  BundleDeployments:', numberOf(bundledeployments)],
    ['  Contents:', numberOf(contents)],
    ['  Clusters:', numberOf(clusters)],
    ['  ClusterGroups:', numberOf(clustergroups)],
  ]
}

function numberOf(list: readonly unknown[] | undefined): string {
  return String(list?.length ?? 0)
}

/** A kind of trouble, and what it consists of. */
interface Group {
  readonly title: string
  readonly parts: readonly (readonly [label: string, count: number])[]
}

function diagnosticRows(diagnostics: Diagnostics, paint: Paint): string[][] {
  return groups(diagnostics).flatMap(({ title, parts }) => {
    const total = parts.reduce((sum, [, count]) => sum + count, 0)
    const details = parts.filter(([label]) => label !== '').map(([label, count]) => [`    - ${label}:`, String(count)])
    return [[`  ${title}:`, String(total), sign(paint, total)], ...details]
  })
}

function groups(found: Diagnostics): Group[] {
  const of = (list: keyof Diagnostics): number => {
    const value = found[list]
    return typeof value === 'number' ? value : (value?.length ?? 0)
  }
  const deleting = [
    ['Bundles', of('bundlesWithDeletionTimestamp')],
    ['BundleDeployments', of('bundleDeploymentsWithDeletionTimestamp')],
    ['Contents', of('contentsWithDeletionTimestamp')],
  ] as const
  const unused = of('contentsWithZeroReferenceCount')
  return [
    { title: 'Stuck Resources', parts: [['Stuck BundleDeployments', of('stuckBundleDeployments')]] },
    {
      title: 'Inconsistencies',
      parts: [
        ['GitRepo/Bundle Mismatches', of('gitRepoBundleInconsistencies')],
        ['Content Issues', of('contentIssuesCount')],
      ],
    },
    {
      title: 'Target Matching',
      parts: [
        ['Bundles with No Deployments', of('bundlesWithNoDeployments')],
        ['GitRepos with No Bundles', of('gitReposWithNoBundles')],
        ['ClusterGroups with No Clusters', of('clusterGroupsWithNoClusters')],
      ],
    },
    {
      title: 'Ownership Issues',
      parts: [
        ['Bundles with Missing GitRepo', of('bundlesWithMissingGitRepo')],
        ['BundleDeployments with Missing Bundle', of('bundleDeploymentsWithMissingBundle')],
        ['Resources with Multiple Finalizers', of('resourcesWithMultipleFinalizers')],
        ['Secrets with Invalid Owner', of('invalidSecretOwners')],
      ],
    },
    { title: 'Agent Issues', parts: [['', of('clustersWithAgentIssues')]] },
    {
      title: 'Performance Issues',
      parts: [
        ['Large Bundles (>1MB)', of('largeBundles')],
        ['Bundles with Missing Content', of('bundlesWithMissingContent')],
      ],
    },
    {
      title: 'Generation Mismatches',
      parts: [
        ['GitRepos', of('gitReposWithGenerationMismatch')],
        ['Bundles', of('bundlesWithGenerationMismatch')],
        ['BundleDeployments (SyncGen)', of('bundleDeploymentsWithSyncGenerationMismatch')],
      ],
    },
    { title: 'Commit Mismatches', parts: [['', of('gitReposWithCommitMismatch')]] },
    { title: 'GitRepos last polled too long ago', parts: [['', of('gitReposUnpolled')]] },
    ...(deleting.some(([, count]) => count > 0)
      ? [{ title: 'Deletion Timestamps', parts: deleting.filter(([, count]) => count > 0) }]
      : []),
    ...(unused > 0 ? [{ title: 'Reference counts', parts: [['Contents with 0 reference count', unused] as const] }] : []),
  ]
}
