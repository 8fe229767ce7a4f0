import type { BundleDeployment } from '../api/bundle-deployment.ts'
import { BUNDLE_DEPLOYMENT } from '../api/kinds.ts'
import { keyOf } from '../lib/controller/keys.ts'
import type { BundleStage } from './stage.ts'

/**
 * Deletes deployments and the secrets with their values. Their finalizer is taken off elsewhere.
 * What fails does not stop the others; the errors are returned.
 */
export async function removeDeployments(
  { client, caches, secrets, limited, log }: BundleStage,
  deployments: readonly BundleDeployment[],
): Promise<unknown[]> {
  const errors: unknown[] = []

  async function remove(deployment: BundleDeployment): Promise<void> {
    const { name, namespace = '', uid } = deployment.metadata
    try {
      await client.delete({ ...BUNDLE_DEPLOYMENT, name, namespace }, uid ? { uid } : {})
      caches.newest.deployments.deleted(deployment)
      await secrets.drop(deployment)
      log.info({ deployment: keyOf(deployment) }, 'bundle deployment deleted')
    } catch (error) {
      errors.push(error)
    }
  }

  await Promise.all(deployments.map((deployment) => limited(() => remove(deployment))))
  return errors
}
