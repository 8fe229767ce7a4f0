// From arguments to a call: commander takes them apart by the flag table of a command.
import { Command, CommanderError, Option } from 'commander'
import type { Environment } from '../config/environment.ts'
import type { CliCommand } from './command.ts'
import { EXIT_CODES_HELP, UsageError } from './exit.ts'
import { COMMON_FLAGS, type Flag, type FlagTable, flagSyntax, flagValue } from './flags.ts'

type Parsed =
  | { readonly help: string }
  | { readonly args: readonly string[]; readonly flags: Readonly<Record<string, unknown>>; readonly common: Common }

/** Values of {@link COMMON_FLAGS} that the frame uses. */
export interface Common {
  readonly kubeconfig: string | undefined
  readonly context: string | undefined
  readonly debug: boolean
}

/**
 * Reads the arguments of one command; flags of the table and common ones may stand anywhere.
 * @param name as after `fleet`
 * @throws UsageError
 */
export function parseCall(name: string, command: CliCommand, argv: readonly string[], env: Environment): Parsed {
  const table: FlagTable = { ...COMMON_FLAGS, ...command.flags }
  const parser = parserOf(name, command)
  let help = ''
  parser.configureOutput({ writeOut: (text) => (help += text), writeErr: () => {} })
  try {
    parser.parse(withoutBooleanValues(argv, table), { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.exitCode === 0) return { help }
    throw new UsageError(`${error.message.replace(/^error: /, '')}\nsee fleet ${name} --help`)
  }
  const given = parser.opts() as Record<string, unknown>
  const flags = Object.fromEntries(Object.entries(table).map(([flag, spec]) => [flag, read(flag, spec, given, env)]))
  return { args: parser.args, flags, common: commonOf(flags) }
}

function commonOf(flags: Readonly<Record<string, unknown>>): Common {
  const level = Number(flags['debug-level'] ?? 0)
  return {
    kubeconfig: flags.kubeconfig as string | undefined,
    context: flags.context as string | undefined,
    debug: flags.debug === true || level > 0 || flags['zap-log-level'] === 'debug',
  }
}

function read(name: string, flag: Flag, given: Readonly<Record<string, unknown>>, env: Environment): unknown {
  const value = given[optionOf(name, flag).attributeName()]
  if (flag.type === 'boolean') return value === !name.startsWith('no-')
  const fromEnv = flag.env ? env[flag.env] : undefined
  const texts = (value as string[] | undefined) ?? []
  return flagValue(name, flag, fromEnv && !texts.at(-1) ? [fromEnv] : texts)
}

/** pflag understands `--flag=false` and `-n=value`, commander does not. */
function withoutBooleanValues(argv: readonly string[], table: FlagTable): string[] {
  const end = argv.indexOf('--')
  return argv.flatMap((arg, index) => {
    const match = /^(-[a-zA-Z]|--[^=]+)=(.*)$/s.exec(arg)
    if (!match || (end >= 0 && index > end)) return [arg]
    const [, flag = '', value = ''] = match
    const found = Object.entries(table).find(([name, { short }]) => flag === `--${name}` || flag === `-${short}`)
    if (found?.[1].type === 'boolean') return isTrue(found[0], value) ? [`--${found[0]}`] : [`--no-${found[0]}`]
    return flag.startsWith('--') ? [arg] : [flag, value]
  })
}

function isTrue(name: string, text: string): boolean {
  if (/^(true|t|1)$/i.test(text)) return true
  if (/^(false|f|0)$/i.test(text)) return false
  throw new UsageError(`--${name}=${text}: write true or false`)
}

function parserOf(name: string, command: CliCommand): Command {
  const parser = new Command(`fleet ${name}`)
  parser.exitOverride().allowExcessArguments(false).description(command.description).usage(usageOf(command))
  for (const { name: argument, help, required = true, many = false } of command.arguments) {
    const inner = `${argument}${many ? '...' : ''}`
    parser.argument(required ? `<${inner}>` : `[${inner}]`, help)
  }
  addFlags(parser, command.flags, 'Flags:')
  const common = Object.entries(COMMON_FLAGS).filter(([flag]) => !Object.hasOwn(command.flags, flag))
  addFlags(parser, Object.fromEntries(common), 'Common flags:')
  parser.addHelpOption(new Option('-h, --help', 'show this').helpGroup('Common flags:'))
  if (command.examples.length > 0) parser.addHelpText('after', `\n${examplesOf(command)}`)
  return parser
}

function addFlags(parser: Command, flags: FlagTable, group: string): void {
  for (const [name, flag] of Object.entries(flags)) {
    parser.addOption(optionOf(name, flag).helpGroup(group))
    if (flag.type === 'boolean' && !name.startsWith('no-')) parser.addOption(new Option(`--no-${name}`).hideHelp())
  }
}

function optionOf(name: string, flag: Flag): Option {
  const option = new Option(flagSyntax(name, flag), helpOf(flag))
  if (flag.type !== 'boolean') option.argParser((value, before: string[] = []) => [...before, value])
  return flag.hidden ? option.hideHelp() : option
}

function helpOf(flag: Flag): string {
  const fallback = 'default' in flag && flag.default !== '' ? flag.default : undefined
  const shown = flag.type === 'duration' && fallback !== undefined ? `${fallback}ms` : fallback
  const parts = [flag.env ? `env ${flag.env}` : '', shown === undefined ? '' : `default ${shown}`].filter((part) => part !== '')
  return parts.length > 0 ? `${flag.help} (${parts.join(', ')})` : flag.help
}

function usageOf({ arguments: args }: CliCommand): string {
  const words = args.map(({ name, required = true, many = false }) => {
    const inner = `${name}${many ? '...' : ''}`
    return required ? inner : `[${inner}]`
  })
  return ['[flags]', ...words].join(' ')
}

function examplesOf({ examples }: CliCommand): string {
  return ['Examples:', ...examples.flatMap(([call, what]) => [`  # ${what}`, `  ${call}`])].join('\n')
}

/** The help of `fleet` itself, or of a group of commands. */
export function overview(group: string, commands: readonly { readonly name: string; readonly summary: string }[]): string {
  const name = group === '' ? 'fleet' : `fleet ${group}`
  const parser = new Command(name).usage('COMMAND [flags]').helpCommand(false)
  parser.description(group === '' ? 'Fleet: GitOps for many Kubernetes clusters.' : `Commands of ${name}.`)
  for (const command of commands) parser.addCommand(new Command(command.name).summary(command.summary).usage(''))
  addFlags(parser, COMMON_FLAGS, 'Common flags:')
  if (group === '') parser.addOption(new Option('-v, --version', 'show the version').helpGroup('Common flags:'))
  parser.addHelpOption(new Option('-h, --help', 'show this').helpGroup('Common flags:'))
  return `${parser.helpInformation()}\n${name} COMMAND --help explains a command.\n\n${EXIT_CODES_HELP}\n`
}

/** What to say about a word that is no command. */
export function unknownCommand(word: string, names: readonly string[]): UsageError {
  const parser = new Command('fleet').exitOverride().configureOutput({ writeErr: () => {} })
  for (const name of names) parser.addCommand(new Command(name))
  try {
    parser.parse([word], { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    return new UsageError(`${error.message.replace(/^error: /, '')}\nsee fleet --help`)
  }
  return new UsageError(`unknown command '${word}'\nsee fleet --help`)
}
