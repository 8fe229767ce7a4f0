// What can be completed: commands, and the flags of each.
import type { Argument } from '../command.ts'
import { COMMANDS } from '../commands.ts'
import { COMMON_FLAGS, type Flag, type FlagTable } from '../flags.ts'

export interface CompletedFlag {
  readonly name: string
  readonly short: string | undefined
  readonly help: string
  readonly takesValue: boolean
  readonly choices: readonly string[]
  readonly takesPath: boolean
}

export interface CompletedCommand {
  /** one or two words */
  readonly name: string
  readonly summary: string
  readonly flags: readonly CompletedFlag[]
  /** whether arguments are paths */
  readonly takesPath: boolean
  readonly choices: readonly string[]
}

/** All commands that are shown in the help. */
export async function completedCommands(): Promise<CompletedCommand[]> {
  const shown = COMMANDS.filter(({ hidden }) => !hidden)
  return Promise.all(
    shown.map(async ({ name, summary, load }) => {
      const command = await load()
      const table: FlagTable = { ...command.flags, ...COMMON_FLAGS, ...command.flags }
      const flags = Object.entries(table).filter(([, flag]) => !flag.hidden)
      return {
        name,
        summary,
        flags: [...flags.map(([flag, spec]) => completed(flag, spec)), HELP],
        takesPath: command.arguments.some((argument: Argument) => /PATH|FILE/.test(argument.name)),
        choices: command.arguments.flatMap((argument) => argument.choices ?? []),
      }
    }),
  )
}

const HELP: CompletedFlag = { name: 'help', short: 'h', help: 'show this', takesValue: false, choices: [], takesPath: false }

function completed(name: string, flag: Flag): CompletedFlag {
  return {
    name,
    short: flag.short,
    help: flag.help,
    takesValue: flag.type !== 'boolean',
    choices: flag.type === 'text' ? (flag.choices ?? []) : [],
    takesPath: flag.type === 'text' && /^(FILE|DIR)$/.test(flag.value ?? ''),
  }
}
