// Helm values: values files over inline values, and the way out of the Bundle into its secret (spec 6.5).
import { posix } from 'node:path'
import type { Bundle, BundleSpec } from '../api/bundle.ts'
import type { HelmOptions } from '../api/bundle-deployment-options.ts'
import { TerminalError } from '../lib/controller/errors.ts'
import { isMap } from '../lib/json/is-map.ts'
import { parseValuesFile } from './fleet-yaml.ts'
import type { ReadLimits } from './limits.ts'
import { cleanPath, type RepoTree } from './repo-tree.ts'

type Values = Record<string, unknown>

/** The spec with the values files of the bundle and of each target merged over their inline values, later files over earlier ones. */
export async function mergeValuesFiles(tree: RepoTree, folder: string, spec: BundleSpec, limits: ReadLimits): Promise<BundleSpec> {
  const merged = { ...spec }
  const merge = (helm: HelmOptions) => withFiles(tree, folder, helm, limits)
  if (spec.helm?.valuesFiles?.length) merged.helm = await merge(spec.helm)
  if (!spec.targets?.some((target) => target.helm?.valuesFiles?.length)) return merged
  merged.targets = []
  for (const target of spec.targets)
    merged.targets.push(target.helm?.valuesFiles?.length ? { ...target, helm: await merge(target.helm) } : target)
  return merged
}

async function withFiles(tree: RepoTree, folder: string, helm: HelmOptions, limits: ReadLimits): Promise<HelmOptions> {
  let values: Values = helm.values ?? {}
  for (const file of helm.valuesFiles ?? []) {
    const path = cleanPath(posix.join(folder, file))
    if (path === undefined) throw new TerminalError(`${posix.join(folder, file)}: this values file is outside of the repository`)
    values = mergeValues(values, parseValuesFile(await tree.readText(path, limits.optionBytes), path))
  }
  return Object.keys(values).length > 0 ? { ...helm, values } : helm
}

/** Maps are merged deeply, everything else is replaced. */
export function mergeValues(base: Values, over: Values): Values {
  const merged = { ...base }
  for (const [key, value] of Object.entries(over)) {
    const before = merged[key]
    merged[key] = isMap(value) && isMap(before) ? mergeValues(before, value) : value
  }
  return merged
}

/** Paths that are options and not resources: fleet.yaml, the options file, and values files as they are written and by their bare name. */
export function optionFiles(spec: BundleSpec, optionsFile: string | undefined): ReadonlySet<string> {
  const valuesFiles = [spec.helm, ...(spec.targets ?? []).map((target) => target.helm)].flatMap((helm) => helm?.valuesFiles ?? [])
  return new Set(['fleet.yaml', ...(optionsFile ? [optionsFile] : []), ...valuesFiles, ...valuesFiles.map((file) => posix.basename(file))])
}

/** The Bundle as it is stored: values and values files are gone, their hash is there. Without values (`hash` is empty) all of it stays but a hash that was given. */
export function withoutValues(bundle: Bundle, hash: string): Bundle {
  const { valuesHash: _given, ...spec } = bundle.spec ?? {}
  if (!hash) return { ...bundle, spec }
  return {
    ...bundle,
    spec: {
      ...spec,
      ...(spec.helm ? { helm: strip(spec.helm) } : {}),
      ...(spec.targets ? { targets: spec.targets.map((target) => (target.helm ? { ...target, helm: strip(target.helm) } : target)) } : {}),
      valuesHash: hash,
    },
  }
}

function strip({ values: _values, valuesFiles: _files, ...helm }: HelmOptions): HelmOptions {
  return helm
}

/** Names that two targets with values share: only the values of the later one can be kept. */
export function sharedValueNames(spec: BundleSpec): string[] {
  const names = (spec.targets ?? [])
    .filter((target) => Object.keys(target.helm?.values ?? {}).length > 0)
    .map((target) => target.name ?? '')
  return [...new Set(names.filter((name, index) => names.indexOf(name) !== index))].sort()
}
