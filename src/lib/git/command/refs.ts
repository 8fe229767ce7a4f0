// What git is asked for when a ref is to be resolved.
import { GitError } from '../errors.ts'
import { checkBranch, checkTag, isCommitId } from '../refs.ts'
import type { GitRef } from '../types.ts'

/** Full names a ref may have, best first, and how it is called in messages; or the commit id it is. Throws GitError `unknown-ref` for bad names. */
export function refsFor(ref: GitRef): { readonly names: readonly string[]; readonly shown: string } | { readonly commit: string } {
  if ('branch' in ref) {
    checkBranch(ref.branch)
    return { names: [`refs/heads/${ref.branch}`], shown: `branch: ${ref.branch}` }
  }
  if ('tag' in ref) {
    checkTag(ref.tag)
    return { names: [`refs/tags/${ref.tag}`], shown: `revision: ${ref.tag}` }
  }
  const name = 'commit' in ref ? ref.commit : ref.revision
  if (isCommitId(name)) return { commit: name }
  if ('commit' in ref) throw new GitError('unknown-ref', `${JSON.stringify(name.slice(0, 100))} is not a commit id`)
  checkTag(name)
  return { names: [`refs/tags/${name}`, `refs/heads/${name}`], shown: `revision: ${name}` }
}
