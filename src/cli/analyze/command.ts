import { type Call, defineCommand } from '../command.ts'
import { UsageError } from '../exit.ts'
import { readInput } from '../files.ts'
import type { Snapshot } from '../monitor/snapshot.ts'
import { issues } from './issues.ts'
import type { Paint } from './layout.ts'
import { readSnapshots } from './read-snapshots.ts'
import { allChanges, allSummaries, comparison, detailed, newestOf } from './report.ts'
import { summary } from './summary.ts'

export const analyze = defineCommand({
  description:
    'Reads snapshots of `fleet monitor` and tells what they say: how much there is, what is wrong, and what changed. No cluster is needed. ' +
    'Without further flags the newest snapshot is summed up.',
  arguments: [{ name: 'FILE', required: false, help: 'snapshots, one JSON object a line; standard input if left out' }],
  flags: {
    all: { type: 'boolean', help: 'sum up all snapshots; with --json: give all of them' },
    diff: { type: 'boolean', help: 'what changed from one snapshot to the next' },
    issues: { type: 'boolean', help: 'only what has a problem' },
    detailed: { type: 'boolean', help: 'everything: summary, problems, the hub itself' },
    json: { type: 'boolean', help: 'the newest snapshot as JSON' },
    compare: { type: 'text', value: 'FILE', help: 'what is different in the newest snapshot of another file' },
    'no-color': { type: 'boolean', help: 'no colours, even on a terminal' },
  },
  examples: [
    ['fleet monitor | fleet analyze --issues', 'what is wrong right now'],
    ['fleet analyze --diff snapshots.json', 'what changed while fleet monitor --watch was running'],
    ['fleet analyze --compare after.json before.json', 'what a change did'],
  ],
  async run(call) {
    const { args, flags, io } = call
    const [file] = args
    const paint: Paint = flags['no-color'] ? (_, text) => text : io.paint
    if (flags.compare && !file) throw new UsageError('--compare needs a second file: fleet analyze --compare AFTER BEFORE')
    const isTyping = (io.stdin as { isTTY?: boolean }).isTTY === true
    if (!file && isTyping) throw new UsageError('no snapshots to analyze: name a file, or write fleet monitor | fleet analyze')
    const snapshots = await read(call, file ?? '-')
    if (flags.compare) {
      const other = { name: flags.compare, snapshots: await read(call, flags.compare) }
      return print(call, comparison({ name: file ?? '-', snapshots }, other, paint))
    }
    if (flags.json) return io.print(`${JSON.stringify(asJson(snapshots, flags.all), null, 2)}\n`)
    if (flags.all) return print(call, allSummaries(snapshots, paint))
    if (flags.diff) return print(call, allChanges(snapshots, paint))
    const newest = newestOf(snapshots)
    if (flags.issues) return print(call, issues(newest, paint))
    return print(call, flags.detailed ? detailed(newest, paint) : summary(newest, paint))
  },
})

async function read(call: Pick<Call, 'cwd' | 'io'>, path: string): Promise<Snapshot[]> {
  const text = (await readInput(call, path)).toString('utf8')
  return readSnapshots(text, path === '-' ? 'standard input' : path)
}

function asJson(snapshots: readonly Snapshot[], isAll: boolean): object {
  return { snapshotCount: snapshots.length, latest: newestOf(snapshots), ...(isAll ? { all: snapshots } : {}) }
}

function print({ io }: Pick<Call, 'io'>, lines: readonly string[]): Promise<void> {
  return io.print(`${lines.join('\n')}\n`)
}
