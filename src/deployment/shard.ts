import { SHARD_REF_LABEL } from '../api/labels.ts'
import type { KubeObject } from '../lib/kube/types.ts'

/** True if the object is for this shard; the empty one handles what names none (spec 2.2). */
export function isOfShard({ metadata }: KubeObject, shard: string): boolean {
  return (metadata.labels?.[SHARD_REF_LABEL] ?? '') === shard
}
