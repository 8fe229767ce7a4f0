// The files of a commit on paper: answers what a file system would say of a checkout, without going there, and names contents by their ids.
import { entriesIn, type WrittenFiles } from './written-files.ts'

export type CommitEntryKind = 'file' | 'folder' | 'link'

/** Paths are relative to the top, with `/`; `.` is the top. Links are followed on the way to a path, as a file system does. */
export interface CommitFiles {
  /** What a path is, a link at its end not followed; undefined when there is nothing. */
  kind(path: string): CommitEntryKind | undefined
  /** The names in a folder and what they are, by name; a link at the end is followed. Undefined when it is no folder. */
  list(path: string): readonly { readonly name: string; readonly kind: CommitEntryKind }[] | undefined
  /** The id of a file's content, a link at the end followed; undefined when it is no file, or lies outside of the folder `within`. */
  content(path: string, within: string): string | undefined
}

/** What stands at the end of a path. */
interface Found {
  readonly path: readonly string[]
  readonly what: string
}

/** As many as the system follows. */
const MAX_HOPS = 40
const KINDS: Readonly<Record<string, CommitEntryKind>> = { d: 'folder', f: 'file', l: 'link' }

export function openCommitFiles(written: WrittenFiles): CommitFiles {
  const opened = new Map<string, ReadonlyMap<string, string>>()

  function entriesOf(folder: readonly string[]): ReadonlyMap<string, string> {
    const path = folder.join('/')
    const known = opened.get(path)
    if (known) return known
    const entries = entriesIn(written.get(path) ?? '')
    opened.set(path, entries)
    return entries
  }

  function find(path: string, followsLast: boolean): Found | undefined {
    const todo = partsOf(path)
    const at: string[] = []
    let what = 'd'
    for (let hops = 0; todo.length > 0; ) {
      const part = todo.pop() ?? ''
      if (what !== 'd') return undefined
      if (part === '' || part === '.') continue
      if (part === '..') {
        if (at.pop() === undefined) return undefined
        continue
      }
      const entry = entriesOf(at).get(part)
      if (entry === undefined) return undefined
      if (entry.startsWith('l') && (followsLast || todo.length > 0)) {
        if (++hops > MAX_HOPS || entry.startsWith('l/')) return undefined
        todo.push(...partsOf(entry.slice(1)))
        continue
      }
      at.push(part)
      what = entry
    }
    return { path: at, what }
  }

  return {
    kind(path) {
      const found = find(path, false)
      return found && kindOf(found.what)
    },
    list(path) {
      const found = find(path, true)
      if (found?.what !== 'd') return undefined
      const entries = [...entriesOf(found.path)].map(([name, what]) => ({ name, kind: kindOf(what) }))
      return entries.sort((a, b) => (a.name < b.name ? -1 : 1))
    },
    content(path, within) {
      const [found, border] = [find(path, true), find(within, true)]
      if (!found?.what.startsWith('f') || !border) return undefined
      return border.path.every((part, at) => found.path[at] === part) ? found.what.slice(1) : undefined
    },
  }
}

/** The last one first, to be taken from the end. */
function partsOf(path: string): string[] {
  return path.split('/').reverse()
}

function kindOf(what: string): CommitEntryKind {
  return KINDS[what.charAt(0)] ?? 'file'
}
