// Programs import types, names and labels everywhere; schemas only where objects are validated. TypeBox alone takes 0.1 s to load.
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { expect, test } from 'vitest'

const HERE = import.meta.dirname
const SCHEMA = 'schema.ts'

/** Files that a file loads when it runs: imports that are more than types. */
function loads(file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file)) return seen
  seen.add(file)
  for (const [, path = ''] of readFileSync(file, 'utf8').matchAll(/^import (?!type )[^']*'(\.[^']+)'/gm))
    loads(resolve(dirname(file), path), seen)
  return seen
}

test('nothing but schemas, the validator and the list of kinds loads schemas', () => {
  const files = readdirSync(HERE).filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
  const heavy = files.filter((name) => [...loads(join(HERE, name))].some((file) => relative(HERE, file) === SCHEMA))
  const schemas = files.filter((name) => /from '\.\/schema\.ts'/.test(readFileSync(join(HERE, name), 'utf8')))
  expect(heavy).toEqual([...schemas, SCHEMA, 'definitions.ts', 'validate.ts'].sort())
})
