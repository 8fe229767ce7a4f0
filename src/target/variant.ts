// One way in which a bundle is deployed: the options of a target with its customizations, for all clusters that are served by them.
import type { BundleSpec, BundleTarget } from '../api/bundle.ts'
import type { BundleDeploymentOptions, HelmOptions } from '../api/bundle-deployment-options.ts'
import type { Cluster } from '../api/cluster.ts'
import type { LabelSelector } from '../lib/kube/types.ts'
import type { Choice } from './customize.ts'
import { mergeOptions } from './merge-options.ts'
import { optionsOf } from './option-fields.ts'
import { compileHelmValues, type HelmValues } from './values.ts'
import type { TemplateCompiler } from './values-template.ts'
import { withoutEmpty } from './without-empty.ts'

/** What the workspace of a bundle imposes on it. */
export interface Impositions {
  /** No deployment may create its namespace (spec 4.3 step 6). */
  readonly forbidNamespaceCreation?: boolean | undefined
  /** Only namespaces with these labels may be deployed to (spec 4.3 step 5). */
  readonly allowedTargetNamespaceSelector?: LabelSelector | undefined
}

type Metadata = Pick<BundleTarget, 'namespaceLabels' | 'namespaceAnnotations'>

export interface Variant {
  readonly helm: HelmValues
  /** The options that decide the id of the version, with the values of a cluster. Throws with a message for the user. */
  identity(cluster: Cluster): BundleDeploymentOptions
  /** Options as they are handed out: labels and annotations that targets want for the namespace are no part of the id. */
  handedOut(identity: BundleDeploymentOptions): BundleDeploymentOptions
}

/** Merges the options of one choice (spec 4.3, 4.4). */
export function compileVariant(spec: BundleSpec, choice: Choice, impositions: Impositions, compile: TemplateCompiler): Variant {
  const target = entryAt(spec, choice.target)
  const customizations = choice.customizations.map((index) => entryAt(spec, index))
  const custom = chosenOptions(spec, target, customizations)
  const { forbidNamespaceCreation, allowedTargetNamespaceSelector } = impositions
  const { helm: merged, ...options } = withoutEmpty({
    ...mergeOptions(optionsOf(spec), custom),
    ...(allowedTargetNamespaceSelector ? { allowedTargetNamespaceSelector } : {}),
    ...(forbidNamespaceCreation ? { createNamespace: false } : {}),
  })
  const helm = compileHelmValues(merged, compile)
  const metadata = namespaceMetadata([spec, target, ...customizations])
  return {
    helm,
    identity: (cluster) => withHelm(options, helm.for(cluster)),
    handedOut: (identity) => ({ ...identity, ...metadata }),
  }
}

/** In mode FirstMatch a customization takes the place of the target's options, in mode AllMatches it is merged onto them. */
function chosenOptions(spec: BundleSpec, target: BundleTarget, customizations: readonly BundleTarget[]): BundleDeploymentOptions {
  if (spec.targetCustomizationMode === 'AllMatches') return customizations.reduce(merge, optionsOf(target))
  return optionsOf(customizations[0] ?? target)
}

function merge(base: BundleDeploymentOptions, custom: BundleTarget): BundleDeploymentOptions {
  return mergeOptions(base, optionsOf(custom))
}

function entryAt(spec: BundleSpec, index: number): BundleTarget {
  return spec.targets?.[index] ?? {}
}

function withHelm(options: BundleDeploymentOptions, helm: HelmOptions | undefined): BundleDeploymentOptions {
  return helm ? { ...options, helm } : options
}

/** Labels and annotations for the namespace add up: those of the bundle, its target, and the customizations that apply. */
function namespaceMetadata(sources: readonly Metadata[]): Metadata {
  const labels = Object.assign({}, ...sources.map(({ namespaceLabels }) => namespaceLabels)) as Record<string, string>
  const annotations = Object.assign({}, ...sources.map(({ namespaceAnnotations }) => namespaceAnnotations)) as Record<string, string>
  return {
    ...(Object.keys(labels).length > 0 ? { namespaceLabels: labels } : {}),
    ...(Object.keys(annotations).length > 0 ? { namespaceAnnotations: annotations } : {}),
  }
}
