// The fleet command from its arguments to its exit code. Read it from the top.
import { cliConfig } from '../config/cli.ts'
import type { Environment } from '../config/environment.ts'
import { VERSION } from '../config/version.ts'
import type { Clock } from '../lib/controller/clock.ts'
import { messageOf } from '../lib/controller/errors.ts'
import type { Cluster } from './cluster.ts'
import type { CliCommand } from './command.ts'
import { COMMANDS, type CommandEntry } from './commands.ts'
import { EXIT, exitCodeOf, QuietFailure } from './exit.ts'
import { COMMON_FLAGS } from './flags.ts'
import { createCliLogger, createIo, type Io, type Terminal } from './io.ts'
import { type Common, overview, parseCall, unknownCommand } from './parse.ts'

/** Everything that a call of the command gets from outside. */
export interface CliHost extends Terminal {
  readonly env: Environment
  readonly cwd: string
  readonly tempDir: string
  readonly pid: number
  readonly clock: Clock
  readonly signal: AbortSignal
}

/** Runs one call, and returns its exit code. Nothing is thrown. */
export async function runCli(argv: readonly string[], host: CliHost): Promise<number> {
  const plain = createIo(host, { jsonErrors: false, colours: undefined }, host.clock)
  let io = plain
  try {
    io = createIo(host, cliConfig(host.env, host), host.clock)
    const { entry, group, rest } = findCommand(argv)
    if (entry) await runCommand(entry, rest, host, io)
    else await showOverview(group, rest, io)
    return EXIT.done
  } catch (error) {
    if (host.signal.aborted) return EXIT.interrupted
    if (!(error instanceof QuietFailure)) io.fail(describe(error))
    return exitCodeOf(error)
  }
}

/** Several failures are told one a line. */
function describe(error: unknown): string {
  if (!(error instanceof AggregateError) || error.errors.length === 0) return messageOf(error) || String(error)
  return [...new Set(error.errors.map(describe))].join('\n')
}

interface Found {
  readonly entry?: CommandEntry | undefined
  /** first word of commands with two */
  readonly group: string
  /** the arguments without the words of the command */
  readonly rest: readonly string[]
}

function findCommand(argv: readonly string[]): Found {
  const at = firstWord(argv)
  const word = argv[at]
  if (word === 'help') {
    const asked = findCommand(argv.toSpliced(at, 1))
    return { ...asked, rest: [...asked.rest, '--help'] }
  }
  const second = argv[at + 1]
  const pair = second === undefined ? undefined : COMMANDS.find(({ name }) => name === `${word} ${second}`)
  if (pair) return { entry: pair, group: '', rest: argv.toSpliced(at, 2) }
  const single = COMMANDS.find(({ name }) => name === word)
  if (single) return { entry: single, group: '', rest: argv.toSpliced(at, 1) }
  const isGroup = COMMANDS.some(({ name }) => name.startsWith(`${word} `))
  return isGroup ? { group: word ?? '', rest: argv.toSpliced(at, 1) } : { group: '', rest: argv }
}

/** Where the command stands: common flags may come before it, with their values. */
function firstWord(argv: readonly string[]): number {
  const takesValue = (arg: string | undefined) =>
    Object.entries(COMMON_FLAGS).some(
      ([name, flag]) => flag.type !== 'boolean' && (arg === `--${name}` || ('short' in flag && arg === `-${flag.short}`)),
    )
  const at = argv.findIndex((arg, index) => !arg.startsWith('-') && !takesValue(argv[index - 1]))
  return at < 0 ? argv.length : at
}

async function showOverview(group: string, rest: readonly string[], io: Io): Promise<void> {
  const word = rest[firstWord(rest)]
  const commands = COMMANDS.filter(({ name }) => group === '' || name.startsWith(`${group} `)).map(({ name, summary, hidden }) => ({
    name: group === '' ? name : name.slice(group.length + 1),
    summary,
    hidden,
  }))
  if (word !== undefined) throw unknownCommand(word, [...new Set(commands.map(({ name }) => name.split(' ', 1)[0] ?? ''))])
  if (group === '' && rest.some((arg) => arg === '--version' || arg === '-v')) return io.print(`fleet version ${VERSION}\n`)
  await io.print(
    overview(
      group,
      commands.filter(({ hidden }) => !hidden),
    ),
  )
}

async function runCommand(entry: CommandEntry, argv: readonly string[], host: CliHost, io: Io): Promise<void> {
  const command = await entry.load()
  const parsed = parseCall(entry.name, command, argv, host.env)
  if ('help' in parsed) return io.print(parsed.help)
  await runCall(command, parsed, host, io)
}

async function runCall(
  command: CliCommand,
  { args, flags, common }: { args: readonly string[]; flags: Readonly<Record<string, unknown>>; common: Common },
  host: CliHost,
  io: Io,
): Promise<void> {
  const config = cliConfig(host.env, host)
  let opened: Promise<Cluster> | undefined
  async function open(): Promise<Cluster> {
    const { openCluster } = await import('./cluster.ts')
    return openCluster(config, common)
  }
  try {
    await command.run({
      args,
      flags: flags as never, // read by the command's own table
      io,
      config,
      cwd: host.cwd,
      clock: host.clock,
      log: createCliLogger(io, common.debug),
      signal: host.signal,
      cluster: () => {
        opened ??= open()
        return opened
      },
    })
  } finally {
    const cluster = await opened?.catch(() => undefined) // a cluster that was not opened need not be closed
    await cluster?.client.close()
  }
}
