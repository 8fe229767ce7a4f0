// Restrictions of a workspace: asked for each GitRepo before its server is.
import type { GitRepo, GitRepoSpec } from '../api/git-repo.ts'

/** What the restrictions of its namespace say about a GitRepo (spec 4.6). */
export type Authorization =
  /** `defaults` are written into the spec where it has nothing. */
  | { readonly isAllowed: true; readonly defaults?: Readonly<Partial<Pick<GitRepoSpec, 'serviceAccount' | 'clientSecretName'>>> }
  | { readonly isAllowed: false; readonly message: string }

/** Reads caches only. */
export type Authorize = (gitRepo: GitRepo) => Authorization
