// Reports for people.
import type { ModifiedStatus, NonReadyStatus } from '../../api/status.ts'
import { nonReadyText } from '../../api/status-text.ts'
import { plain } from '../analyze/layout.ts'
import type { DeploymentDiff } from './diffs.ts'

const RULE = '━'.repeat(66)

/** All reports, by bundle. */
export function textByBundle(diffs: readonly DeploymentDiff[]): string[] {
  const bundles = Map.groupBy(diffs, ({ bundleName }) => bundleName || '(unknown)')
  const names = [...bundles.keys()].sort()
  return names.flatMap((name, index) => {
    const ofBundle = bundles.get(name) ?? []
    return [
      ...(index > 0 ? [''] : []),
      `Bundle: ${name}`,
      `BundleDeployments with diffs: ${ofBundle.length}`,
      RULE,
      ...ofBundle.flatMap((diff) => ['', ...indented([`BundleDeployment: ${nameOf(diff)}`, ...resources(diff)], '  ')]),
    ]
  })
}

/** The report of a single bundle deployment. */
export function textOfDeployment(diff: DeploymentDiff): string[] {
  return [`BundleDeployment: ${nameOf(diff)}`, ...(diff.bundleName ? [`Bundle: ${diff.bundleName}`] : []), RULE, ...resources(diff)]
}

function nameOf({ namespace, bundleDeploymentName }: DeploymentDiff): string {
  return `${namespace}/${bundleDeploymentName}`
}

function resources({ modifiedResources, nonReadyResources = [] }: DeploymentDiff): string[] {
  return [
    ...(modifiedResources.length > 0 ? [`Modified Resources (${modifiedResources.length}):`] : []),
    ...indented(modifiedResources.flatMap(modifiedLines), '  '),
    ...(nonReadyResources.length > 0 ? [`Non-Ready Resources (${nonReadyResources.length}):`] : []),
    ...indented(nonReadyResources.flatMap(nonReadyLines), '  '),
  ]
}

function modifiedLines(modified: ModifiedStatus): string[] {
  const resource = `Resource: ${resourceText(modified)}`
  if (modified.missing) {
    const status = modified.exist ? 'Resource exists but is not owned by Fleet' : 'Resource is missing (should be created)'
    return [resource, `Status: ${status}`]
  }
  if (modified.delete) return [resource, 'Status: Extra resource (should be deleted)']
  if (!modified.patch) return [resource]
  return [resource, 'Status: Modified', 'Patch:', ...indented(patchLines(modified.patch), '  ')]
}

function nonReadyLines(nonReady: NonReadyStatus): string[] {
  const { summary } = nonReady
  return [
    `Resource: ${resourceText(nonReady)}`,
    'Status: Not Ready',
    ...(summary?.state ? [`Summary: ${plain(nonReadyText({ summary }).trim())}`] : []),
  ]
}

function resourceText({ kind = '', apiVersion = '', namespace, name = '' }: ModifiedStatus | NonReadyStatus): string {
  return plain(`${kind}.${apiVersion} ${namespace ? `${namespace}/` : ''}${name}`)
}

/** JSON over several lines; what is no JSON as it is. */
function patchLines(patch: string): string[] {
  try {
    return JSON.stringify(JSON.parse(patch), null, 2).split('\n').map(plain)
  } catch {
    return [plain(patch)]
  }
}

function indented(lines: readonly string[], indent: string): string[] {
  return lines.map((line) => `${indent}${line}`)
}
