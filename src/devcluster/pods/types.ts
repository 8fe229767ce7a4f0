// The parts of core/v1 that the process node reads and writes.
import type { KubeObject, ObjectMeta, ResourceType } from '../../lib/kube/types.ts'

export const POD: ResourceType = { apiVersion: 'v1', kind: 'Pod' }
export const CONFIG_MAP: ResourceType = { apiVersion: 'v1', kind: 'ConfigMap' }
export const SECRET: ResourceType = { apiVersion: 'v1', kind: 'Secret' }

export interface ConfigMap extends KubeObject {
  readonly data?: Readonly<Record<string, string>>
  /** Values in base64. */
  readonly binaryData?: Readonly<Record<string, string>>
}

export interface Secret extends KubeObject {
  /** Values in base64. */
  readonly data?: Readonly<Record<string, string>>
}

export interface KeyRef {
  readonly name?: string
  readonly key: string
  readonly optional?: boolean
}

export interface ResourceFieldRef {
  readonly containerName?: string
  readonly resource: string
  readonly divisor?: string
}

export interface EnvVar {
  readonly name: string
  readonly value?: string
  readonly valueFrom?: {
    readonly fieldRef?: { readonly fieldPath: string }
    readonly resourceFieldRef?: ResourceFieldRef
    readonly configMapKeyRef?: KeyRef
    readonly secretKeyRef?: KeyRef
  }
}

export interface EnvFrom {
  readonly prefix?: string
  readonly configMapRef?: { readonly name?: string; readonly optional?: boolean }
  readonly secretRef?: { readonly name?: string; readonly optional?: boolean }
}

interface VolumeMount {
  readonly name: string
  readonly mountPath: string
  readonly subPath?: string
}

export interface Probe {
  readonly httpGet?: {
    readonly path?: string
    readonly port: number | string
    readonly host?: string
    readonly scheme?: string
    readonly httpHeaders?: readonly { readonly name: string; readonly value: string }[]
  }
  readonly tcpSocket?: { readonly port: number | string; readonly host?: string }
  readonly initialDelaySeconds?: number
  readonly periodSeconds?: number
  readonly timeoutSeconds?: number
  readonly failureThreshold?: number
  readonly successThreshold?: number
}

export interface Container {
  readonly name: string
  readonly image?: string
  readonly command?: readonly string[]
  readonly args?: readonly string[]
  readonly env?: readonly EnvVar[]
  readonly envFrom?: readonly EnvFrom[]
  readonly ports?: readonly { readonly name?: string; readonly containerPort: number }[]
  readonly volumeMounts?: readonly VolumeMount[]
  readonly resources?: { readonly limits?: Readonly<Record<string, string>>; readonly requests?: Readonly<Record<string, string>> }
  readonly readinessProbe?: Probe
  readonly livenessProbe?: Probe
  readonly startupProbe?: Probe
}

export interface KeyToPath {
  readonly key: string
  readonly path: string
  readonly mode?: number
}

interface KeyedSource {
  readonly items?: readonly KeyToPath[]
  readonly optional?: boolean
}

export interface DownwardFile {
  readonly path: string
  readonly fieldRef?: { readonly fieldPath: string }
  readonly resourceFieldRef?: ResourceFieldRef
  readonly mode?: number
}

export interface ProjectedSource {
  readonly configMap?: KeyedSource & { readonly name?: string }
  readonly secret?: KeyedSource & { readonly name?: string }
  readonly downwardAPI?: { readonly items?: readonly DownwardFile[] }
  readonly serviceAccountToken?: { readonly audience?: string; readonly expirationSeconds?: number; readonly path: string }
}

export interface Volume {
  readonly name: string
  readonly configMap?: KeyedSource & { readonly name?: string; readonly defaultMode?: number }
  readonly secret?: KeyedSource & { readonly secretName?: string; readonly defaultMode?: number }
  readonly downwardAPI?: { readonly items?: readonly DownwardFile[]; readonly defaultMode?: number }
  readonly projected?: { readonly sources?: readonly ProjectedSource[]; readonly defaultMode?: number }
  readonly hostPath?: { readonly path: string }
}

export type RestartPolicy = 'Always' | 'OnFailure' | 'Never'

export interface PodSpec {
  readonly nodeName?: string
  readonly schedulerName?: string
  readonly schedulingGates?: readonly unknown[]
  readonly nodeSelector?: Readonly<Record<string, string>>
  readonly serviceAccountName?: string
  readonly restartPolicy?: RestartPolicy
  readonly terminationGracePeriodSeconds?: number
  readonly initContainers?: readonly Container[]
  readonly containers: readonly Container[]
  readonly volumes?: readonly Volume[]
}

export interface PodCondition {
  readonly type: string
  readonly status: 'True' | 'False' | 'Unknown'
  readonly reason?: string
  readonly message?: string
  readonly lastTransitionTime?: string
}

export interface TerminatedState {
  readonly exitCode: number
  readonly signal?: number
  readonly reason: string
  readonly message?: string
  readonly startedAt?: string
  readonly finishedAt?: string
}

export interface ContainerState {
  readonly waiting?: { readonly reason: string; readonly message?: string }
  readonly running?: { readonly startedAt: string }
  readonly terminated?: TerminatedState
}

export interface ContainerStatus {
  readonly name: string
  readonly image: string
  readonly imageID: string
  readonly containerID?: string
  readonly ready: boolean
  readonly started: boolean
  readonly restartCount: number
  readonly state: ContainerState
  readonly lastState: ContainerState
}

export interface PodStatus {
  readonly phase?: string
  readonly conditions?: readonly PodCondition[]
  readonly hostIP?: string
  readonly podIP?: string
  readonly startTime?: string
  readonly initContainerStatuses?: readonly ContainerStatus[]
  readonly containerStatuses?: readonly ContainerStatus[]
}

export interface Pod extends KubeObject {
  readonly metadata: ObjectMeta & { readonly deletionGracePeriodSeconds?: number }
  readonly spec: PodSpec
  readonly status?: PodStatus
}
