// Flags of the two daemons: a handful of texts and booleans, so node's own parser is enough.
import { parseArgs } from 'node:util'
import { ConfigError } from './environment.ts'

/** name of the flag → whether it takes a text, or is a boolean that may be written `--flag`, `--flag=true` or `--flag=false` */
export type FlagTypes = Readonly<Record<string, 'text' | 'boolean'>>
export type Flags<T extends FlagTypes> = { readonly [K in keyof T]?: T[K] extends 'boolean' ? boolean : string }

/** Parses flags; throws ConfigError that names the flag for one that is unknown, lacks its value or is no boolean. */
export function parseFlags<T extends FlagTypes>(args: readonly string[], types: T): Flags<T> {
  const withValues = args.map((arg) => (types[arg.replace(/^--/, '')] === 'boolean' ? `${arg}=true` : arg))
  const options = Object.fromEntries(Object.keys(types).map((name) => [name, { type: 'string' as const }]))
  const values = readArgs(withValues, options)
  const entries = Object.entries(values).map(([name, value]) => [
    name,
    types[name] === 'boolean' ? toBoolean(name, String(value)) : String(value),
  ])
  return Object.fromEntries(entries) as Flags<T>
}

function readArgs(args: string[], options: Record<string, { type: 'string' }>): Record<string, unknown> {
  try {
    return parseArgs({ args, options, strict: true, allowPositionals: false }).values
  } catch (error) {
    throw new ConfigError(`${(error as Error).message.split('. ')[0]}; --help lists the flags`, { cause: error })
  }
}

function toBoolean(name: string, text: string): boolean {
  if (text === 'true' || text === '1') return true
  if (text === 'false' || text === '0') return false
  throw new ConfigError(`--${name}=${text}: write true or false`)
}
