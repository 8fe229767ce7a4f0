import type { Bundle } from '../../api/bundle.ts'
import type { BundleDeployment } from '../../api/bundle-deployment.ts'
import { BUNDLE } from '../../api/kinds.ts'
import { BUNDLE_NAME_LABEL, BUNDLE_NAMESPACE_LABEL } from '../../api/labels.ts'
import { TerminalError } from '../../lib/controller/errors.ts'
import { stringifyYaml } from '../../lib/yaml/stringify.ts'
import { type Call, defineCommand } from '../command.ts'
import { UsageError } from '../exit.ts'
import { NAMESPACE_FLAG } from '../flags.ts'
import { ignoringPatches, mergePatches } from './compare-patches.ts'
import { type DeploymentDiff, diffsOf } from './diffs.ts'
import { findDeployments } from './find-deployments.ts'
import { textByBundle, textOfDeployment } from './text.ts'

export const bundlediff = defineCommand({
  description:
    'Shows what is different in the clusters from what was deployed, or not ready there, as the agents report it: for all bundles, for one, ' +
    'or for one bundle deployment. With --fleet-yaml it gives the lines of fleet.yaml that make Fleet ignore the difference.',
  flags: {
    namespace: { ...NAMESPACE_FLAG, help: 'namespace of the bundle deployments; the default means all namespaces' },
    bundle: { type: 'text', short: 'b', value: 'NAME', help: 'only the deployments of this bundle' },
    'bundle-deployment': { type: 'text', value: 'NAME', help: 'only this bundle deployment' },
    json: { type: 'boolean', help: 'the reports as JSON' },
    'fleet-yaml': { type: 'boolean', help: 'comparePatches for fleet.yaml; needs --bundle-deployment' },
  },
  examples: [
    ['fleet bundlediff', 'all differences, by bundle'],
    ['fleet bundlediff --bundle shop --json', 'those of one bundle, for programs'],
    ['fleet bundlediff --fleet-yaml --bundle-deployment shop', 'the lines of fleet.yaml that accept what is different'],
  ],
  async run(call) {
    const { flags, io, signal } = call
    const { json, bundle, namespace, 'fleet-yaml': fleetYaml, 'bundle-deployment': bundleDeployment } = flags
    if (json && fleetYaml) throw new UsageError('--json and --fleet-yaml exclude each other: give one of them')
    if (bundle && bundleDeployment) throw new UsageError('--bundle and --bundle-deployment exclude each other: give one of them')
    if (fleetYaml && !bundleDeployment) throw new UsageError('--fleet-yaml needs --bundle-deployment: say whose differences to ignore')
    const { client } = await call.cluster()
    const deployments = await findDeployments(client, { namespace, bundle, bundleDeployment }, signal)
    const diffs = diffsOf(deployments)
    if (json)
      return io.print(
        `${JSON.stringify({ ...(bundle ? { bundleName: bundle } : {}), namespace, bundleDeploymentDiffs: diffs }, null, 2)}\n`,
      )
    if (fleetYaml) return printPatches(call, deployments[0], diffs[0])
    const [first] = diffs
    if (!first) return io.print('No modified resources found.\n')
    const lines = bundleDeployment ? textOfDeployment(first) : textByBundle(diffs)
    await io.print(`${lines.join('\n')}\n`)
  },
})

/** Prints the whole `diff` block of fleet.yaml: what the bundle has, and what is to be ignored from now on. */
async function printPatches(call: Call, deployment: BundleDeployment | undefined, diff: DeploymentDiff | undefined): Promise<void> {
  const { io } = call
  const { patches, unreadable } = ignoringPatches(diff?.modifiedResources ?? [])
  for (const { kind, namespace, name } of unreadable)
    io.warn(`${kind} ${namespace}/${name} is left out: its report does not say what was modified`)
  if (patches.length === 0 || !deployment) return io.note('nothing is modified that could be ignored')
  const bundle = await bundleOf(call, deployment)
  const comparePatches = mergePatches(bundle.spec.diff?.comparePatches ?? [], patches)
  await io.print(stringifyYaml({ diff: { comparePatches } }, { lossless: true }))
}

async function bundleOf({ cluster, signal }: Call, { metadata }: BundleDeployment): Promise<Bundle> {
  const { [BUNDLE_NAME_LABEL]: name, [BUNDLE_NAMESPACE_LABEL]: namespace } = metadata.labels ?? {}
  const { client } = await cluster()
  const bundle = name && namespace ? await client.find<Bundle>({ ...BUNDLE, name, namespace }, { signal }) : undefined
  if (!bundle) throw new TerminalError(`the bundle of bundle deployment ${metadata.namespace}/${metadata.name} does not exist`)
  return bundle
}
