// What the agent asks of whoever keeps releases. `helm` does it with the helm command, `native` by itself; both store revisions as Helm does.
import type { ApplyMethod, ReleaseState } from '../../lib/helm/release.ts'
import type { KubeClient } from '../../lib/kube/client.ts'
import type { KubeObject } from '../../lib/kube/types.ts'
import type { Rendered } from '../render/render.ts'

/** A release: its name is unique within its namespace. */
export interface ReleaseRef {
  readonly namespace: string
  readonly name: string
}

/** A revision of a release, as it appears in `status.release`. */
export interface RevisionRef extends ReleaseRef {
  readonly version: number
}

/** Who deployed a release, from the annotations of its chart (spec 0.1). Absent on releases of others. */
export interface ReleaseOwner {
  /** Name of the BundleDeployment. */
  readonly bundleId: string
  readonly agentNamespace: string
  /** The account named in the options; empty when none was. */
  readonly serviceAccount: string
  readonly keepResources: boolean
}

/** The newest revision of a release. */
export interface ReleaseStatus extends RevisionRef {
  readonly state: ReleaseState
  readonly owner: ReleaseOwner | undefined
  readonly applyMethod: ApplyMethod
  /** The deployment it was made for, when the engine noted it: see {@link DeployRequest.deployment}. */
  readonly deployment: string | undefined
}

/** A revision without its contents. */
export interface RevisionSummary extends RevisionRef {
  readonly state: ReleaseState
}

/** With whose rights an engine acts in the cluster. */
export interface ReleaseAccess {
  readonly client: KubeClient
  /** A kubeconfig for child processes, as text. */
  kubeconfig(): string
}

export interface DeployRequest {
  readonly release: ReleaseRef
  readonly rendered: Rendered
  readonly owner: ReleaseOwner
  readonly commit: string | undefined
  readonly values: Readonly<Record<string, unknown>>
  /** Names the version of the bundle; found again in {@link ReleaseStatus}, so that a restart knows what it had finished. At most 63 characters. */
  readonly deployment: string
  /** The newest revision, as `status` told it. */
  readonly current: ReleaseStatus | undefined
  readonly settings: ReleaseSettings
}

/** How Helm's actions are made (spec 7.3). */
export interface ReleaseSettings {
  readonly createNamespace: boolean
  readonly takeOwnership: boolean
  /** Replace objects instead of changing them. */
  readonly force: boolean
  /** Undo a failed installation or upgrade. */
  readonly atomic: boolean
  /** Wait so many seconds for everything to be ready; 0 does not wait. */
  readonly timeoutSeconds: number
  readonly waitForJobs: boolean
  /** Revisions to keep. */
  readonly maxHistory: number
  readonly skipSchemaValidation: boolean
}

export interface RollbackSettings {
  readonly force: boolean
  readonly maxHistory: number
  /** Leave the record of a correction that failed in the history. */
  readonly keepFailHistory: boolean
}

export interface UninstallSettings {
  readonly signal?: AbortSignal | undefined
  /** Leaves the history, marked as uninstalled. */
  readonly keepHistory?: boolean | undefined
}

/** A deployed revision: what is watched from now on. */
export interface Revision extends RevisionRef {
  /** Its objects without hooks. */
  readonly objects: readonly KubeObject[]
}

/**
 * Installs, upgrades, restores and removes releases. All operations may be repeated after a crash at any point.
 * They throw `HelmError` when the cluster or the bundle makes them fail; the kind says whether trying again can help.
 */
export interface ReleaseEngine {
  /** The newest revision as the cluster has it now. */
  status(release: ReleaseRef): Promise<ReleaseStatus | undefined>
  /** All revisions the cache knows, oldest first; no request. */
  history(release: ReleaseRef): readonly RevisionSummary[]
  /** The objects of a stored revision; undefined when it is gone. */
  read(revision: RevisionRef): Promise<Revision | undefined>
  /** Installs or upgrades. What an interrupted operation left behind is taken over. */
  deploy(request: DeployRequest, access: ReleaseAccess, signal?: AbortSignal): Promise<Revision>
  /** Brings the objects back to a stored revision, by a new revision that is returned. */
  rollback(revision: RevisionRef, settings: RollbackSettings, access: ReleaseAccess, signal?: AbortSignal): Promise<Revision>
  /** Removes a release with its objects; those that belong to another release by now are left alone. What is removed already is no error. */
  uninstall(release: ReleaseRef, access: ReleaseAccess, options?: UninstallSettings): Promise<void>
  /** Removes only the history. */
  forget(release: ReleaseRef): Promise<void>
}

/** Nothing of the release is in effect any more, or soon will not be. */
export function isRemoved(current: ReleaseStatus | undefined): boolean {
  return current?.state === 'uninstalling' || current?.state === 'uninstalled'
}
