// All functions that templates know by name.
import type { GoFunction } from '../values/value.ts'
import { BUILTINS } from './builtins.ts'
import { CASES } from './case.ts'
import { CERTIFICATES } from './certificates.ts'
import { COMPARISONS } from './compare.ts'
import { DATES } from './dates.ts'
import { DEFAULTS } from './defaults.ts'
import type { FunctionTable } from './define.ts'
import { DICTS } from './dicts.ts'
import { ENCODING } from './encoding.ts'
import { JSON_FUNCTIONS } from './json.ts'
import { KEYS } from './keys.ts'
import { LAYOUT } from './layout.ts'
import { LISTS } from './lists.ts'
import { MATH } from './math.ts'
import { PASSWORDS } from './passwords.ts'
import { PATHS } from './paths.ts'
import { RANDOM } from './random.ts'
import { REGEXES } from './regex.ts'
import { SEMVER } from './semver.ts'
import { STRINGS } from './strings.ts'
import { URLS } from './url.ts'

const TABLES: readonly FunctionTable[] = [
  BUILTINS,
  COMPARISONS,
  STRINGS,
  LAYOUT,
  CASES,
  LISTS,
  DICTS,
  MATH,
  DEFAULTS,
  JSON_FUNCTIONS,
  ENCODING,
  REGEXES,
  PATHS,
  URLS,
  DATES,
  SEMVER,
  PASSWORDS,
  RANDOM,
  KEYS,
  CERTIFICATES,
]

/**
 * The functions of Go's text/template and of sprig 3.3, apart from those that reach out of the template: env, expandenv, getHostByName.
 */
export const STANDARD_FUNCTIONS: ReadonlyMap<string, GoFunction> = new Map(TABLES.flatMap((table) => Object.entries(table)))
