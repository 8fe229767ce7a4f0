// What all packs of one fetch, those of submodules and large files included, may weigh together.
import { GitError } from '../errors.ts'
import type { GitLimits } from '../types.ts'
import { redactUrl } from '../url.ts'

export interface PackBudget {
  readonly left: number
  /** False if there is not that much left. */
  take(bytes: number): boolean
  exceeded(url: string): GitError
}

export function createPackBudget({ packBytes }: Pick<GitLimits, 'packBytes'>): PackBudget {
  let left = packBytes
  return {
    get left() {
      return Math.max(left, 0)
    },
    take(bytes) {
      left -= bytes
      return left >= 0
    },
    exceeded: (url) =>
      new GitError(
        'too-large',
        `the repository ${redactUrl(url)} sends more than ${Math.ceil(packBytes / 2 ** 20)} MiB; split it, or take large files out of it`,
      ),
  }
}
