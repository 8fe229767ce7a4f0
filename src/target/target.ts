// A bundle's targets: for each cluster that it is deployed to, the options it gets there and the id of that version (spec 4).
import { createHash } from 'node:crypto'
import type { Bundle } from '../api/bundle.ts'
import type { BundleDeploymentOptions } from '../api/bundle-deployment-options.ts'
import type { Cluster } from '../api/cluster.ts'
import { deploymentId } from '../api/deployment-id.ts'
import { deploymentValues } from '../api/values-secret.ts'
import { messageOf } from '../lib/controller/errors.ts'
import { keyOf } from '../lib/controller/keys.ts'
import { type Choice, compileTargets } from './customize.ts'
import type { Candidate } from './match.ts'
import { hasUsableLabels } from './values.ts'
import { rememberTemplates, type TemplateCompiler } from './values-template.ts'
import { compileVariant, type Impositions, type Variant } from './variant.ts'

/** A bundle on one cluster. */
export interface Target extends Candidate {
  /** Id of the version that the cluster should run; empty if there is an error. */
  readonly deploymentId: string
  /** What the cluster gets, with the helm values that are rendered for it. Worked out when it is asked for. */
  readonly options: BundleDeploymentOptions
  /** The same without helm values, which are kept in a secret. */
  readonly storedOptions: BundleDeploymentOptions
  /** Hash of the secret with the values, if they are both the staged and the current ones; empty without values. */
  readonly valuesHash: string
  /** Why the options of this cluster could not be worked out; other clusters go on. */
  readonly error?: string | undefined
}

export interface TargetingInput extends Impositions {
  /** With helm values in its spec: those that are kept in a secret must have been filled in. */
  readonly bundle: Bundle
  /** Id of the contents; empty for charts that agents download themselves. */
  readonly manifestId: string
  readonly compileTemplate: TemplateCompiler
}

/** One version of a bundle, ready to be matched against clusters. */
export interface Targeting {
  /** The targets among the candidates, in their order. What was worked out for a cluster is kept until something changes that it depends on. */
  targets(candidates: readonly Candidate[]): Target[]
  /** Renders values ahead for `targets`, which takes milliseconds each, and lets others have their turn with `pause` every now and then. */
  prepare(candidates: readonly Candidate[], pause: () => Promise<void>): Promise<void>
}

/** Values that are rendered in one go. */
const RENDERED_AT_ONCE = 10

interface Prepared {
  readonly deploymentId: string
  readonly storedOptions: BundleDeploymentOptions
  readonly valuesHash: string
  readonly error?: string | undefined
}

interface Remembered {
  readonly inputs: string
  readonly prepared: Prepared
}

/** Compiles selectors and templates of a bundle. Throws InvalidSelectorError. */
export function compileTargeting(input: TargetingInput): Targeting {
  const { bundle, manifestId } = input
  const choose = compileTargets(bundle.spec)
  const compile = rememberTemplates(input.compileTemplate)
  const variants = new Map<string, Variant>()
  const shared = new Map<string, Prepared>()
  const fingerprint = createFingerprints()
  let remembered = new Map<string, Remembered>()

  function variantOf(choice: Choice): Variant {
    const key = idOf(choice)
    const variant = variants.get(key) ?? compileVariant(bundle.spec, choice, input, compile)
    variants.set(key, variant)
    return variant
  }

  /** Clusters that the values do not tell apart share one result. */
  function sharedBy(choice: Choice, variant: Variant, cluster: Cluster): Prepared {
    const key = `${idOf(choice)} ${hasUsableLabels(cluster)}`
    const prepared = shared.get(key) ?? workOut(variant, cluster, manifestId)
    shared.set(key, prepared)
    return prepared
  }

  function ownOf(choice: Choice, variant: Variant, cluster: Cluster): Remembered {
    const inputs = `${idOf(choice)} ${fingerprint(cluster)}`
    const before = remembered.get(keyOf(cluster))
    return before?.inputs === inputs ? before : { inputs, prepared: workOut(variant, cluster, manifestId) }
  }

  function targets(candidates: readonly Candidate[]): Target[] {
    const next = new Map<string, Remembered>()
    const found = candidates.flatMap((candidate) => {
      const choice = choose(candidate)
      if (!choice) return []
      const variant = variantOf(choice)
      if (!variant.helm.differsByCluster) return [asTarget(candidate, variant, sharedBy(choice, variant, candidate.cluster))]
      const own = ownOf(choice, variant, candidate.cluster)
      next.set(keyOf(candidate.cluster), own)
      return [asTarget(candidate, variant, own.prepared)]
    })
    remembered = next
    return found
  }

  async function prepare(candidates: readonly Candidate[], pause: () => Promise<void>): Promise<void> {
    let rendered = 0
    for (const candidate of candidates) {
      const choice = choose(candidate)
      if (!choice) continue
      const variant = variantOf(choice)
      if (!variant.helm.differsByCluster) continue
      const key = keyOf(candidate.cluster)
      const own = ownOf(choice, variant, candidate.cluster)
      if (remembered.get(key) === own) continue
      remembered.set(key, own)
      if (++rendered % RENDERED_AT_ONCE === 0) await pause()
    }
  }

  return { targets, prepare }
}

function idOf({ target, customizations }: Choice): string {
  return `${target}:${customizations.join(',')}`
}

function workOut(variant: Variant, cluster: Cluster, manifestId: string): Prepared {
  try {
    const identity = variant.identity(cluster)
    return {
      deploymentId: deploymentId(manifestId, identity),
      storedOptions: variant.handedOut(withoutValues(identity)),
      valuesHash: deploymentValues({ options: identity, stagedOptions: identity }).hash,
    }
  } catch (error) {
    return { deploymentId: '', storedOptions: {}, valuesHash: '', error: messageOf(error) }
  }
}

function asTarget({ cluster, groups }: Candidate, variant: Variant, prepared: Prepared): Target {
  const { name, namespace } = cluster.metadata
  return {
    ...prepared,
    cluster,
    groups,
    error: prepared.error === undefined ? undefined : `cluster ${name} in namespace ${namespace ?? ''}: ${prepared.error}`,
    get options() {
      return variant.handedOut(variant.identity(cluster))
    },
  }
}

function withoutValues(options: BundleDeploymentOptions): BundleDeploymentOptions {
  if (!options.helm) return options
  const { values: _, ...helm } = options.helm
  return { ...options, helm }
}

/** Of all that values of a cluster can depend on; worked out once for each version of its object. */
function createFingerprints(): (cluster: Cluster) => string {
  const known = new WeakMap<Cluster, string>()
  return (cluster) => {
    const { name, namespace, labels, annotations } = cluster.metadata
    const inputs = () => JSON.stringify([name, namespace, labels, annotations, cluster.spec?.templateValues])
    const hash = known.get(cluster) ?? createHash('sha256').update(inputs()).digest('base64')
    known.set(cluster, hash)
    return hash
  }
}
