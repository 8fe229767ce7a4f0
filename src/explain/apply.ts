// Link `apply`: has the agent deployed the version, or why not? (spec 7.1)
import type { BundleDeployment } from '../api/bundle-deployment.ts'
import { BUNDLE_NAME_LABEL, BUNDLE_NAMESPACE_LABEL } from '../api/labels.ts'
import { deploymentState } from '../api/state.ts'
import type { Condition } from '../api/status.ts'
import { keyOf } from '../lib/controller/keys.ts'
import { type HelmErrorKind, helmErrorKind } from '../lib/helm/errors.ts'
import { compileSelector, formatSelector } from '../lib/kube/selectors.ts'
import { conditionWith, type Finding, quoted, sinceOf, timeIn, upcoming } from './finding.ts'
import type { Pair } from './pair.ts'
import { isApplied } from './rollout.ts'
import type { World } from './world.ts'

/** How often an agent looks at dependencies again that nobody told it of. */
const DEPENDENCY_RETRY_MS = 15_000
/** How often an agent looks for values that are missing. */
const VALUES_RETRY_MS = 15_000
/** How often an agent looks whether the name of a release is free. */
const OCCUPIED_RETRY_MS = 30_000
/** How often an agent tries again to label a namespace. */
const NAMESPACE_RETRY_MS = 120_000
/** The longest pause between two attempts. */
const RETRIED = 'it is tried again, at most 2 minutes apart'
const GIVEN_UP = 'it is not tried again until the bundle changes or its forceSyncGeneration is raised'

/** What to do about errors of helm. */
const ADVICE: Readonly<Partial<Record<HelmErrorKind, string>>> = {
  timeout: 'its objects were not ready in time; look at them, or raise helm.timeoutSeconds',
  ownership: 'an object exists already and belongs to somebody else; remove it, or set helm.takeOwnership',
  immutable: 'a field cannot be changed; delete the object, or set helm.force',
  'unknown-kind': 'a kind is not known to the cluster; it waits for its CustomResourceDefinition, deploy that first (dependsOn)',
  'no-namespace': 'the namespace is missing; create it, or leave createNamespace on',
  forbidden: 'the service account has not the rights; grant them, or choose another serviceAccount',
  'kube-version': 'the chart does not support the version of the cluster',
  'values-schema': 'the values do not fit the schema of the chart',
  template: 'a template of the chart fails',
  'broken-yaml': 'something rendered is no valid YAML',
  'unknown-field': 'an object has a field that does not exist',
  'wrong-type': 'a field of an object has a value of the wrong type',
  conflict: 'somebody else manages the same fields; let one of them go, or set helm.force',
  'in-progress': 'another helm is at work on the release',
}

/** What others may mend without a change of the bundle. */
const PASSING: readonly HelmErrorKind[] = ['unknown-kind', 'in-progress']

function found(state: Finding['state'], reason: string, message: string, more: Partial<Finding> = {}): Finding {
  return { link: 'apply', state, reason, message, ...more }
}

export function checkApply(pair: Pair, world: World): Finding | undefined {
  const { deployment } = pair
  if (!deployment) return undefined
  return isApplied(deployment) ? refused(pair, deployment, world) : pending(pair, deployment, world)
}

function pending(pair: Pair, deployment: BundleDeployment, world: World): Finding {
  const { where } = pair
  const dependency = unreadyDependency(pair, deployment, world)
  if (dependency) return dependency
  const missing = missingContent(pair, deployment, world)
  if (missing) return missing
  const failed = conditionWith(deployment.status?.conditions, 'Deployed', 'False')
  if (failed) return named(where, failed, world) ?? attemptFailed(where, failed)
  const { timeoutSeconds = 0 } = deployment.spec.options?.helm ?? {}
  const patience = timeoutSeconds > 0 ? `, which may take ${timeoutSeconds} seconds` : ''
  return found(
    'waiting',
    'WaitApplied',
    `cluster ${where}: the agent has not reported version ${short(deployment.spec.deploymentID)} as deployed yet${patience}`,
    {
      since: deployment.status?.appliedDeploymentID ? undefined : timeIn(deployment.metadata.creationTimestamp),
      sameAs: patience,
    },
  )
}

function attemptFailed(where: string, failed: Condition): Finding {
  const text = quoted(failed.message)
  const kind = helmErrorKind(text)
  const advice = ADVICE[kind]
  const state = PASSING.includes(kind) ? 'waiting' : 'blocked'
  const message = `cluster ${where}: ${text}${advice ? ` (${advice})` : ''}; ${RETRIED}`
  return found(state, kind === 'other' ? 'NotDeployed' : reasonFor(kind), message, { since: sinceOf(failed), sameAs: text })
}

