// Hands hints on through the status of GitRepos: whichever replica receives a push, the one that follows the GitRepo sees it.
import type { GitRepo } from '../../api/git-repo.ts'
import type { Clock } from '../../lib/controller/clock.ts'
import { formatTime } from '../../lib/controller/conditions.ts'
import { onNewest } from '../../lib/controller/on-newest.ts'
import type { KubeClient } from '../../lib/kube/client.ts'
import { isNotFound } from '../../lib/kube/errors.ts'
import { refOf } from '../../lib/kube/paths.ts'
import type { Hint } from './receive.ts'

/** With pushes there is no need to ask often (spec 0.4). */
const INTERVAL_WITH_WEBHOOK = '1h0m0s'

/** Notes the hint in the GitRepo's status, and gives the GitRepo a long polling interval unless it names one. A GitRepo that is gone is fine. */
export async function writeHint(
  { client, clock }: { client: Pick<KubeClient, 'patch' | 'find'>; clock: Clock },
  { gitRepo, commit }: Pick<Hint, 'gitRepo' | 'commit'>,
): Promise<void> {
  const ref = refOf(gitRepo)
  const status = { webhookCommit: commit, lastWebhookTime: formatTime(clock.now()) }
  try {
    await relax(client, await client.patch<GitRepo>(ref, { status }, { type: 'merge', subresource: 'status' }))
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
}

/** Only on top of the version that has no interval: what a user sets meanwhile stays. */
async function relax(client: Pick<KubeClient, 'patch' | 'find'>, written: GitRepo): Promise<void> {
  await onNewest(client, written, async ({ spec, metadata: { resourceVersion } }) => {
    if (spec.pollingInterval) return
    const patch = { metadata: { resourceVersion }, spec: { pollingInterval: INTERVAL_WITH_WEBHOOK } }
    await client.patch(refOf(written), patch, { type: 'merge' })
  })
}
