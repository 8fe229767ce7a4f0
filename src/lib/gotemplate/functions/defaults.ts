// Defaults, choices, types.
import { fail } from '../errors.ts'
import { deepEqual } from '../values/equal.ts'
import { isTrue } from '../values/truth.ts'
import { kindName, typeName, type Value } from '../values/value.ts'
import { define, defineWith, type FunctionTable } from './define.ts'

/** Functions that choose between values, or look at their types. */
export const DEFAULTS: FunctionTable = {
  default: define(['any', '...any'], (fallback, ...given) => (isTrue(given[0]) ? given[0] : fallback)),
  empty: define(['any'], (value) => !isTrue(value)),
  coalesce: define(['...any'], (...values) => values.find(isTrue) ?? null),
  all: define(['...any'], (...values) => values.every(isTrue)),
  any: define(['...any'], (...values) => values.some(isTrue)),
  ternary: define(['any', 'any', 'bool'], (yes, no, condition) => (condition ? yes : no)),
  fail: define(['string'], (message): Value => fail(message)),
  typeOf: define(['any'], typeName),
  typeIs: define(['string', 'any'], (type, value) => typeName(value) === type),
  typeIsLike: define(['string', 'any'], (type, value) => typeName(value) === type || typeName(value) === `*${type}`),
  kindOf: define(['any'], kindName),
  kindIs: define(['string', 'any'], (kind, value) => kindName(value) === kind),
  deepEqual: defineWith(['any', 'any'], (run, left, right) => deepEqual(left, right, run.meter)),
}
