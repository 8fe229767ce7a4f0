import type { GitRepo } from '../api/git-repo.ts'
import { COMMIT_LABEL, CREATED_BY_DISPLAY_NAME_LABEL, REPO_NAME_LABEL } from '../api/labels.ts'
import type { ReadOptions } from './draft.ts'
import { gitTarget } from './fleet-shape.ts'
import { startPlace } from './shape.ts'
import { gitRepoTargets } from './targets.ts'

/** How the bundles of a GitRepo are read, charts and feature switches aside (spec 4.1, 6.7, 8.3). */
export function optionsOfGitRepo(gitRepo: GitRepo, commit: string): ReadOptions {
  const { metadata, spec } = gitRepo
  const { [CREATED_BY_DISPLAY_NAME_LABEL]: _obsolete, ...labels } = metadata.labels ?? {}
  return {
    repoName: metadata.name,
    namespace: metadata.namespace ?? '',
    paths: spec.paths,
    bundles: spec.bundles,
    labels: { ...labels, [REPO_NAME_LABEL]: metadata.name, ...(commit ? { [COMMIT_LABEL]: commit } : {}) },
    // what the API server stored may hold empty fields, which must not differ from absent ones
    targets: gitRepoTargets(spec.targets?.map((target) => gitTarget.read(target, startPlace()) as typeof target)),
    overrides: {
      serviceAccount: spec.serviceAccount,
      forceSyncGeneration: spec.forceSyncGeneration,
      targetNamespace: spec.targetNamespace,
      paused: spec.paused,
      keepResources: spec.keepResources,
      deleteNamespace: spec.deleteNamespace,
      correctDrift: spec.correctDrift,
    },
  }
}
