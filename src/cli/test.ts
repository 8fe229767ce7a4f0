// `fleet test`, deprecated: matches a folder against a cluster that is described by flags, and prints its objects.
import type { Bundle } from '../api/bundle.ts'
import type { Cluster } from '../api/cluster.ts'
import { BUNDLE, BUNDLE_DEPLOYMENT, CLUSTER, CLUSTER_GROUP } from '../api/kinds.ts'
import { readBundles } from '../bundle/read.ts'
import { decodeResources } from '../bundle/read-contents.ts'
import { TerminalError } from '../lib/controller/errors.ts'
import { compileValuesTemplate } from '../target/compile-template.ts'
import { type Choice, compileTargets } from '../target/customize.ts'
import { compileVariant } from '../target/variant.ts'
import { openCharts } from './apply/chart-source.ts'
import { type Call, defineCommand } from './command.ts'
import { ASSUMED_VERSION, dryRun } from './deploy/dry-run.ts'
import { readInput } from './files.ts'
import type { FlagTable } from './flags.ts'
import { formatObjects, parseObjects } from './objects.ts'

const FLAGS = {
  file: { type: 'text', short: 'f', value: 'FILE', help: 'name of the options file in the folder, in place of fleet.yaml' },
  'bundle-file': { type: 'text', short: 'b', value: 'FILE', help: 'file with a Bundle, in place of a folder' },
  quiet: { type: 'boolean', short: 'q', help: 'print no objects' },
  group: { type: 'text', short: 'g', value: 'NAME', help: 'name of a group of the cluster' },
  name: { type: 'text', short: 'N', value: 'NAME', help: 'name of the cluster' },
  label: { type: 'map', short: 'l', help: 'labels of the cluster' },
  'group-label': { type: 'map', short: 'L', help: 'labels of the group' },
  target: { type: 'text', short: 't', value: 'NAME', help: 'take this target, whatever the cluster' },
} as const satisfies FlagTable

export const test = defineCommand({
  description:
    'Deprecated: use fleet target and fleet deploy --dry-run.\nMatches a folder against a cluster that is described by flags, and prints its objects.',
  arguments: [{ name: 'PATH', help: 'the folder; this one when it is left out', required: false }],
  flags: FLAGS,
  run: runTest,
})

async function runTest(call: Call<typeof FLAGS>): Promise<void> {
  const { flags, io, config, signal } = call
  io.warn('fleet test is deprecated: use fleet target and fleet deploy --dry-run')
  const bundle = flags['bundle-file'] ? await bundleIn(call, flags['bundle-file']) : await bundleOf(call)
  const cluster: Cluster = { ...CLUSTER, metadata: { name: flags.name ?? '', namespace: 'default', labels: { ...flags.label } }, spec: {} }
  const choice = choose(bundle, cluster, call)
  if (!choice) throw new TerminalError('no match found')
  io.note(`# Matched: ${bundle.spec.targets?.[choice.customizations[0] ?? choice.target]?.name ?? ''}`)
  if (flags.quiet) return
  const options = compileVariant(bundle.spec, choice, {}, compileValuesTemplate).identity(cluster)
  const deployment = { ...BUNDLE_DEPLOYMENT, metadata: bundle.metadata, spec: { options } }
  const files = await decodeResources(bundle.spec.resources ?? [])
  const { objects, warnings } = await dryRun({ deployment, files, kubeVersion: ASSUMED_VERSION, config, signal })
  for (const warning of warnings) io.warn(warning)
  await io.print(formatObjects(objects, 'yaml'))
}

async function bundleIn(call: Call<typeof FLAGS>, file: string): Promise<Bundle> {
  const found = parseObjects((await readInput(call, file)).toString('utf8'), file).find(({ kind }) => kind === BUNDLE.kind)
  if (!found) throw new TerminalError(`${file} holds no Bundle`)
  return { ...found, spec: (found as Bundle).spec ?? {} }
}

async function bundleOf({ args, flags, ...rest }: Call<typeof FLAGS>): Promise<Bundle> {
  const charts = await openCharts({ ...rest, flags: {} })
  try {
    const bundles = [{ base: args[0] ?? '.', ...(flags.file ? { options: flags.file } : {}) }]
    const options = { repoName: 'test', namespace: 'default', bundles, charts: charts.source, signal: rest.signal }
    const { drafts } = await readBundles(rest.cwd, options)
    return drafts[0]?.bundle ?? { ...BUNDLE, metadata: { name: 'test' }, spec: {} }
  } finally {
    await charts.close()
  }
}

function choose({ spec }: Bundle, cluster: Cluster, { flags }: Call<typeof FLAGS>): Choice | undefined {
  if (flags.target) {
    const target = (spec.targets ?? []).findIndex(({ name }) => name === flags.target)
    return target < 0 ? undefined : { target, customizations: [] }
  }
  const isDescribed = flags.group || Object.keys(flags.label).length > 0 || Object.keys(flags['group-label']).length > 0
  const name = flags.group ?? (isDescribed ? '' : 'default')
  const group = { ...CLUSTER_GROUP, metadata: { name, labels: { ...flags['group-label'] } }, spec: {} }
  return compileTargets(spec)({ cluster, groups: [group] })
}
