// The engine on top of the helm command: hooks, waiting, history and storage are Helm's own.
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Clock, systemClock } from '../../lib/controller/clock.ts'
import { inParallel } from '../../lib/controller/parallel.ts'
import { withTempDir } from '../../lib/exec/temp-dir.ts'
import type { UpgradeOptions } from '../../lib/helm/args.ts'
import { HelmError } from '../../lib/helm/errors.ts'
import type { Helm } from '../../lib/helm/helm.ts'
import type { KubeClient } from '../../lib/kube/client.ts'
import type { KubeObject } from '../../lib/kube/types.ts'
import { parseObjects } from '../render/objects.ts'
import type { Rendered } from '../render/render.ts'
import { ownKinds } from './bundle-kinds.ts'
import {
  type DeployRequest,
  isRemoved,
  type ReleaseAccess,
  type ReleaseEngine,
  type ReleaseRef,
  type Revision,
  type RevisionRef,
  type RollbackSettings,
  type UninstallSettings,
} from './engine.ts'
import { releaseForeign } from './foreign.ts'
import { onLoan, takeBack } from './helm-ownership.ts'
import { distinct } from './identity.ts'
import { leftovers, removeLeftovers, takeOver } from './interrupted.ts'
import { absentFrom } from './place.ts'
import { objectsOf, reader } from './reader.ts'
import { releaseMetadata, writeStaticChart } from './static-chart.ts'
import { type ReleaseStore, releaseLabels } from './store.ts'
import { writeKubeconfig } from './work-dir.ts'

export interface HelmEngineOptions {
  helm: Helm
  store: ReleaseStore
  /** The agent's own client: reads what is in the way of others. */
  client: KubeClient
  /** Folder for charts and kubeconfigs; each operation gets a folder of its own and removes it. */
  workDir: string
  clock?: Clock
}

/** How many history records are removed at a time. */
const PARALLEL = 8

