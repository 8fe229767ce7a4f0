// Recorded installations that tests start from. They are not part of the repository: FLEET_FIXTURES names their folder.
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

const ROOT = resolve(import.meta.dirname, '..', '..')

/** Path of a file among the recordings; undefined, and said on standard output, when it is not there. */
export function fixture(...path: readonly string[]): string | undefined {
  const folder = resolve(ROOT, process.env.FLEET_FIXTURES ?? '')
  const file = join(folder, ...path)
  if (existsSync(file)) return file
  process.stdout.write(`skipped: there is no ${path.join('/')} in the folder that FLEET_FIXTURES names\n`)
  return undefined
}

/** Imports a module that comes with the recordings. */
export function importFixture<T>(file: string): Promise<T> {
  return import(/* @vite-ignore */ pathToFileURL(file).href) as Promise<T>
}
