// Structs of Kubernetes as Go writes them, field order included; only what Fleet hashes.
import { always, type GoType, goBool, goInt, goList, goMap, goPointer, goStruct, goText } from '../lib/json/go-struct.ts'
import { canonicalQuantity } from './quantity.ts'

const texts = goList(goText)

/** metav1.LabelSelector. */
export const goLabelSelector = goStruct({
  matchLabels: goMap(goText),
  matchExpressions: goList(goStruct({ key: always(goText), operator: always(goText), values: texts })),
})

/** resource.Quantity: a text in canonical form, however it was given. */
const quantity: GoType = {
  write: (value) => `"${canonicalQuantity(value as string | number | null | undefined)}"`,
  isEmpty: () => false,
}

const keyReference = goPointer(goStruct({ name: goText, key: always(goText), optional: goPointer(goBool) }))

/** core/v1 EnvVar. */
export const goEnvVar = goStruct({
  name: always(goText),
  value: goText,
  valueFrom: goPointer(
    goStruct({
      fieldRef: goPointer(goStruct({ apiVersion: goText, fieldPath: always(goText) })),
      resourceFieldRef: goPointer(goStruct({ containerName: goText, resource: always(goText), divisor: quantity })),
      configMapKeyRef: keyReference,
      secretKeyRef: keyReference,
      fileKeyRef: goPointer(
        goStruct({ volumeName: always(goText), path: always(goText), key: always(goText), optional: goPointer(goBool) }),
      ),
    }),
  ),
})

/** core/v1 Toleration. */
export const goToleration = goStruct({ key: goText, operator: goText, value: goText, effect: goText, tolerationSeconds: goPointer(goInt) })

const requirements = goList(goStruct({ key: always(goText), operator: always(goText), values: texts }))
const nodeTerm = goStruct({ matchExpressions: requirements, matchFields: requirements })
const podTerm = goStruct({
  labelSelector: goPointer(goLabelSelector),
  namespaces: texts,
  topologyKey: always(goText),
  namespaceSelector: goPointer(goLabelSelector),
  matchLabelKeys: texts,
  mismatchLabelKeys: texts,
})
const podAffinity = goPointer(
  goStruct({
    requiredDuringSchedulingIgnoredDuringExecution: goList(podTerm),
    preferredDuringSchedulingIgnoredDuringExecution: goList(goStruct({ weight: always(goInt), podAffinityTerm: podTerm })),
  }),
)

/** core/v1 Affinity. */
export const goAffinity = goStruct({
  nodeAffinity: goPointer(
    goStruct({
      requiredDuringSchedulingIgnoredDuringExecution: goPointer(goStruct({ nodeSelectorTerms: always(goList(nodeTerm)) })),
      preferredDuringSchedulingIgnoredDuringExecution: goList(goStruct({ weight: always(goInt), preference: nodeTerm })),
    }),
  ),
  podAffinity,
  podAntiAffinity: podAffinity,
})

/** core/v1 ResourceRequirements. */
export const goResourceRequirements = goStruct({
  limits: goMap(quantity),
  requests: goMap(quantity),
  claims: goList(goStruct({ name: always(goText), request: goText })),
})

/** A Cluster's agentSchedulingCustomization. */
export const goSchedulingCustomization = goStruct({
  priorityClass: goPointer(goStruct({ value: goInt, preemptionPolicy: goPointer(goText) })),
  podDisruptionBudget: goPointer(goStruct({ minAvailable: goText, maxUnavailable: goText })),
})
