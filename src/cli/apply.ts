// `fleet apply`: folders in, bundles out, to the cluster or as text (spec 6, 9.1).
import type { BundleDraft } from '../bundle/draft.ts'
import { parseTargetsFile } from '../bundle/fleet-yaml.ts'
import { readBundles } from '../bundle/read.ts'
import { openCharts } from './apply/chart-source.ts'
import { withStorage } from './apply/content-storage.ts'
import { APPLY_FLAGS } from './apply/flags.ts'
import { givenBundle } from './apply/given-bundle.ts'
import { headCommit } from './apply/head-commit.ts'
import { printDrafts } from './apply/print-drafts.ts'
import { readOptions } from './apply/read-options.ts'
import { type Change, writeBundles } from './apply/write-bundles.ts'
import { type Call, defineCommand } from './command.ts'
import { UsageError } from './exit.ts'
import { readInput } from './files.ts'

type ApplyCall = Call<typeof APPLY_FLAGS>

export const apply = defineCommand({
  description:
    'Reads folders as a GitRepo would, and writes their bundles to the cluster or, with --output, prints them.\n' +
    'Nothing is written or printed when anything is wrong with any of them. Bundles that the label fleet.cattle.io/repo-name\n' +
    'gives to BUNDLE_NAME, and that no folder makes any more, are deleted.',
  arguments: [
    { name: 'BUNDLE_NAME', help: 'first part of the names of the bundles: the name of the GitRepo' },
    { name: 'PATH', help: 'folders and patterns, relative to here; the folder itself when there are none', required: false, many: true },
  ],
  flags: APPLY_FLAGS,
  examples: [
    ['fleet apply -o - my-repo apps/*', 'print the bundles of all folders in apps'],
    [
      'fleet apply -n fleet-default -l fleet.cattle.io/repo-name=my-repo my-repo',
      'write the bundles of this folder, and delete those that are gone',
    ],
    ['fleet apply --driven-scan my-repo app:dev.yaml app:prod.yaml', 'make two bundles of one folder'],
  ],
  run: runApply,
})

async function runApply(call: ApplyCall): Promise<void> {
  const { flags } = call
  const { drafts, warnings } = await readDrafts(call)
  for (const warning of warnings) call.io.warn(warning)
  if (flags.output) await printDrafts(drafts, flags.output, call)
  else await write(call, drafts)
}

async function readDrafts(call: ApplyCall): Promise<{ drafts: readonly BundleDraft[]; warnings: readonly string[] }> {
  const { args, flags, cwd, io, signal } = call
  const [repoName = '', ...paths] = args
  const commit = flags.commit || (await headCommit(cwd))
  if (flags.file) {
    if (paths.length > 0) throw new UsageError('with --file no folders are read: leave the paths out')
    const text = (await readInput(call, flags.file)).toString('utf8')
    return { drafts: [givenBundle(text, flags.file, repoName, flags, commit)], warnings: [] }
  }
  const targets = flags['targets-file'] ? await readTargets(call, flags['targets-file']) : undefined
  const charts = await openCharts(call)
  const progress = io.progress('reading bundles')
  try {
    return await readBundles(cwd, readOptions(flags, { repoName, paths, commit, targets, charts: charts.source, signal }))
  } finally {
    progress.done()
    await charts.close()
  }
}

async function readTargets(call: ApplyCall, file: string) {
  return parseTargetsFile((await readInput(call, file)).toString('utf8'), file)
}

async function write(call: ApplyCall, drafts: readonly BundleDraft[]): Promise<void> {
  const { flags, io, config, signal } = call
  const { client } = await call.cluster()
  const progress = io.progress(`writing ${drafts.length} bundles`)
  let count = 0
  try {
    const where = { namespace: flags.namespace, secret: flags['oci-registry-secret'], config }
    const { changes, warnings } = await withStorage(client, where, (storage) =>
      writeBundles(client, drafts, {
        repoName: call.args[0] ?? '',
        namespace: flags.namespace,
        prune: !flags.file,
        imageScans: flags['imagescan-enabled'],
        attempts: config.applyAttempts,
        storage,
        signal,
        onChange: ({ name }) => progress.update(`${++count} written: ${name}`),
      }),
    )
    progress.done()
    for (const warning of warnings) io.warn(warning)
    await io.print(changes.map((change) => describe(change, io.paint)).join(''))
  } finally {
    progress.done()
  }
}

const COLOURS = { created: 'green', updated: 'yellow', deleted: 'red', unchanged: 'dim' } as const

function describe({ kind, namespace, name, what }: Change, paint: ApplyCall['io']['paint']): string {
  return `${kind.toLowerCase()} ${namespace}/${name} ${paint(COLOURS[what], what)}\n`
}
