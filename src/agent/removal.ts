// Takes away what a deployment left in the cluster when it is gone, or has moved (spec 7.9).

import { AGENT_NAME } from '../api/labels.ts'
import { safeConcatName } from '../api/names.ts'
import type { Logger } from '../lib/controller/log.ts'
import type { KubeClient } from '../lib/kube/client.ts'
import type { Accounts } from './accounts.ts'
import { deleteCopies, disownCopies, findCopies } from './copies.ts'
import type { ReleaseEngine, ReleaseOwner, ReleaseRef, RevisionRef } from './release/engine.ts'
import type { ReleaseStore } from './release/store.ts'

export interface RemovalOptions {
  client: KubeClient
  accounts: Accounts
  engine: ReleaseEngine
  store: ReleaseStore
  agentNamespace: string
  log: Logger
}

export interface Removal {
  /** Removes the releases and copies of a deployment that no longer exists. May be repeated. */
  removeDeployment(name: string, signal: AbortSignal): Promise<void>
  /** Removes one release, with the rights it was deployed with; only its history when its resources are to be kept. */
  removeRelease(release: ReleaseRef, owner: ReleaseOwner, signal: AbortSignal): Promise<void>
  /** Who deployed a release, if it was an agent of this namespace. */
  ownOwner(revision: RevisionRef): Promise<ReleaseOwner | undefined>
}

export function createRemoval({ client, accounts, engine, store, agentNamespace, log }: RemovalOptions): Removal {
  async function ownOwner(revision: RevisionRef): Promise<ReleaseOwner | undefined> {
    const owner = await store.owner(revision)
    return owner?.agentNamespace === agentNamespace ? owner : undefined
  }

  async function removeRelease(release: ReleaseRef, owner: ReleaseOwner, signal: AbortSignal): Promise<void> {
    if (!isKept(owner)) return uninstall(release, owner, { signal, keepHistory: false })
    await engine.forget(release)
    log.info({ bundle: owner.bundleId, release: `${release.namespace}/${release.name}` }, 'release forgotten, its resources stay')
  }

  async function uninstall(
    release: ReleaseRef,
    owner: ReleaseOwner,
    options: { signal: AbortSignal; keepHistory: boolean },
  ): Promise<void> {
    await engine.uninstall(release, await accounts.access(owner.serviceAccount), options)
    log.info({ bundle: owner.bundleId, release: `${release.namespace}/${release.name}` }, 'release uninstalled')
  }

  async function removeDeployment(name: string, signal: AbortSignal): Promise<void> {
    const releases = await releasesOf(name)
    const copies = await findCopies(client, name)
    if (name.startsWith(AGENT_NAME) || releases.some(({ owner }) => isKept(owner))) {
      await disownCopies(client, copies)
      for (const { revision, owner } of releases) await removeRelease(revision, owner, signal)
      return
    }
    // The record of a release is what brings us back here after a crash, so it goes last.
    const keepHistory = copies.length > 0
    for (const { revision, owner } of releases) await uninstall(revision, owner, { signal, keepHistory })
    await deleteCopies(client, copies)
    if (keepHistory) for (const { revision } of releases) await engine.forget(revision)
  }

  async function releasesOf(name: string): Promise<{ revision: RevisionRef; owner: ReleaseOwner }[]> {
    const candidates = store.newest().filter((revision) => (store.label(revision) ?? safeConcatName(name)) === safeConcatName(name))
    const found: { revision: RevisionRef; owner: ReleaseOwner }[] = []
    for (const revision of candidates) {
      const owner = await ownOwner(revision)
      if (owner?.bundleId === name) found.push({ revision, owner })
    }
    return found
  }

  return { removeDeployment, removeRelease, ownOwner }
}

/** The agent must not remove itself, whatever happens to its bundle. */
function isKept(owner: ReleaseOwner): boolean {
  return owner.keepResources || owner.bundleId.startsWith(AGENT_NAME)
}
