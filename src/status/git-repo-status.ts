// What a GitRepo says about its bundles on the clusters; reading the repository is told by others.
import type { Bundle } from '../api/bundle.ts'
import type { BundleDeployment } from '../api/bundle-deployment.ts'
import type { GitRepo } from '../api/git-repo.ts'
import type { StatusBase } from '../api/status.ts'
import type { Controller } from '../lib/controller/controller.ts'
import { keyOf } from '../lib/controller/keys.ts'
import { BY_GIT_REPO, gitRepoKey } from './informers.ts'
import { foldMaker, followMakers, MAKER_FIELDS } from './maker-status.ts'
import { createRollUp, type StatusControllerDeps, USUAL_PACE } from './roll-up.ts'

/** As every maker of bundles; the display says `GitUpdating` unless the newest commit has been read, also after a failure (spec 8.5). */
export function foldGitRepo(
  gitRepo: GitRepo,
  bundles: readonly Bundle[],
  deployments: readonly BundleDeployment[],
  now: number,
): Required<StatusBase> {
  const status = foldMaker(gitRepo.status?.conditions, bundles, deployments, now)
  if (gitRepo.status?.gitJobStatus === 'Current') return status
  return { ...status, display: { ...status.display, state: 'GitUpdating' } }
}

/** Keeps the sums in `GitRepo.status` up to date. */
export function createGitRepoStatusController(deps: StatusControllerDeps): Controller {
  const { bundles, bundleDeployments, gitRepos } = deps.informers
  const rollUp = createRollUp(deps, {
    name: 'gitrepo-status',
    informer: gitRepos,
    owned: MAKER_FIELDS,
    pace: USUAL_PACE,
    fold(gitRepo, now) {
      if (!gitRepo.spec.repo) return undefined
      const key = keyOf(gitRepo)
      return { status: foldGitRepo(gitRepo, bundles.by(BY_GIT_REPO, key), bundleDeployments.by(BY_GIT_REPO, key), now) }
    },
  })
  followMakers(rollUp, deps.informers, gitRepoKey)
  return rollUp.controller
}
