// Renders a chart with the helm command, as the cluster it goes to would see it.
import type { HelmOptions } from '../../api/bundle-deployment-options.ts'
import type { ContentFile } from '../../bundle/read-contents.ts'
import type { TemplateOptions } from '../../lib/helm/args.ts'
import type { Helm } from '../../lib/helm/helm.ts'
import type { KubeClient } from '../../lib/kube/client.ts'
import { installDefinitions } from './definitions.ts'
import { parseObjects } from './objects.ts'
import { unpacked } from './unpacked.ts'

export interface ChartInput {
  /** Path of the folder of the chart. */
  chart: string
  /** Its files, named relative to it. */
  files: readonly ContentFile[]
  release: string
  namespace: string
  /** There is a revision of the release already. */
  upgrade: boolean
  helm: HelmOptions
  values: Readonly<Record<string, unknown>>
  /** Path of the values as a file. */
  valuesFile: string
}

/** What a chart may ask of the cluster, with the rights of the deployment. */
export interface ChartAccess {
  client: KubeClient
  /** Path of a kubeconfig file. */
  kubeconfig: string
}

export interface RenderedChart {
  /** YAML documents, hooks included. */
  text: string
  /** YAML documents of the `crds` folders: Helm installs them once and never changes them. */
  definitions: string
}

/** Throws `HelmError` for whatever is wrong with the chart or its values. */
export async function renderChart(helm: Helm, input: ChartInput, access: ChartAccess, signal?: AbortSignal): Promise<RenderedChart> {
  const uses = usesOf(input)
  // The kinds of a cluster cannot be passed to helm: it would add all that it knows itself.
  const asksCluster = uses('lookup') || uses('APIVersions')
  if (asksCluster && !input.upgrade && mayDefine(input)) {
    // Helm installs definitions before it renders, so that templates see the new kinds.
    await installDefinitions(parseObjects(await helm.showDefinitions(input.chart, signal), 'crds'), access.client, signal)
  }
  const options: TemplateOptions = {
    release: input.release,
    namespace: input.namespace,
    chart: input.chart,
    values: input.valuesFile,
    upgrade: input.upgrade,
    enableDns: !input.helm.disableDNS,
    skipSchemaValidation: input.helm.skipSchemaValidation ?? false,
    ...(asksCluster ? { lookup: access } : { kubeVersion: (await access.client.serverVersion()).gitVersion }),
  }
  const { text, definitions } = separate(await helm.template(options, signal))
  if (!input.upgrade || !uses('Release.Revision')) return { text, definitions }
  const revision = await helm.dryRunUpgrade({ ...options, kubeconfig: access.kubeconfig }, signal)
  const hooks = (revision.hooks ?? []) as { manifest?: string }[]
  return { text: [revision.manifest ?? '', ...hooks.map((hook) => hook.manifest ?? '')].join('\n---\n'), definitions }
}

/** Tells whether a word occurs in the chart: in its templates, in packed sub-charts, or in values, which templates may render. */
function usesOf({ files, values }: ChartInput): (word: string) => boolean {
  const texts = files
    .filter(({ name }) => /(^|\/)templates\//.test(name) || isPackedChart(name))
    .map(({ name, content }) => (isPackedChart(name) ? unpacked(content) : content))
  const given = JSON.stringify(values)
  return (word) => given.includes(word) || texts.some((text) => text.includes(word))
}

function mayDefine({ files }: ChartInput): boolean {
  return files.some(({ name }) => /(^|\/)crds\//.test(name) || isPackedChart(name))
}

function isPackedChart(name: string): boolean {
  return /(^|\/)charts\/[^/]+\.tgz$/.test(name)
}

/** Helm prints the files of `crds` folders in front, each under a comment that names it. */
function separate(output: string): RenderedChart {
  const documents = output.split(/^---[ \t]*$/m).slice(1)
  const first = documents.findIndex((document) => sourceOf(document) !== undefined && !isDefinition(document))
  const end = first < 0 ? documents.length : first
  const isDefinitions = end > 0 && isDefinition(documents[0] ?? '')
  return isDefinitions
    ? { definitions: documents.slice(0, end).join('\n---\n'), text: documents.slice(end).join('\n---\n') }
    : { definitions: '', text: output }
}

function isDefinition(document: string): boolean {
  return /^[^/]+\/(charts\/[^/]+\/)*crds\//.test(sourceOf(document) ?? '')
}

function sourceOf(document: string): string | undefined {
  return /^\s*# Source: (.*)$/m.exec(document)?.[1]
}
