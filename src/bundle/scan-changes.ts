import { isDeepStrictEqual } from 'node:util'
import type { GitRepo } from '../api/git-repo.ts'
import type { ImageScan } from '../api/image-scan.ts'
import type { WantedBundle } from './publish-plan.ts'

/** What has to be written so that the image scans of a GitRepo are those of its bundles. */
export interface ScanChanges {
  readonly create: readonly ImageScan[]
  readonly update: readonly ImageScan[]
  readonly remove: readonly ImageScan[]
}

/** Scans that were made from fleet.yaml have such names; others with the GitRepo's label are somebody else's. */
const MADE = 'imagescan-'

/** Scans have the labels of their bundle and belong to the GitRepo; those that fleet.yaml no longer lists go. */
export function scanChanges(gitRepo: GitRepo, wanted: readonly WantedBundle[], stored: readonly ImageScan[]): ScanChanges {
  const existing = new Map(stored.map((scan) => [scan.metadata.name, scan]))
  const scans = wanted.flatMap(({ bundle, scans: own }) => own.map((scan) => complete(scan, gitRepo, bundle.metadata.labels ?? {})))
  const names = new Set(scans.map(({ metadata }) => metadata.name))
  const changed = scans.filter((scan) => {
    const before = existing.get(scan.metadata.name)
    return (
      before && !(isDeepStrictEqual(before.spec, scan.spec) && isDeepStrictEqual(before.metadata.labels ?? {}, scan.metadata.labels ?? {}))
    )
  })
  return {
    create: scans.filter(({ metadata }) => !existing.has(metadata.name)),
    update: changed.map((scan) => over(existing.get(scan.metadata.name) ?? scan, scan)),
    remove: stored.filter(({ metadata }) => metadata.name.startsWith(MADE) && !names.has(metadata.name) && !metadata.deletionTimestamp),
  }
}

function complete(scan: ImageScan, { metadata }: GitRepo, labels: Record<string, string>): ImageScan {
  return {
    ...scan,
    metadata: { name: scan.metadata.name, ...(metadata.namespace ? { namespace: metadata.namespace } : {}), labels },
    spec: { ...scan.spec, gitrepoName: metadata.name },
  }
}

function over({ status: _status, ...existing }: ImageScan, scan: ImageScan): ImageScan {
  return { ...existing, metadata: { ...existing.metadata, labels: scan.metadata.labels ?? {} }, spec: scan.spec }
}
