import { randomUUID } from 'node:crypto'
import { resolve } from 'node:path'
import { defineCommand } from '../command.ts'
import { NAMESPACE_FLAG } from '../flags.ts'
import { writeArchive } from './archive.ts'
import { createDump } from './create-dump.ts'
import { dumpOptions } from './options.ts'

export const dump = defineCommand({
  description:
    'Writes the objects of Fleet, events and metrics of the hub into a compressed tar file, one entry an object, for whoever helps you. ' +
    'Secrets and the contents of bundle deployments are only in it if you ask for them; files and values that stand in Bundles and HelmOps always are: ' +
    'look before you send it.',
  flags: {
    'dump-path': { type: 'text', short: 'p', value: 'FILE', help: 'the file to write; it must be named' },
    'fetch-limit': { type: 'integer', short: 'l', min: 0, default: 500, help: 'objects to fetch at once; 0 means all' },
    namespace: { type: 'text', short: 'n', value: 'NAME', help: `the workspace; ${NAMESPACE_FLAG.default} if not given` },
    // NAMESPACE is set in every pod, so it must not be taken for a wish
    'default-namespace': {
      type: 'text',
      env: NAMESPACE_FLAG.env,
      default: NAMESPACE_FLAG.default,
      hidden: true,
      help: 'the workspace if --namespace is not given',
    },
    'all-namespaces': { type: 'boolean', short: 'A', help: 'all workspaces' },
    gitrepo: { type: 'text', value: 'NAME', help: 'only this GitRepo and what came of it' },
    bundle: { type: 'text', value: 'NAME', help: 'only this Bundle and what came of it' },
    helmop: { type: 'text', value: 'NAME', help: 'only this HelmOp and what came of it' },
    'with-secrets': { type: 'boolean', help: 'secrets, with what is in them' },
    'with-secrets-metadata': { type: 'boolean', help: 'secrets, without what is in them' },
    'with-content': { type: 'boolean', help: 'contents, with what is in them' },
    'with-content-metadata': { type: 'boolean', help: 'contents, without what is in them' },
  },
  examples: [
    ['fleet dump -A -p fleet.tgz', 'everything but secrets and contents'],
    ['fleet dump -n fleet-default --gitrepo shop -p shop.tgz', 'what belongs to one GitRepo'],
  ],
  async run({ flags, cwd, io, signal, cluster }) {
    const options = dumpOptions(flags)
    const { client } = await cluster()
    const progress = io.progress('reading')
    try {
      const count = await writeArchive(resolve(cwd, options.path), randomUUID(), (archive) =>
        createDump({ client, archive, signal, warn: io.warn, progress: progress.update }, options),
      )
      progress.done()
      io.note(`${count} entries written to ${options.path}`)
    } finally {
      progress.done()
    }
  },
})
