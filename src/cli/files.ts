// Files that flags name; `-` is standard input. Sizes are capped.
import { open } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Readable } from 'node:stream'
import { TerminalError } from '../lib/controller/errors.ts'

interface Source {
  readonly cwd: string
  readonly io: { readonly stdin: Readable }
}

const MAX_BYTES = 256 * 2 ** 20

/** The bytes of a file, or of standard input for `-`. Throws TerminalError that names it. */
export async function readInput({ cwd, io }: Source, path: string, maxBytes = MAX_BYTES): Promise<Buffer> {
  if (path === '-') return readStream(io.stdin, maxBytes)
  try {
    const file = await open(resolve(cwd, path))
    try {
      const stats = await file.stat()
      if (stats.isDirectory()) throw new TerminalError(`${path} is a folder: name a file`)
      if (stats.size > maxBytes) throw tooLarge(path, maxBytes)
      // pipes and other special files have no size
      return stats.isFile() ? await file.readFile() : await readStream(file.createReadStream({ autoClose: false }), maxBytes)
    } finally {
      await file.close()
    }
  } catch (error) {
    if (error instanceof TerminalError) throw error
    const { code = 'unknown error' } = error as NodeJS.ErrnoException
    throw new TerminalError(`cannot read ${path}: ${code === 'ENOENT' ? 'there is no such file' : code}`, { cause: error })
  }
}

/** A small text, such as a password; undefined without a path. */
export async function readSmallText(source: Source, path: string | undefined): Promise<string | undefined> {
  return path ? (await readInput(source, path, 2 ** 20)).toString('utf8') : undefined
}

async function readStream(stream: Readable, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of stream) {
    const bytes = Buffer.from(chunk as Buffer)
    size += bytes.length
    if (size > maxBytes) throw tooLarge('standard input', maxBytes)
    chunks.push(bytes)
  }
  return Buffer.concat(chunks)
}

function tooLarge(path: string, maxBytes: number): TerminalError {
  return new TerminalError(`${path} is larger than ${maxBytes} bytes`)
}
