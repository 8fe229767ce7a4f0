import { inParallel } from '../../lib/controller/parallel.ts'
import { refOf } from '../../lib/kube/paths.ts'
import type { KubeObject } from '../../lib/kube/types.ts'
import { defineCommand } from '../command.ts'
import { NAMESPACE_FLAG } from '../flags.ts'
import { isFinishedGitJob, JOB, type Job } from './jobs.ts'

/** Deletions at a time. */
const AT_A_TIME = 16

export const cleanupGitJob = defineCommand({
  description:
    'Deletes finished jobs of GitRepos, with their pods, in all namespaces. Jobs that run or failed stay, and so do those of others.',
  flags: {
    namespace: { ...NAMESPACE_FLAG, hidden: true, help: 'for compatibility: all namespaces are cleaned up' },
    'batch-size': { type: 'integer', min: 2, default: 5_000, help: 'jobs to fetch at once' },
  },
  async run({ flags, io, signal, cluster }) {
    const { client } = await cluster()
    const options = { pageSize: flags['batch-size'], project: withoutSpec, signal }
    const { items } = await client.list<Job>(JOB, options)
    const finished = items.filter(isFinishedGitJob)
    const deleted = await inParallel(finished, AT_A_TIME, (job) => {
      const { uid } = job.metadata
      return client.delete(refOf(job), { propagationPolicy: 'Background', ...(uid ? { uid } : {}), signal })
    })
    await io.print(`deleted ${deleted.filter(Boolean).length} of ${items.length} jobs\n`)
  },
})

/** Jobs are kept small: there may be tens of thousands of them. */
function withoutSpec({ apiVersion, kind, metadata, ...rest }: KubeObject): KubeObject {
  const { status } = rest as Pick<Job, 'status'>
  const { name, namespace, uid, ownerReferences, deletionTimestamp } = metadata
  const kept = { name, namespace, uid, ownerReferences, deletionTimestamp } as KubeObject['metadata']
  return { apiVersion, kind, metadata: kept, ...(status ? { status } : {}) } as Job
}
