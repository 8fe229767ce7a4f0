// What kind of thing the files of a bundle are (spec 6.6).
import { posix } from 'node:path'
import type { BundleDeploymentOptions } from '../../api/bundle-deployment-options.ts'
import { chartDirectory } from '../../api/names.ts'

/** A bundle is a chart, a kustomization, a chart whose output goes through a kustomization, or (neither) plain manifests. */
export interface Style {
  /** Folder of the chart, `.` for the root. */
  chart?: string
  /** Folder of the kustomization, `.` for the root. */
  kustomize?: string
}

/** The style of a bundle by the names of its files. */
export function detectStyle(names: readonly string[], options: BundleDeploymentOptions): Style {
  const known = new Set(names.map((name) => posix.normalize(name)))
  const chart = chartFolder(known, options)
  const kustomize = posix.normalize(options.kustomize?.dir || '.').replace(/\/$/, '')
  const isKustomize = known.has(posix.join(kustomize, 'kustomization.yaml'))
  return { ...(chart === undefined ? {} : { chart }), ...(isKustomize ? { kustomize } : {}) }
}

function chartFolder(known: ReadonlySet<string>, { helm }: BundleDeploymentOptions): string | undefined {
  const local = posix.normalize(helm?.chart || helm?.repo || '.').replace(/\/$/, '')
  if (known.has(posix.join(local, 'Chart.yaml'))) return local
  const downloaded = chartDirectory(helm?.chart ?? '', helm?.repo ?? '', helm?.version ?? '')
  if (known.has(`${downloaded}/Chart.yaml`)) return downloaded
  const unpacked = [...known].find(
    (name) => name.startsWith(`${downloaded}/`) && /^[^/]+\/Chart\.yaml$/.test(name.slice(downloaded.length + 1)),
  )
  return unpacked === undefined ? undefined : posix.dirname(unpacked)
}
