import { access, constants } from 'node:fs/promises'
import { delimiter, join } from 'node:path'

/**
 * The path of a program: `command` itself if it is a path, otherwise the first executable of that name in the folders of `searchPath`.
 * Falls back to `command`, so that starting it fails with its name. Children get no PATH of ours, so programs are looked up here.
 */
export async function locate(command: string, searchPath: string): Promise<string> {
  if (command.includes('/')) return command
  for (const dir of searchPath.split(delimiter)) {
    const file = join(dir, command)
    if (dir && (await isExecutable(file))) return file
  }
  return command
}

async function isExecutable(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK)
    return true
  } catch {
    return false // not there, or not ours to run: the next folder may have it
  }
}
