// Programs of this machine that tests use where they are installed.
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/** The path of a program in the folders of the PATH; undefined: it is not installed. */
export function findProgram(name: string): string | undefined {
  return (process.env.PATH ?? '')
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find(isProgram)
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false // not in this folder of the PATH
  }
}
