import { sleep } from '../../lib/controller/clock.ts'
import { messageOf } from '../../lib/controller/errors.ts'
import { type Call, defineCommand } from '../command.ts'
import { EXIT, exitCodeOf } from '../exit.ts'
import { NAMESPACE_FLAG } from '../flags.ts'
import { type CollectOptions, collect } from './collect.ts'
import { takeSnapshot } from './take-snapshot.ts'

export const monitor = defineCommand({
  description:
    'Prints the state of the hub, and what is wrong with it, as one line of JSON: a snapshot. Feed snapshots to `fleet analyze`, or to jq. ' +
    'Nothing in it is secret, and nothing is changed.',
  flags: {
    namespace: { ...NAMESPACE_FLAG, help: 'namespace of the clusters and cluster groups; all else is read from all namespaces' },
    watch: { type: 'boolean', help: 'go on, with a snapshot after each interval' },
    interval: { type: 'integer', min: 1, default: 60, help: 'seconds from one snapshot to the next' },
    system: { type: 'text', value: 'NAME', default: 'cattle-fleet-system', help: "namespace of the hub's own pods" },
  },
  examples: [
    ['fleet monitor > snapshot.json', 'keep a snapshot'],
    ['fleet monitor | fleet analyze', 'read it as a person'],
    ['fleet monitor --watch --interval 10 >> snapshots.json', 'watch what changes, for fleet analyze --diff'],
    ["fleet monitor | jq '.diagnostics.stuckBundleDeployments[].name'", 'the deployments that do not run what they should'],
  ],
  async run(call) {
    const { flags, clock, signal } = call
    const options = { namespace: flags.namespace, systemNamespace: flags.system }
    if (!flags.watch) return snapshot(call, options)
    while (!signal.aborted) {
      await snapshot(call, options).catch((error) => warnOrThrow(call, error))
      await sleep(clock, flags.interval * 1_000, signal)
    }
  },
})

async function snapshot(call: Pick<Call, 'io' | 'clock' | 'signal' | 'cluster'>, options: CollectOptions): Promise<void> {
  const { io, clock, signal } = call
  const { client } = await call.cluster()
  const state = await collect({ client, clock, signal, warn: io.warn }, options)
  await io.print(`${JSON.stringify(takeSnapshot(state, clock.now()))}\n`)
}

/** Who watches for days wants to see an outage, not to be ended by it. */
function warnOrThrow({ io, signal }: Pick<Call, 'io' | 'signal'>, error: unknown): void {
  if (signal.aborted || exitCodeOf(error) !== EXIT.tryAgain) throw error
  io.warn(`no snapshot this time: ${messageOf(error)}`)
}
