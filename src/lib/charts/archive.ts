// Archives of charts: read as a stream, with limits on everything, and only files come out.
import { once } from 'node:events'
import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { posix } from 'node:path'
import { Readable, type Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createZstdDecompress } from 'node:zlib'
import { extract } from 'tar-stream'
import { messageOf, TerminalError } from '../controller/errors.ts'
import { ChartError } from './errors.ts'
import type { ChartLimits } from './limits.ts'
import type { ChartFile } from './types.ts'

export interface UnpackOptions {
  /** how the archive is called in messages */
  readonly shown: string
  /** only what lies in this folder, and relative to it; empty for everything */
  readonly folder?: string | undefined
  readonly limits: ChartLimits
  readonly signal: AbortSignal
}

type Format = 'tar' | 'gzip' | 'zstd'

const UNPACKERS = { gzip: createGunzip, zstd: createZstdDecompress } as const
const TAR_MAGIC_AT = 257
const UNSUPPORTED: readonly (readonly [string, string])[] = [
  ['504b0304', 'zip'],
  ['425a68', 'bzip2'],
  ['fd377a585a00', 'xz'],
]

/** The files of an archive on disk: a tar file, plain or packed with gzip or zstd. */
export async function unpackFile(path: string, options: UnpackOptions): Promise<ChartFile[]> {
  const file = await open(path)
  const head = Buffer.alloc(TAR_MAGIC_AT + 5)
  try {
    await file.read(head, 0, head.length, 0)
  } finally {
    await file.close()
  }
  return unpack(createReadStream(path), formatOf(head, options.shown), options)
}

/** The files of an archive in memory. */
export async function unpackBytes(bytes: Buffer, options: UnpackOptions): Promise<ChartFile[]> {
  return unpack(Readable.from([bytes]), formatOf(bytes, options.shown), options)
}

function formatOf(head: Buffer, shown: string): Format {
  const hex = head.toString('hex', 0, 8)
  if (hex.startsWith('1f8b')) return 'gzip'
  if (hex.startsWith('28b52ffd')) return 'zstd'
  if (head.toString('latin1', TAR_MAGIC_AT, TAR_MAGIC_AT + 5) === 'ustar') return 'tar'
  const known = UNSUPPORTED.find(([magic]) => hex.startsWith(magic))
  if (known) throw new TerminalError(`${shown} is a ${known[1]} archive, which cannot be read: offer it as .tar.gz`)
  throw new ChartError(`${shown} is no archive: correct the address, or have a look at what answers there`)
}

async function unpack(source: Readable, format: Format, options: UnpackOptions): Promise<ChartFile[]> {
  const tar = extract()
  const stop = new AbortController()
  const signal = AbortSignal.any([options.signal, stop.signal])
  const feed = feeder(tar as unknown as Writable, options, signal)
  const flow = format === 'tar' ? pipeline(source, feed, { signal }) : pipeline(source, UNPACKERS[format](), feed, { signal })
  try {
    const [files] = await Promise.all([collect(tar, options), flow])
    return files
  } catch (error) {
    stop.abort()
    await flow.catch(() => {}) // its error is the one that was caught, or follows from it
    options.signal.throwIfAborted()
    if (error instanceof ChartError || error instanceof TerminalError) throw error
    throw new ChartError(`${options.shown} is no archive, or a broken one (${messageOf(error)})`)
  }
}

function feeder(tar: Writable, { shown, limits }: UnpackOptions, signal: AbortSignal) {
  return async (chunks: AsyncIterable<Buffer>): Promise<void> => {
    let size = 0
    try {
      for await (const chunk of chunks) {
        size += chunk.byteLength
        if (size > limits.unpackedBytes) throw tooLarge(shown, `unpacks to more than ${mebibytes(limits.unpackedBytes)}`)
        if (!tar.write(chunk)) await once(tar, 'drain', { signal })
      }
      tar.end()
    } catch (error) {
      tar.destroy(error as Error)
      throw error
    }
  }
}

async function collect(tar: ReturnType<typeof extract>, { shown, folder = '', limits }: UnpackOptions): Promise<ChartFile[]> {
  const files = new Map<string, ChartFile>()
  let entries = 0
  let bytes = 0
  for await (const entry of tar) {
    if (++entries > limits.entries) throw tooLarge(shown, `has more than ${limits.entries} entries`)
    const { type, name: path, size = 0 } = entry.header
    const name = within(folder, cleanName(path, shown, limits.depth))
    if (name === undefined || type === 'directory') {
      entry.resume()
      continue
    }
    if (type !== 'file' && type !== 'contiguous-file')
      throw new TerminalError(`${shown}: ${path} is a ${type}: an archive may hold files and folders only`)
    bytes += size
    if (bytes > limits.chartBytes) throw tooLarge(shown, `has files of more than ${mebibytes(limits.chartBytes)}`)
    files.set(name, { name, content: await read(entry as unknown as AsyncIterable<Buffer>) })
    if (files.size > limits.files) throw tooLarge(shown, `has more than ${limits.files} files`)
  }
  return [...files.values()]
}

/** `size` stands in the header, and tar-stream gives no byte more. */
async function read(entry: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of entry) chunks.push(chunk)
  return Buffer.concat(chunks)
}

function cleanName(path: string, shown: string, depth: number): string {
  const slashed = path.replaceAll('\\', '/')
  const clean = posix.join('.', slashed).replace(/\/$/, '')
  const isOutside =
    clean === '..' || clean.startsWith('../') || slashed.startsWith('/') || /^[A-Za-z]:/.test(slashed) || path.includes('\0')
  if (isOutside) throw new TerminalError(`${shown}: the path ${JSON.stringify(path.slice(0, 200))} leads out of the archive`)
  if (clean.split('/').length > depth) throw tooLarge(shown, `nests folders deeper than ${depth} levels`)
  return clean
}

function within(folder: string, name: string): string | undefined {
  if (folder === '') return name === '.' ? undefined : name
  return name.startsWith(`${folder}/`) ? name.slice(folder.length + 1) : undefined
}

function tooLarge(shown: string, what: string): TerminalError {
  return new TerminalError(`${shown} ${what}, which is more than a chart may have`)
}

function mebibytes(bytes: number): string {
  return `${Math.ceil(bytes / 2 ** 20)} MiB`
}
