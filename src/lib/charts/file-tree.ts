import { posix } from 'node:path'
import { TerminalError } from '../controller/errors.ts'
import type { ChartFile, ChartTree } from './types.ts'

type Entry = { readonly name: string; readonly kind: 'file' | 'folder' }

/** Files in memory as a tree; `.` is its top. */
export function fileTree(files: readonly ChartFile[]): ChartTree {
  const contents = new Map(files.map((file) => [file.name, file.content]))
  const folders = new Map<string, Map<string, Entry>>([['.', new Map()]])
  const add = (path: string, kind: Entry['kind']): void => {
    const parent = posix.dirname(path)
    if (!folders.has(parent)) {
      folders.set(parent, new Map())
      add(parent, 'folder')
    }
    folders.get(parent)?.set(posix.basename(path), { name: posix.basename(path), kind })
  }
  for (const { name } of files) add(name, 'file')
  return {
    list: async (path) => {
      const entries = folders.get(posix.join('.', path))
      return entries && [...entries.values()]
    },
    read: async (path, maxBytes) => {
      const content = contents.get(posix.join('.', path))
      if (!content) throw new TerminalError(`${path}: the file does not exist`)
      if (content.length > maxBytes) throw new TerminalError(`${path}: the file has more than ${maxBytes} bytes`)
      return content
    },
  }
}
