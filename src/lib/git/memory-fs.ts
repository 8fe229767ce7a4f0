// The few files the git library keeps for one fetch (the pack, its index, a configuration) live in memory: nothing to clean up, and several times faster than a disk.

interface Stats {
  readonly size: number
  readonly mode: number
  readonly mtimeMs: number
  readonly ctimeMs: number
  isFile(): boolean
  isDirectory(): boolean
  isSymbolicLink(): boolean
}

/** What the git library asks of a file system. */
export interface MemoryFs {
  readonly promises: {
    readFile(path: string, options?: string | { encoding?: string }): Promise<Buffer | string>
    writeFile(path: string, data: string | Uint8Array): Promise<void>
    unlink(path: string): Promise<void>
    readdir(path: string): Promise<string[]>
    mkdir(path: string): Promise<void>
    rmdir(path: string): Promise<void>
    stat(path: string): Promise<Stats>
    lstat(path: string): Promise<Stats>
    readlink(path: string): Promise<string>
    symlink(target: string, path: string): Promise<void>
  }
}

/** An empty file system. `inspect` sees each file before it is stored and may throw. */
export function createMemoryFs(inspect: (path: string, data: Buffer) => void = () => {}): MemoryFs {
  const files = new Map<string, Buffer>()
  const folders = new Map<string, Set<string>>([['/', new Set()]])

  async function stat(path: string): Promise<Stats> {
    const file = files.get(path)
    if (file) return stats('file', file.length)
    if (folders.has(path)) return stats('folder', 0)
    throw notFound(path)
  }

  return {
    promises: {
      stat,
      lstat: stat,
      async readFile(path, options) {
        const file = files.get(path)
        if (!file) throw notFound(path)
        const encoding = typeof options === 'string' ? options : options?.encoding
        return encoding ? file.toString(encoding as BufferEncoding) : file
      },
      async writeFile(path, data) {
        const bytes = typeof data === 'string' ? Buffer.from(data) : Buffer.from(data.buffer, data.byteOffset, data.byteLength)
        inspect(path, bytes)
        entriesOf(path).add(baseName(path))
        files.set(path, bytes)
      },
      async unlink(path) {
        if (!files.delete(path)) throw notFound(path)
        folders.get(parentOf(path))?.delete(baseName(path))
      },
      async readdir(path) {
        const entries = folders.get(path)
        if (!entries) throw notFound(path)
        return [...entries]
      },
      async mkdir(path) {
        entriesOf(path).add(baseName(path))
        if (!folders.has(path)) folders.set(path, new Set())
      },
      async rmdir(path) {
        folders.delete(path)
        folders.get(parentOf(path))?.delete(baseName(path))
      },
      async readlink(path) {
        throw notFound(path)
      },
      async symlink(_target, path) {
        throw Object.assign(new Error(`ENOSYS: no links here, symlink ${path}`), { code: 'ENOSYS' })
      },
    },
  }

  function entriesOf(path: string): Set<string> {
    const entries = folders.get(parentOf(path))
    if (!entries) throw notFound(parentOf(path))
    return entries
  }
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf('/'), 1))
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

function stats(kind: 'file' | 'folder', size: number): Stats {
  return {
    size,
    mode: 0o644,
    mtimeMs: 0,
    ctimeMs: 0,
    isFile: () => kind === 'file',
    isDirectory: () => kind === 'folder',
    isSymbolicLink: () => false,
  }
}

function notFound(path: string): Error {
  return Object.assign(new Error(`ENOENT: no such file, ${path}`), { code: 'ENOENT' })
}