export function createHelmEngine({ helm, store, client, workDir, clock = systemClock }: HelmEngineOptions): ReleaseEngine {
  function inWorkDir<T>(access: ReleaseAccess, work: (dir: string, kubeconfig: string) => Promise<T>): Promise<T> {
    return withTempDir(workDir, 'release-', async (dir) => {
      return work(dir, await writeKubeconfig(dir, access))
    })
  }

  async function uninstall(
    { namespace, name: release }: ReleaseRef,
    access: ReleaseAccess,
    options: UninstallSettings = {},
  ): Promise<void> {
    await releaseForeign(store, client, { namespace, name: release })
    const { signal, keepHistory } = options
    try {
      await inWorkDir(access, (_dir, kubeconfig) => helm.uninstall({ release, namespace, kubeconfig, keepHistory }, signal))
    } catch (error) {
      if (!(error instanceof HelmError) || error.kind !== 'already-uninstalled') throw error
    }
  }

  async function deploy(request: DeployRequest, access: ReleaseAccess, signal?: AbortSignal): Promise<Revision> {
    const { release, rendered } = request
    if (request.current?.state === 'uninstalling') await uninstall(release, access, { signal })
    const current = isRemoved(request.current) ? undefined : request.current
    if (current) await takeOver(store, current)
    const earlier = current ? await objectsBefore(release) : []
    const options = { ...request, current }
    const method = isServerSide(options) ? 'ssa' : 'csa'
    const { namespace } = release
    const loan = {
      client: access.client,
      namespace,
      method,
      objects: rendered.manifests,
      earlier,
      newKinds: kindsOf(rendered),
      clock,
      signal,
    } as const
    const deployed = await onLoan(loan, () =>
      inWorkDir(access, async (dir, kubeconfig) => {
        const chart = join(dir, 'chart')
        await mkdir(chart, { mode: 0o700 })
        await writeStaticChart(chart, rendered, releaseMetadata(rendered.chart, request.owner, request.commit), namespace)
        const values = join(dir, 'values.json')
        await writeFile(values, JSON.stringify(request.values), { mode: 0o600 })
        return helm.upgrade(upgradeOptions(options, { chart, values, kubeconfig }), signal)
      }),
    )
    await mendRecords({ ...release, version: deployed.version })
    const wanted = [...rendered.manifests, ...rendered.hooks]
    const left = leftovers(distinct(earlier, namespace), wanted, namespace)
    await removeLeftovers(access.client, await absentFrom(access.client, left, wanted, namespace), namespace)
    return { ...release, version: deployed.version, objects: rendered.manifests }
  }

  /**
   * All that earlier revisions had, each object as often as it occurs: of one that failed Helm forgets the objects, and of one that is replaced it forgets
   * those that could not be deleted.
   */
  async function objectsBefore(release: ReleaseRef): Promise<KubeObject[]> {
    const stored = await inParallel(await store.revisions(release), PARALLEL, (revision) => store.read(revision))
    return stored.filter((each) => each !== undefined).flatMap(objectsOf)
  }

  /** Helm takes an operation for done even when it could not say so in its records. */
  async function mendRecords({ version, ...release }: RevisionRef): Promise<void> {
    for (const revision of await store.revisions(release)) {
      const status = revision.version === version ? 'deployed' : 'superseded'
      if (revision.state === status || (status === 'superseded' && revision.state !== 'deployed')) continue
      const stored = await store.read(revision)
      if (stored) await store.write({ ...stored, info: { ...stored.info, status } })
    }
  }

  async function rollback(
    revision: RevisionRef,
    settings: RollbackSettings,
    access: ReleaseAccess,
    signal?: AbortSignal,
  ): Promise<Revision> {
    const newest = (await store.revisions(revision)).at(-1)?.version ?? revision.version
    const { namespace, name: release, version } = revision
    try {
      await inWorkDir(access, (_dir, kubeconfig) =>
        helm.rollback({ release, namespace, kubeconfig, version, forceReplace: settings.force, maxHistory: settings.maxHistory }, signal),
      )
    } catch (error) {
      const last = (await store.revisions(revision)).at(-1)
      const isRestored = last?.state === 'deployed' && last.version > newest // helm only did not hear that its record was written
      if (!isRestored) {
        await mendHistory(revision, newest, settings.keepFailHistory)
        throw error
      }
    }
    const restored = (await store.revisions(revision)).at(-1)
    if (restored) await mendRecords(restored)
    const stored = restored && (await store.read(restored))
    if (!stored) throw new Error(`release ${namespace}/${release} has no deployed revision after it was restored`)
    const objects = objectsOf(stored)
    await takeBack({ client: access.client, namespace, method: 'csa', objects, newKinds: new Set(), clock, signal })
    return { namespace, name: release, version: restored.version, objects }
  }

  /** Helm has recorded a failed revision and taken the mark `deployed` from the one that still is in effect. */
  async function mendHistory(revision: RevisionRef, newest: number, keepFailed: boolean): Promise<void> {
    const failed = (await store.revisions(revision)).filter(({ version, state }) => version > newest && state !== 'deployed')
    if (!keepFailed) await inParallel(failed, PARALLEL, (record) => store.remove(record))
    const stored = await store.read(revision)
    if (stored?.info.status === 'superseded') await store.write({ ...stored, info: { ...stored.info, status: 'deployed' } })
  }

  return {
    ...reader(store),
    deploy,
    rollback,
    uninstall,
  }
}

/** The kinds that a chart defines, by templates or in its folder of definitions. */
function kindsOf({ manifests, definitions }: Rendered): ReadonlySet<string> {
  return new Set(ownKinds([...manifests, ...parseObjects(definitions, 'definitions')]).keys())
}

/** How helm writes objects: as it did before; when it installs, on the server unless it replaces or adopts (spec 7.3). */
function isServerSide({ current, settings }: Pick<DeployRequest, 'current' | 'settings'>): boolean {
  return !settings.force && (current ? current.applyMethod === 'ssa' : !settings.takeOwnership)
}

/** Installing and upgrading differ in what may be adopted and how objects are written (spec 7.3). */
function upgradeOptions(
  { release, current, settings, owner, deployment }: Omit<DeployRequest, 'rendered'>,
  paths: { chart: string; values: string; kubeconfig: string },
): UpgradeOptions {
  const takeOwnership = settings.takeOwnership || current !== undefined
  const serverSide = isServerSide({ current, settings })
  return {
    ...paths,
    release: release.name,
    namespace: release.namespace,
    createNamespace: settings.createNamespace,
    takeOwnership,
    serverSide,
    forceReplace: settings.force,
    rollbackOnFailure: settings.atomic,
    timeoutSeconds: settings.timeoutSeconds,
    waitForJobs: settings.waitForJobs,
    maxHistory: settings.maxHistory,
    skipSchemaValidation: settings.skipSchemaValidation,
    labels: releaseLabels(owner.bundleId, deployment),
  }
}
