// The part of a Bundle that a GitRepo decides: who may be deployed to. The commands read it from a file.
import { goList, goPointer, goStruct, goText } from '../lib/json/go-struct.ts'
import type { GitTarget } from './git-repo.ts'
import { goLabelSelector } from './go-types.ts'
import { keyHash, safeConcatName } from './names.ts'

const target = goStruct({
  name: goText,
  clusterName: goText,
  clusterSelector: goPointer(goLabelSelector),
  clusterGroup: goText,
  clusterGroupSelector: goPointer(goLabelSelector),
})
const fragment = goStruct({ targets: goList(target), targetRestrictions: goList(target) })

/** The target of a GitRepo that names none. */
export const DEFAULT_TARGET: Readonly<GitTarget> = { name: 'default', clusterGroup: 'default' }

/** The JSON of the file, and the name of the config map that holds it: targets are their own restrictions (spec 4.1, 12). */
export function targetsFile(gitRepo: string, targets: readonly GitTarget[] | null | undefined): { name: string; data: string } {
  const all = targets && targets.length > 0 ? targets : [DEFAULT_TARGET]
  const data = fragment.write({ targets: all, targetRestrictions: all })
  return { name: safeConcatName(gitRepo, 'config', keyHash(data)), data }
}
