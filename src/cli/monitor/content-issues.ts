// Which files are needed and not there.
import type { BundleDeployment } from '../../api/bundle-deployment.ts'
import type { SizedBundle, SizedContent } from './hub-state.ts'
import { nameOf } from './infos.ts'
import type { ContentIssue } from './snapshot.ts'

/** Contents by name. */
export type Contents = ReadonlyMap<string, SizedContent>

/** Longest name of a Content (spec 0.3). */
const MAX_NAME = 63

/** The deployments whose files, of the version they should have, get next, or have, are missing or on their way out. */
export function contentIssues(deployments: readonly BundleDeployment[], contents: Contents): ContentIssue[] {
  return deployments
    .filter(hasContent)
    .map((deployment) => contentIssue(deployment, contents))
    .filter(({ issues }) => issues.length > 0)
}

function contentIssue({ metadata, spec, status }: BundleDeployment, contents: Contents): ContentIssue {
  const name = contentNameOf(spec.deploymentID)
  const staged = otherThan(name, contentNameOf(spec.stagedDeploymentID))
  const applied = otherThan(name, contentNameOf(status?.appliedDeploymentID))
  const content = name === undefined ? undefined : contents.get(name)
  const deletion = content?.metadata.deletionTimestamp
  const isGone = (wanted: string | undefined): boolean => wanted !== undefined && !contents.has(wanted)
  return {
    ...nameOf(metadata),
    contentName: name,
    stagedContentName: staged,
    appliedContentName: applied,
    contentExists: content ? true : undefined,
    contentDeletionTimestamp: deletion,
    stagedContentExists: staged === undefined ? undefined : contents.has(staged),
    appliedContentExists: applied === undefined ? undefined : contents.has(applied),
    issues: [
      ...(isGone(name) ? ['content_not_found'] : []),
      ...(deletion ? ['content_has_deletion_timestamp'] : []),
      ...(isGone(staged) ? ['staged_content_not_found'] : []),
      ...(isGone(applied) ? ['applied_content_not_found'] : []),
    ],
  }
}

/** Files of others lie in a registry or a chart repository. */
function hasContent({ spec }: BundleDeployment): boolean {
  return !spec.ociContents && !spec.helmChartOptions
}

/** Bundles whose files should be stored as a Content that is not there. */
export function lacksContent({ spec, status }: SizedBundle, contents: Contents): boolean {
  const sum = status?.resourcesSha256Sum
  if (!sum || spec.contentsId || spec.helmOpOptions) return false
  return !contents.has(`s-${sum}`.slice(0, MAX_NAME))
}

/** What stands before the colon of a deployment id. */
function contentNameOf(deploymentId: string | undefined): string | undefined {
  return deploymentId?.split(':', 1)[0] || undefined
}

function otherThan(name: string | undefined, other: string | undefined): string | undefined {
  return other === name ? undefined : other
}
