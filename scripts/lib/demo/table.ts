// The demo's table of what is where: GitRepo, Bundle, cluster, state.
import type { Bundle } from '../../../src/api/bundle.ts'
import type { BundleDeployment } from '../../../src/api/bundle-deployment.ts'
import type { GitRepo } from '../../../src/api/git-repo.ts'
import { BUNDLE_NAME_LABEL, CLUSTER_LABEL, REPO_NAME_LABEL } from '../../../src/api/labels.ts'

export interface Row {
  readonly gitRepo: string
  readonly bundle: string
  readonly cluster: string
  readonly state: string
}

export interface Snapshot {
  readonly gitRepos: readonly GitRepo[]
  readonly bundles: readonly Bundle[]
  readonly deployments: readonly BundleDeployment[]
}

/** A row for each deployment; a bundle without one, and a GitRepo without bundles, has a row of its own. Sorted. */
export function rows({ gitRepos, bundles, deployments }: Snapshot): Row[] {
  const all = gitRepos.flatMap((gitRepo) => {
    const own = bundles.filter((bundle) => bundle.metadata.labels?.[REPO_NAME_LABEL] === gitRepo.metadata.name)
    if (own.length === 0) return [{ gitRepo: gitRepo.metadata.name, bundle: '-', cluster: '-', state: gitRepoState(gitRepo) }]
    return own.flatMap((bundle) => bundleRows(gitRepo.metadata.name, bundle, deployments))
  })
  return all.sort((left, right) =>
    `${left.gitRepo} ${left.bundle} ${left.cluster}`.localeCompare(`${right.gitRepo} ${right.bundle} ${right.cluster}`),
  )
}

function bundleRows(gitRepo: string, bundle: Bundle, deployments: readonly BundleDeployment[]): Row[] {
  const own = deploymentsOf(bundle, deployments)
  if (own.length === 0) return [{ gitRepo, bundle: bundle.metadata.name, cluster: '-', state: 'no target yet' }]
  return own.map((deployment) => ({
    gitRepo,
    bundle: bundle.metadata.name,
    cluster: deployment.metadata.labels?.[CLUSTER_LABEL] ?? '?',
    state: deployment.status?.display?.state || 'Pending',
  }))
}

function deploymentsOf({ metadata }: Bundle, deployments: readonly BundleDeployment[]): BundleDeployment[] {
  return deployments.filter((deployment) => deployment.metadata.labels?.[BUNDLE_NAME_LABEL] === metadata.name)
}

function gitRepoState(gitRepo: GitRepo): string {
  const failed = (gitRepo.status?.conditions ?? []).find(
    ({ type, status }) => (type === 'Accepted' || type === 'GitPolling') && status === 'False',
  )
  return failed?.message ?? 'reading'
}

/** Whether the GitRepo has been read at `commit` and everything of it is ready on so many clusters. */
export function isReady({ gitRepos, bundles, deployments }: Snapshot, commit: string, clusters: number): boolean {
  const read = gitRepos.length > 0 && gitRepos.every(({ status }) => status?.commit === commit && status.gitJobStatus === 'Current')
  const deployed = bundles.length > 0 && bundles.every((bundle) => deploymentsOf(bundle, deployments).length === clusters)
  const current = deployments.every(
    ({ metadata, spec, status }) =>
      metadata.labels?.['fleet.cattle.io/commit'] === commit && status?.appliedDeploymentID === spec.deploymentID,
  )
  return read && deployed && current && deployments.every(({ status }) => status?.display?.state === 'Ready')
}

/** Aligned text, a line per row, with a head. */
export function render(all: readonly Row[]): string {
  const lines = [['GITREPO', 'BUNDLE', 'CLUSTER', 'STATE'], ...all.map((row) => [row.gitRepo, row.bundle, row.cluster, row.state])]
  const widths = [0, 1, 2].map((column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)))
  return lines
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
