// Helm's records of revisions, written as helm itself would: whoever looks with the helm command sees no difference.
import type { Clock } from '../../lib/controller/clock.ts'
import { messageOf } from '../../lib/controller/errors.ts'
import { HelmError } from '../../lib/helm/errors.ts'
import {
  type ApplyMethod,
  encodeRelease,
  type HelmRelease,
  type ReleaseSecret,
  type ReleaseState,
  releaseSecretName,
} from '../../lib/helm/release.ts'
import type { KubeClient } from '../../lib/kube/client.ts'
import { isAlreadyExists, isNotFound } from '../../lib/kube/errors.ts'
import type { KubeObject } from '../../lib/kube/types.ts'
import { parseYaml } from '../../lib/yaml/parse.ts'
import { formatObjects } from '../render/objects.ts'
import type { DeployRequest, RevisionRef } from './engine.ts'
import { inInstallOrder } from './kind-order.ts'
import { refusalOf } from './refusal.ts'
import { releaseMetadata } from './static-chart.ts'
import { type Stored, secretRef } from './store.ts'

/** Writes records with the rights of a deployment: whoever may not write them with helm may not here. */
export interface Records {
  /** Stores a new revision. Somebody else who stored the same one was quicker: another operation is in progress. */
  create(release: HelmRelease, labels: Readonly<Record<string, string>>): Promise<Stored>
  /** Gives a revision another state. */
  mark(stored: Stored, state: ReleaseState, info?: Readonly<Record<string, unknown>>): Promise<void>
  /** Says of a revision that another one came after it; of one that is gone there is nothing to say. */
  supersede(stored: Stored): Promise<void>
  /** Says why a revision did not come about. That cannot fail: there is an error to report already, and a revision that stays pending is taken over later. */
  fail(stored: Stored, what: string, error: unknown): Promise<void>
  remove(revision: RevisionRef): Promise<void>
}

const SECRET = { apiVersion: 'v1', kind: 'Secret' }
const SECRET_TYPE = 'helm.sh/release.v1'
/** The name that helm's storage writes under. */
const WRITER = { fieldManager: 'Helm' } as const

export function createRecords(client: KubeClient, clock: Clock): Records {
  const seconds = (): string => String(Math.floor(clock.now() / 1_000))

  async function put({ secret, release }: Stored, state: ReleaseState, info: Readonly<Record<string, unknown>> = {}): Promise<void> {
    const marked = { ...release, info: { ...release.info, ...info, status: state } }
    const { createdAt: _, ...labels } = secret.metadata.labels ?? {}
    const { name, namespace = '' } = secret.metadata
    const metadata = { name, namespace, labels: { ...labels, modifiedAt: seconds(), status: state } }
    await client.update<ReleaseSecret>({ ...SECRET, metadata, type: SECRET_TYPE, data: { release: encodeRelease(marked) } }, WRITER)
  }

  const mark: Records['mark'] = (stored, state, info) =>
    put(stored, state, info).catch((error: unknown) => Promise.reject(refusalOf(error, 'update: failed to update')))

  return {
    async create(release, labels) {
      const { namespace, name, version, info } = release
      const own = { name, owner: 'helm', status: info.status, version: String(version) }
      const metadata = { name: releaseSecretName(name, version), namespace, labels: { ...labels, createdAt: seconds(), ...own } }
      const secret: ReleaseSecret = { ...SECRET, metadata, type: SECRET_TYPE, data: { release: encodeRelease(release) } }
      try {
        await client.create(secret, WRITER)
      } catch (error) {
        if (isAlreadyExists(error))
          throw new HelmError('in-progress', 'another operation (install/upgrade/rollback) is in progress', { cause: error })
        throw refusalOf(error, 'create: failed to create')
      }
      return { secret, release }
    },
    mark,
    async supersede(stored) {
      await put(stored, 'superseded').catch((error: unknown) => {
        if (!isNotFound(error)) throw refusalOf(error, 'update: failed to update')
      })
    },
    async fail(stored, what, error) {
      await put(stored, 'failed', { description: `${what}: ${messageOf(error)}` }).catch(() => {
        // see the interface
      })
    },
    async remove(revision) {
      try {
        await client.delete(secretRef(revision))
      } catch (error) {
        throw refusalOf(error, `record of revision ${revision.version} cannot be removed`)
      }
    },
  }
}

/** The record of a revision that is about to be deployed. `first` is the time of the first revision; the time now unless there was one. */
export function newRelease(
  request: DeployRequest,
  { version, state, first, now }: { version: number; state: 'pending-install' | 'pending-upgrade'; first: unknown; now: number },
): HelmRelease {
  const { release, rendered, owner, commit, values } = request
  const { defaults } = rendered
  const at = new Date(now).toISOString()
  return {
    name: release.name,
    namespace: release.namespace,
    version,
    info: {
      first_deployed: first ?? at,
      last_deployed: at,
      description: state === 'pending-install' ? 'Initial install underway' : 'Preparing upgrade',
      status: state,
    },
    chart: {
      metadata: releaseMetadata(rendered.chart, owner, commit),
      lock: null,
      templates: [],
      values: defaults === undefined ? null : (parseYaml(defaults) as Record<string, unknown> | null),
      schema: null,
      files: [],
    },
    ...(Object.keys(values).length > 0 ? { config: values } : {}),
    manifest: manifestOf(rendered.manifests, rendered.chart.name ?? release.name),
    apply_method: recordedMethod(request),
  }
}

/**
 * How helm is to write the next version if it is the one that does: as before, or as it would have installed this one (spec 7.3, 10.8).
 * Written by the client it comes into no conflict with fields that we have applied.
 */
function recordedMethod({ current, settings }: DeployRequest): ApplyMethod {
  if (settings.force) return 'csa'
  if (current) return current.applyMethod
  return settings.takeOwnership ? 'csa' : 'ssa'
}

/** The objects as a release stores them: in the order of installation, each with a source. */
function manifestOf(objects: readonly KubeObject[], chart: string): string {
  return inInstallOrder(objects)
    .map((object) => `---\n# Source: ${chart}/templates/objects.yaml\n${formatObjects([object])}`)
    .join('')
}
