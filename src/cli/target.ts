// `fleet target`: what a bundle becomes on each cluster (spec 4, 9.1).
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { Bundle } from '../api/bundle.ts'
import type { Content } from '../api/content.ts'
import { encodeContent } from '../api/content-id.ts'
import { BUNDLE, CONTENT } from '../api/kinds.ts'
import { type Contents, contentsOf } from '../deployment/contents.ts'
import { impositionsOf } from '../deployment/impositions.ts'
import { TerminalError } from '../lib/controller/errors.ts'
import { keyOf } from '../lib/controller/keys.ts'
import { stringifyYaml } from '../lib/yaml/stringify.ts'
import { compileValuesTemplate } from '../target/compile-template.ts'
import { compileTargeting, type Target } from '../target/target.ts'
import { type Call, defineCommand } from './command.ts'
import { UsageError } from './exit.ts'
import { readInput } from './files.ts'
import { type FlagTable, FORMAT_FLAG } from './flags.ts'
import { formatObjects, parseObjects } from './objects.ts'
import { planTargets } from './target/plan.ts'
import { withStoredValues } from './target/stored-values.ts'
import { readWorld } from './target/world.ts'

const FLAGS = {
  'bundle-file': {
    type: 'text',
    short: 'b',
    value: 'FILE',
    help: 'file with the Bundle, as fleet apply --output prints it; - for standard input',
  },
  'dump-input-list': { type: 'boolean', short: 'l', help: 'show clusters and groups that were looked at on standard error' },
  namespace: {
    type: 'text',
    short: 'n',
    value: 'NAME',
    help: 'namespace of the bundle, whose clusters are looked at; else the one in the file',
  },
  output: FORMAT_FLAG,
} as const satisfies FlagTable

const DEFAULT_NAMESPACE = 'fleet-local'

export const target = defineCommand({
  description:
    'Prints the Content of a bundle, and its BundleDeployment for each cluster that it is deployed to.\nClusters, groups, mappings and policies are read from the cluster; nothing is written.',
  flags: FLAGS,
  examples: [['fleet apply -o bundle.yaml my-repo app && fleet target -b bundle.yaml -n fleet-default', 'see where a folder would go']],
  run: runTarget,
})

async function runTarget(call: Call<typeof FLAGS>): Promise<void> {
  const { flags, io, signal } = call
  const given = await readBundle(call)
  const { client } = await call.cluster()
  const progress = io.progress('reading clusters')
  try {
    const bundle = await withStoredValues(client, given, signal)
    const world = await readWorld(client, bundle, signal)
    progress.done()
    for (const { mapping, error } of world.invalidMappings) io.warn(`mapping ${keyOf(mapping)} is ignored: ${error.message}`)
    const contents = contentsOf(bundle)
    const impositions = impositionsOf(bundle, world.policies, world.restrictions)
    const targeting = compileTargeting({ bundle, manifestId: contents.id, compileTemplate: compileValuesTemplate, ...impositions })
    const targets = targeting.targets(world.candidates)
    if (flags['dump-input-list']) io.note(stringifyYaml(targets.map(shown), { lossless: true }))
    const plan = planTargets(bundle, contents, targets, world.deployments)
    for (const reason of plan.skipped) io.warn(reason)
    await io.print(formatObjects([...(await contentOf(bundle, contents)), ...plan.deployments], flags.output))
  } finally {
    progress.done()
  }
}

async function readBundle(call: Call<typeof FLAGS>): Promise<Bundle> {
  const { flags } = call
  const file = flags['bundle-file']
  if (!file) throw new UsageError('--bundle-file is missing: name the file with the Bundle\nsee fleet target --help')
  const bundles = parseObjects((await readInput(call, file)).toString('utf8'), file).filter(({ kind }) => kind === BUNDLE.kind)
  const [bundle, ...more] = bundles as Bundle[]
  if (!bundle) throw new TerminalError(`${file} holds no Bundle`)
  if (more.length > 0) throw new TerminalError(`${file} holds ${bundles.length} Bundles: put each into a file of its own`)
  const { status: _, ...rest } = bundle
  const namespace = flags.namespace ?? (bundle.metadata.namespace || DEFAULT_NAMESPACE)
  return { ...rest, metadata: { ...bundle.metadata, namespace }, spec: bundle.spec ?? {} }
}

async function contentOf({ spec }: Bundle, { kind, id }: Contents): Promise<Content[]> {
  if (kind !== 'stored') return []
  const { json, sha256 } = encodeContent(spec.resources)
  const packed = await promisify(gzip)(json)
  return [{ ...CONTENT, metadata: { name: id }, content: packed.toString('base64'), sha256sum: sha256 }]
}

function shown({ cluster, groups, deploymentId, options, error }: Target): object {
  return { Cluster: cluster, ClusterGroups: groups, DeploymentID: deploymentId, Options: options, ...(error ? { Error: error } : {}) }
}
