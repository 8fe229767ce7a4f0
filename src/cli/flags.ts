// Flags as tables: name → what it is. One table gives parsing, types, help and shell completion.
import { parseDuration } from '../lib/duration/duration.ts'
import { UsageError } from './exit.ts'

interface FlagCommon {
  /** one letter */
  readonly short?: string
  /** what it does, for the help */
  readonly help: string
  /** accepted, but not shown */
  readonly hidden?: boolean
  /** environment variable that stands for it */
  readonly env?: string
}

export interface TextFlag extends FlagCommon {
  readonly type: 'text'
  readonly default?: string
  /** the values that are allowed */
  readonly choices?: readonly string[]
  /** name of the value in the help: FILE, DIR and the like; FILE and DIR also complete paths */
  readonly value?: string
}

export interface NumberFlag extends FlagCommon {
  /** `integer`: a whole number; `number`: any; `duration`: as in Go, given in milliseconds */
  readonly type: 'integer' | 'number' | 'duration'
  readonly default?: number
  readonly min?: number
}

export interface BooleanFlag extends FlagCommon {
  /** false unless given; `--flag=false` is understood */
  readonly type: 'boolean'
}

export interface MapFlag extends FlagCommon {
  /** `key=value`, several separated by commas, or given several times */
  readonly type: 'map'
}

export type Flag = TextFlag | NumberFlag | BooleanFlag | MapFlag

/** Name without dashes → flag. */
export type FlagTable = Readonly<Record<string, Flag>>

type ValueOf<F> = F extends { type: 'boolean' }
  ? boolean
  : F extends { type: 'map' }
    ? Readonly<Record<string, string>>
    : F extends { type: 'text'; choices: readonly (infer C)[] }
      ? C | (F extends { default: string } ? never : undefined)
      : F extends { type: 'text' }
        ? string | (F extends { default: string } ? never : undefined)
        : number | (F extends { default: number } ? never : undefined)

/** What the flags of a table are read into. */
export type FlagValues<T extends FlagTable> = { readonly [K in keyof T]: ValueOf<T[K]> }

/** The namespace of bundles; commands that mean something else by it have a flag of their own. */
export const NAMESPACE_FLAG = {
  type: 'text',
  short: 'n',
  value: 'NAME',
  env: 'NAMESPACE',
  default: 'fleet-local',
  help: 'namespace of the bundles',
} as const satisfies Flag

/** The format of printed objects. */
export const FORMAT_FLAG = {
  type: 'text',
  short: 'o',
  choices: ['yaml', 'json'],
  default: 'yaml',
  help: 'format of what is printed',
} as const satisfies Flag

const ZAP = { type: 'text', hidden: true, help: 'for compatibility: logs have one format' } as const satisfies Flag

/** Flags that every command takes. */
export const COMMON_FLAGS = {
  kubeconfig: { type: 'text', short: 'k', value: 'FILE', help: "the cluster; else KUBECONFIG, the pod's account or ~/.kube/config" },
  context: { type: 'text', value: 'NAME', help: 'context of the kubeconfig to use in place of the current one' },
  debug: { type: 'boolean', help: 'say more about what is done' },
  'debug-level': { type: 'integer', min: 0, hidden: true, help: 'for compatibility: any level above 0 is --debug' },
  'zap-devel': { type: 'boolean', hidden: true, help: ZAP.help },
  'zap-encoder': ZAP,
  'zap-log-level': ZAP,
  'zap-stacktrace-level': ZAP,
  'zap-time-encoding': ZAP,
} as const satisfies FlagTable

/** How a flag is written in the help: `-o, --output FILE`. */
export function flagSyntax(name: string, flag: Flag): string {
  const value = flag.type === 'boolean' ? '' : ` <${valueName(flag)}>`
  return `${flag.short ? `-${flag.short}, ` : ''}--${name}${value}`
}

/** What the value of a flag is called. */
export function valueName(flag: Exclude<Flag, BooleanFlag>): string {
  if (flag.type === 'map') return 'KEY=VALUE'
  if (flag.type !== 'text') return flag.type === 'duration' ? 'DURATION' : 'N'
  return flag.choices?.join('|') ?? flag.value ?? 'TEXT'
}

/** What the texts of a flag mean; undefined where nothing was given. Throws UsageError. */
export function flagValue(name: string, flag: Flag, given: readonly string[]): unknown {
  const last = given.at(-1)
  switch (flag.type) {
    case 'boolean':
      return last === 'true'
    case 'map':
      return parseMap(given)
    case 'text':
      return last === undefined ? flag.default : checkedText(name, flag, last)
    default:
      return last === undefined ? flag.default : checkedNumber(name, flag, last)
  }
}

function parseMap(given: readonly string[]): Record<string, string> {
  const pairs = given.flatMap((text) => text.split(',')).filter((text) => text !== '')
  return Object.fromEntries(pairs.map((pair) => [pair.split('=', 1)[0] ?? '', pair.slice(`${pair.split('=', 1)[0]}=`.length)]))
}

function checkedText(name: string, { choices }: TextFlag, text: string): string {
  if (choices && !choices.includes(text)) throw new UsageError(`--${name} ${text}: choose one of ${choices.join(', ')}`)
  return text
}

function checkedNumber(name: string, { type, min }: NumberFlag, text: string): number {
  const value = type === 'duration' ? milliseconds(text) : Number(text.trim() === '' ? Number.NaN : text)
  const isUsable = Number.isFinite(value) && (type !== 'integer' || Number.isSafeInteger(value))
  if (!isUsable) throw new UsageError(`--${name} ${text}: write ${WANTED[type]}`)
  if (min !== undefined && value < min) throw new UsageError(`--${name} ${text}: at least ${min} is needed`)
  return value
}

const WANTED: Readonly<Record<NumberFlag['type'], string>> = {
  integer: 'a whole number',
  number: 'a number',
  duration: 'a duration such as 10ms, 5s or 1m30s',
}

function milliseconds(text: string): number {
  try {
    return Number(parseDuration(text)) / 1e6
  } catch {
    return Number.NaN
  }
}
