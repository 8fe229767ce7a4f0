// Compares the copies that a deployment should have with those it has. Pure.
import type { BundleDeployment } from '../api/bundle-deployment.ts'
import { BUNDLE_DEPLOYMENT_SECRET } from '../api/labels.ts'
import { type Copyable, type CopyRequest, isUpToDate, owningDeployments, stateOfSources, typeOf } from './copied-objects.ts'

/** What lies in the caches. */
export interface CopyCaches {
  find(kind: CopyRequest['kind'], name: string, namespace: string): Copyable | undefined
  /** Objects that the deployment with this uid owns. */
  ownedBy(uid: string): readonly Copyable[]
  /** True if a deployment of that name and namespace is of the same workspace. */
  isOfSameWorkspace(name: string, namespace: string): boolean
}

export interface CopyWrite {
  readonly request: CopyRequest
  /** What is there under that name and can be changed. */
  readonly existing: Copyable | undefined
  /** What has to go first, because a type cannot be changed. */
  readonly replaces: boolean
}

export interface CopyPlan {
  readonly writes: readonly CopyWrite[]
  /** Copies that nobody asks for any more. */
  readonly leftovers: readonly Copyable[]
  /** State of all sources that exist; empty if nothing is asked for. */
  readonly state: string
  /** A copy that was there has other data than before, so the agent has to look again. */
  readonly changes: boolean
  /** Sentences about what is missing or in the way. */
  readonly problems: readonly string[]
}

/** Plans the copies of one deployment; one that does not exist yet has no uid, and owns nothing. */
export function planCopies(
  deployment: BundleDeployment,
  workspace: string,
  requests: readonly CopyRequest[],
  caches: CopyCaches,
): CopyPlan {
  const { namespace = '', uid = '' } = deployment.metadata
  const writes: CopyWrite[] = []
  const problems: string[] = []
  const sources: Copyable[] = []
  for (const request of requests) {
    const source = caches.find(request.kind, request.name, workspace)
    const existing = caches.find(request.kind, request.name, namespace)
    if (!source) {
      if (!existing) problems.push(`waiting for ${request.kind} ${workspace}/${request.name}, which is to be copied to the clusters`)
      continue
    }
    sources.push(source)
    if (existing && !mayChange(existing, caches)) {
      problems.push(`${request.kind} ${namespace}/${request.name} is in the way of a copy from ${workspace}: rename one of them`)
      continue
    }
    const isOwned = existing !== undefined && owningDeployments(existing).includes(uid)
    if (isOwned && isUpToDate(existing, source, request)) continue
    writes.push({ request, existing, replaces: existing !== undefined && (existing.type ?? '') !== typeOf(source, request) })
  }
  return {
    writes,
    problems,
    leftovers: leftoversOf(uid, requests, caches),
    state: sources.length > 0 ? stateOfSources(sources) : '',
    changes: writes.some(
      ({ request, existing }) => existing !== undefined && differs(existing, caches.find(request.kind, request.name, workspace)),
    ),
  }
}

/** Only what deployments of the same workspace own is a copy of ours. */
function mayChange(existing: Copyable, { isOfSameWorkspace }: CopyCaches): boolean {
  if (existing.type === BUNDLE_DEPLOYMENT_SECRET) return false
  const owners = (existing.metadata.ownerReferences ?? []).filter(({ kind }) => kind === 'BundleDeployment')
  return owners.length > 0 && owners.every(({ name }) => isOfSameWorkspace(name, existing.metadata.namespace ?? ''))
}

function differs(copy: Copyable, source: Copyable | undefined): boolean {
  return copy.digest !== source?.digest
}

function leftoversOf(uid: string, requests: readonly CopyRequest[], { ownedBy }: CopyCaches): Copyable[] {
  const wanted = new Set(requests.map(({ kind, name }) => `${kind}/${name}`))
  return ownedBy(uid).filter(({ kind, type, metadata }) => type !== BUNDLE_DEPLOYMENT_SECRET && !wanted.has(`${kind}/${metadata.name}`))
}
