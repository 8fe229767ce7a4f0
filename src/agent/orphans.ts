// The rare steps of a reconcile that take something away: objects of an earlier version, and a release that is to be installed anew.
import type { BundleDeployment } from '../api/bundle-deployment.ts'
import { inParallel } from '../lib/controller/parallel.ts'
import type { Accounts } from './accounts.ts'
import { releaseOf } from './deployer.ts'
import type { ModifiedResource } from './monitor/types.ts'
import type { ReleaseEngine } from './release/engine.ts'

export interface Orphans {
  /** Deletes objects with the rights of the deployment. True if there were any. */
  remove(deployment: BundleDeployment, resources: readonly ModifiedResource[]): Promise<boolean>
  /** Uninstalls the release of a deployment, which then is installed anew as its record is gone. */
  reinstall(deployment: BundleDeployment, signal: AbortSignal): Promise<void>
}

const PARALLEL = 8

export function createOrphans({ accounts, engine }: { accounts: Accounts; engine: ReleaseEngine }): Orphans {
  return {
    async remove({ spec }, resources) {
      if (resources.length === 0) return false
      const { client } = await accounts.access(spec.options?.serviceAccount)
      await inParallel(resources, PARALLEL, ({ apiVersion, kind, name, namespace }) =>
        client.delete({ apiVersion, kind, name, ...(namespace ? { namespace } : {}) }, { propagationPolicy: 'Background' }),
      )
      return true
    },
    async reinstall(deployment, signal) {
      await engine.uninstall(releaseOf(deployment), await accounts.access(deployment.spec.options?.serviceAccount), { signal })
    },
  }
}
