// What `fleet deploy` is given: a Content and a BundleDeployment in one file, in any order.
import type { BundleDeployment } from '../../api/bundle-deployment.ts'
import type { Content } from '../../api/content.ts'
import { BUNDLE_DEPLOYMENT, CONTENT } from '../../api/kinds.ts'
import { TerminalError } from '../../lib/controller/errors.ts'
import type { KubeObject } from '../../lib/kube/types.ts'
import { parseObjects } from '../objects.ts'

export interface DeployInput {
  readonly content: Content
  readonly deployment: BundleDeployment
}

/** Throws TerminalError unless there is exactly one BundleDeployment and its Content. */
export function readDeployInput(text: string, file: string): DeployInput {
  const objects = parseObjects(text, file)
  const deployment = onlyOne<BundleDeployment>(objects, BUNDLE_DEPLOYMENT.kind, file)
  const contents = objects.filter(({ kind }) => kind === CONTENT.kind) as Content[]
  const id = (deployment.spec?.deploymentID ?? '').split(':', 1)[0]
  const content = contents.find(({ metadata }) => metadata.name === id) ?? contents[0]
  if (!content) throw new TerminalError(`${file} holds no Content: fleet target prints one`)
  return { content, deployment: { ...deployment, spec: deployment.spec ?? {} } }
}

function onlyOne<T extends KubeObject>(objects: readonly KubeObject[], wanted: string, file: string): T {
  const [found, ...more] = objects.filter(({ kind }) => kind === wanted)
  if (!found) throw new TerminalError(`${file} holds no ${wanted}: fleet target prints one`)
  if (more.length > 0) throw new TerminalError(`${file} holds ${more.length + 1} ${wanted}s: leave the one that is to be deployed`)
  return found as T
}
