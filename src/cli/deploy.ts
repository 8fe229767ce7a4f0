// `fleet deploy`: what an agent does with one bundle deployment, without a hub (spec 7.2, 9.1).
import type { BundleDeployment } from '../api/bundle-deployment.ts'
import { readContent } from '../bundle/read-contents.ts'
import { formatVersion, parseVersion } from '../lib/semver/version.ts'
import { type Call, defineCommand } from './command.ts'
import { ASSUMED_VERSION, dryRun } from './deploy/dry-run.ts'
import { readDeployInput } from './deploy/input.ts'
import { install } from './deploy/install.ts'
import { UsageError } from './exit.ts'
import { readInput } from './files.ts'
import { type FlagTable, FORMAT_FLAG } from './flags.ts'
import { formatList } from './objects.ts'

const FLAGS = {
  'input-file': {
    type: 'text',
    short: 'i',
    value: 'FILE',
    help: 'file with a Content and a BundleDeployment, as fleet target prints them; - for standard input',
  },
  'dry-run': { type: 'boolean', short: 'd', help: 'print the objects, and deploy nothing; no cluster is asked' },
  namespace: { type: 'text', short: 'n', value: 'NAME', help: 'namespace of the release where the options name none; else default' },
  'kube-version': { type: 'text', value: 'VERSION', default: ASSUMED_VERSION, help: 'Kubernetes version that charts see in a dry run' },
  'agent-namespace': {
    type: 'text',
    short: 'a',
    value: 'NAME',
    default: '',
    help: 'make the release one of the agent in this namespace (cattle-fleet-system), which deletes it when the hub does not know it',
  },
  output: FORMAT_FLAG,
} as const satisfies FlagTable

export const deploy = defineCommand({
  description:
    'Deploys one BundleDeployment with its Content into the cluster, as an agent would: as a Helm release. The two objects\nthemselves are not created. Prints the objects of the release as a list.',
  flags: FLAGS,
  examples: [['fleet target -b bundle.yaml > deployment.yaml && fleet deploy --dry-run -i deployment.yaml', 'see the objects of a bundle']],
  run: runDeploy,
})

async function runDeploy(call: Call<typeof FLAGS>): Promise<void> {
  const { flags, io, config, signal } = call
  const file = flags['input-file']
  if (!file) throw new UsageError('--input-file is missing: name the file with the BundleDeployment\nsee fleet deploy --help')
  const { content, deployment: given } = readDeployInput((await readInput(call, file)).toString('utf8'), file)
  const deployment = withDefaultNamespace(given, flags.namespace)
  if (flags['dry-run']) {
    const kubeVersion = versionOf(flags['kube-version'])
    const { objects, warnings } = await dryRun({ deployment, files: await readContent(content), kubeVersion, config, signal })
    for (const warning of warnings) io.warn(warning)
    return io.print(formatList(objects, flags.output))
  }
  const agentNamespace = flags['agent-namespace']
  const cluster = await call.cluster()
  const progress = io.progress(`deploying ${deployment.metadata.name}`)
  try {
    const objects = await install({ deployment, content, agentNamespace, cluster, config, signal })
    progress.done()
    await io.print(formatList(objects, flags.output))
  } finally {
    progress.done()
  }
}

function withDefaultNamespace(deployment: BundleDeployment, namespace: string | undefined): BundleDeployment {
  const options = deployment.spec.options ?? {}
  if (!namespace || options.namespace || options.defaultNamespace) return deployment
  return { ...deployment, spec: { ...deployment.spec, options: { ...options, defaultNamespace: namespace } } }
}

/** The full form of what was given: `1.31` is v1.31.0. */
function versionOf(text: string): string {
  const version = parseVersion(text || ASSUMED_VERSION)
  if (!version) throw new UsageError(`--kube-version ${text}: write a version such as 1.31.2`)
  return `v${formatVersion(version)}`
}
