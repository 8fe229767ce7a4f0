// What a command is. Each lives in a file of its own, is listed in commands.ts, and is loaded only when it is called.
import type { CliConfig } from '../config/cli.ts'
import type { Clock } from '../lib/controller/clock.ts'
import type { Logger } from '../lib/controller/log.ts'
import type { Cluster } from './cluster.ts'
import type { FlagTable, FlagValues } from './flags.ts'
import type { Io } from './io.ts'

export interface Argument {
  /** upper case, as the help shows it */
  readonly name: string
  readonly help: string
  /** false when it may be left out */
  readonly required?: boolean
  /** takes all that follows; only the last one may */
  readonly many?: boolean
  /** the values that are allowed, for shell completion */
  readonly choices?: readonly string[]
}

/** One call of a command. */
export interface Call<F extends FlagTable = FlagTable> {
  readonly args: readonly string[]
  readonly flags: FlagValues<F>
  readonly io: Io
  readonly config: CliConfig
  /** working directory */
  readonly cwd: string
  readonly clock: Clock
  readonly log: Logger
  /** aborted by SIGINT and SIGTERM */
  readonly signal: AbortSignal
  /** The cluster that flags and environment name; opened when it is first asked for, closed when the command has ended. */
  cluster(): Promise<Cluster>
}

export interface CliCommand {
  /** a sentence or more, for `fleet COMMAND --help` */
  readonly description: string
  readonly arguments: readonly Argument[]
  readonly flags: FlagTable
  /** calls with what they do: `['fleet apply -o - repo', 'print what …']` */
  readonly examples: readonly (readonly [call: string, what: string])[]
  /**
   * Does it. Results go to `io.print`, remarks to `io.note` and `io.warn`. Throws whatever failed: the frame prints it and sets the exit code.
   */
  run(call: Call): Promise<void>
}

interface Definition<F extends FlagTable> extends Omit<Partial<CliCommand>, 'run' | 'flags'> {
  readonly description: string
  readonly flags?: F
  run(call: Call<F>): Promise<void>
}

/**
 * A command with flags that are typed by their table.
 *
 *     export const hello = defineCommand({
 *       description: 'Says hello.',
 *       flags: { name: { type: 'text', default: 'you', help: 'whom to greet' } },
 *       run: async ({ flags, io }) => io.print(`hello ${flags.name}\n`),
 *     })
 */
export function defineCommand<const F extends FlagTable>(definition: Definition<F>): CliCommand {
  const { flags = {} as F, arguments: args = [], examples = [], description } = definition
  // the frame reads flags by the same table, so what it hands over has these types
  return { description, arguments: args, examples, flags, run: (call) => definition.run(call as Call<F>) }
}