/** Agents that know what they wait for say so in the reason. */
function named(where: string, failed: Condition, { now }: World): Finding | undefined {
  const text = quoted(failed.message)
  const common = { since: sinceOf(failed), sameAs: text }
  const message = `cluster ${where}: ${text}`
  switch (failed.reason) {
    case 'WaitingForDependency':
      return found('waiting', 'DependencyNotReady', message, { ...common, nextTry: upcoming(now + DEPENDENCY_RETRY_MS, now) })
    case 'WaitingForValues':
      return {
        link: 'rollout',
        state: 'waiting',
        reason: 'WaitingForValues',
        message,
        ...common,
        nextTry: upcoming(now + VALUES_RETRY_MS, now),
      }
    case 'ReleaseOccupied':
      return found('blocked', 'ReleaseOccupied', message, { ...common, nextTry: upcoming(now + OCCUPIED_RETRY_MS, now) })
    default:
      return undefined
  }
}

function short(id: string | undefined): string {
  const [content = '', options = ''] = (id ?? '').split(':')
  return `${content.slice(0, 14)}:${options.slice(0, 8)}`
}

/** `kube-version` → `KubeVersion` */
function reasonFor(kind: HelmErrorKind): string {
  return kind.replace(/(^|-)(\w)/g, (_, __, letter: string) => letter.toUpperCase())
}

/** The files are gone from the hub, so that no agent can read them. */
function missingContent({ where }: Pair, { spec }: BundleDeployment, { contents }: World): Finding | undefined {
  const name = spec.deploymentID?.split(':', 1)[0]
  if (!contents || !name || spec.ociContents || spec.helmChartOptions || contents.has(name)) return undefined
  return {
    link: 'bundle',
    state: 'blocked',
    reason: 'ContentMissing',
    message: `cluster ${where}: content ${name} does not exist on the hub, so the agent cannot read the files: raise forceSyncGeneration of the gitrepo or bundle to have it written again`,
    sameAs: name,
  }
}

function unreadyDependency({ where }: Pair, deployment: BundleDeployment, { deployments, now }: World): Finding | undefined {
  const workspace = deployment.metadata.labels?.[BUNDLE_NAMESPACE_LABEL] ?? ''
  const beside = deployments.in(deployment.metadata.namespace ?? '')
  const since = sinceOf(conditionWith(deployment.status?.conditions, 'Deployed', 'False'))
  const nextTry = upcoming(now + DEPENDENCY_RETRY_MS, now)
  for (const { name, selector, acceptedStates } of deployment.spec.dependsOn ?? []) {
    if (!name && !selector) continue
    const byName = name ? { [BUNDLE_NAME_LABEL]: name, [BUNDLE_NAMESPACE_LABEL]: workspace } : {}
    const wanted = { ...selector, matchLabels: { ...selector?.matchLabels, ...byName } }
    const test = compiled(wanted)
    if (!test) return found('blocked', 'InvalidSelector', `cluster ${where}: a selector of dependsOn is invalid; correct it`, { since })
    const others = beside.filter(({ metadata }) => test(metadata.labels))
    const asked = name ? `bundle ${workspace}/${name}` : `bundles with labels ${formatSelector(wanted)}`
    if (others.length === 0)
      return found(
        'blocked',
        'DependencyMissing',
        `cluster ${where} depends on ${asked}, which is not deployed there: deploy it to the cluster, or remove it from dependsOn; it is looked for every 15 seconds`,
        {
          since,
          nextTry,
          sameAs: asked,
        },
      )
    const states = acceptedStates?.length ? acceptedStates : ['Ready']
    const unready = others.find((other) => !states.includes(deploymentState(other)))
    if (!unready) continue
    const about = `bundledeployment ${keyOf(unready)}, which is ${deploymentState(unready)} and must be ${states.join(' or ')}`
    return found(
      'waiting',
      'DependencyNotReady',
      `cluster ${where} waits for ${about}: see fleet explain bundledeployment ${keyOf(unready)}`,
      {
        since,
        nextTry,
        sameAs: unready.metadata.name,
      },
    )
  }
  return undefined
}

function compiled(selector: Parameters<typeof compileSelector>[0]): ReturnType<typeof compileSelector> | undefined {
  try {
    return compileSelector(selector)
  } catch {
    return undefined // told as a finding
  }
}

/** The version counts as applied, and is not installed all the same. */
function refused({ where }: Pair, { status }: BundleDeployment, { now }: World): Finding | undefined {
  const condition = conditionWith(status?.conditions, 'Installed', 'False')
  if (!condition) return undefined
  const text = quoted(condition.message)
  const since = sinceOf(condition)
  if (status?.release)
    return found('blocked', 'NamespaceRefused', `cluster ${where}: ${text}; grant it, it is tried again every 2 minutes`, {
      since,
      sameAs: text,
      nextTry: upcoming(now + NAMESPACE_RETRY_MS, now),
    })
  const kind = helmErrorKind(text)
  const advice = ADVICE[kind]
  return found(
    'blocked',
    kind === 'other' ? 'GivenUp' : reasonFor(kind),
    `cluster ${where}: ${text}${advice ? ` (${advice})` : ''}; ${GIVEN_UP}`,
    {
      since,
      sameAs: text,
    },
  )
}
