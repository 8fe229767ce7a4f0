import { numberAt, textAt } from '../../lib/kstatus/fields.ts'
import type { KubeObject } from '../../lib/kube/types.ts'

/**
 * Whether `spec.replicas` of a live Deployment or StatefulSet is the business of a HorizontalPodAutoscaler of the same deployment:
 * one targets it and allows the live number (spec 7.6 step 4).
 */
export function isAutoscaled(live: KubeObject, autoscalers: readonly KubeObject[]): boolean {
  if (live.apiVersion !== 'apps/v1' || (live.kind !== 'Deployment' && live.kind !== 'StatefulSet')) return false
  const replicas = numberAt(live, 'spec', 'replicas') ?? 1
  return autoscalers.some((scaler) => {
    const version = textAt(scaler, 'spec', 'scaleTargetRef', 'apiVersion')
    const targets =
      (version === '' || version === live.apiVersion) &&
      textAt(scaler, 'spec', 'scaleTargetRef', 'kind') === live.kind &&
      textAt(scaler, 'spec', 'scaleTargetRef', 'name') === live.metadata.name
    const min = numberAt(scaler, 'spec', 'minReplicas') ?? 1
    const max = numberAt(scaler, 'spec', 'maxReplicas') ?? 0
    return targets && scaler.metadata.namespace === live.metadata.namespace && replicas >= min && replicas <= max
  })
}

/** The autoscalers among some objects. */
export function autoscalersOf(objects: readonly KubeObject[]): KubeObject[] {
  return objects.filter((object) => object.kind === 'HorizontalPodAutoscaler' && object.apiVersion.startsWith('autoscaling/'))
}
