// What a fetch has written, in a form that crosses threads cheaply: one text for each folder, taken apart only when somebody looks into it.
import type { TreePlan } from './tree.ts'

/**
 * Folder (`''` is the top) → its entries, one after the other: name, NUL, what it is, NUL. That is `d` for a folder, `f` and an id for a file (the same id means
 * the same bytes, whoever wrote them), `l` and the target for a link.
 */
export type WrittenFiles = ReadonlyMap<string, string>

/** Describes a plan that was carried out; `links` has the targets as they were written. */
export function describeWritten({ folders, files }: TreePlan, links: ReadonlyMap<string, string>): WrittenFiles {
  const texts = new Map<string, string[]>([['', []], ...folders.map((path): [string, string[]] => [path, []])])
  const add = (path: string, what: string): void => {
    const slash = path.lastIndexOf('/')
    texts.get(slash < 0 ? '' : path.slice(0, slash))?.push(`${path.slice(slash + 1)}\0${what}\0`)
  }
  for (const path of folders) add(path, 'd')
  for (const { path, oid, kind } of files) add(path, kind === 'link' ? `l${links.get(path) ?? ''}` : `f${oid}`)
  return new Map([...texts].map(([path, entries]) => [path, entries.join('')]))
}

/** The same without some files, which were removed again. */
export function withoutFiles(written: WrittenFiles, paths: readonly string[]): WrittenFiles {
  const rest = new Map(written)
  for (const path of paths) {
    const slash = path.lastIndexOf('/')
    const folder = slash < 0 ? '' : path.slice(0, slash)
    const entries = entriesIn(rest.get(folder) ?? '')
    if (!entries.delete(path.slice(slash + 1))) continue
    rest.set(folder, [...entries].map(([name, what]) => `${name}\0${what}\0`).join(''))
  }
  return rest
}

/** Name → what it is. */
export function entriesIn(text: string): Map<string, string> {
  const fields = text.split('\0')
  const entries = new Map<string, string>()
  for (let at = 0; at + 1 < fields.length; at += 2) entries.set(fields[at] ?? '', fields[at + 1] ?? '')
  return entries
}
