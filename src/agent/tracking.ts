// Keeps the monitor informed of what is deployed, and asks it what it looks like.
import type { BundleDeployment } from '../api/bundle-deployment.ts'
import type { KubeClient } from '../lib/kube/client.ts'
import type { KubeObject } from '../lib/kube/types.ts'
import { setHashOf } from './deployer.ts'
import type { Monitor } from './monitor/monitor.ts'
import type { LiveState } from './monitor/types.ts'
import type { ReleaseEngine, Revision, RevisionRef } from './release/engine.ts'
import { formatRelease } from './status.ts'

export interface TrackingOptions {
  monitor: Monitor
  engine: ReleaseEngine
  /** The agent's own client: what was deployed must be seen whatever its account may read. */
  client: KubeClient
  agentScope: string
}

export interface Tracking {
  /** A revision was just deployed. */
  deployed(key: string, revision: Revision): void
  /** What the objects of a revision look like; undefined when its record is gone. */
  look(key: string, deployment: BundleDeployment, release: RevisionRef): Promise<LiveState | undefined>
  forget(key: string): void
}

interface Entry {
  release: string
  objects: readonly KubeObject[]
  /** Names of the objects of the revision before; undefined until they are needed. */
  previous: readonly KubeObject[] | undefined
}

export function createTracking({ monitor, engine, client, agentScope }: TrackingOptions): Tracking {
  const entries = new Map<string, Entry>()

  async function entryFor(key: string, release: RevisionRef): Promise<Entry | undefined> {
    const known = entries.get(key)
    if (known?.release === formatRelease(release)) return known
    const revision = await engine.read(release)
    if (!revision) return undefined
    const entry = { release: formatRelease(release), objects: revision.objects, previous: undefined }
    entries.set(key, entry)
    return entry
  }

  async function previousObjects(release: RevisionRef): Promise<readonly KubeObject[]> {
    const before = engine.history(release).findLast(({ version }) => version < release.version)
    return before ? namesOf((await engine.read(before))?.objects ?? []) : []
  }

  return {
    deployed(key, revision) {
      entries.set(key, { release: formatRelease(revision), objects: revision.objects, previous: undefined })
    },
    async look(key, deployment, release) {
      const entry = await entryFor(key, release)
      if (!entry) return undefined
      entry.previous ??= await previousObjects(release)
      const options = deployment.spec.options ?? {}
      const setHash = setHashOf(deployment, agentScope)
      monitor.track(key, {
        objects: entry.objects,
        previousObjects: entry.previous,
        setHash,
        options,
        releaseNamespace: release.namespace,
        client,
      })
      return monitor.evaluate(key)
    },
    forget(key) {
      entries.delete(key)
      monitor.untrack(key)
    },
  }
}

function namesOf(objects: readonly KubeObject[]): KubeObject[] {
  return objects.map(({ apiVersion, kind, metadata: { name, namespace } }) => ({
    apiVersion,
    kind,
    metadata: { name, ...(namespace ? { namespace } : {}) },
  }))
}
