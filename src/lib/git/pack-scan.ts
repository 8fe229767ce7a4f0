// A pack is small on the wire and may unpack to anything: it is measured here before the git library, which knows no limits, gets it.
import { inflateSync, type ZlibOptions } from 'node:zlib'
import { GitError } from './errors.ts'
import type { GitLimits } from './types.ts'
import { redactUrl } from './url.ts'

const OFS_DELTA = 6
const REF_DELTA = 7
const HEADER_BYTES = 12
const TRAILER_BYTES = 20
/** Folders, the commit, and room for what a fallback to the whole history brings. */
const OBJECTS_PER_FILE = 20

/** Throws GitError `too-large` if an object of the pack, or what a delta makes, exceeds the limits; `protocol` if it is no pack. */
export function scanPack(pack: Buffer, limits: GitLimits, url: string): void {
  const count = objectCount(pack, url)
  if (count > limits.files * OBJECTS_PER_FILE) throw tooLarge(url, `more than ${limits.files * OBJECTS_PER_FILE} objects`)
  let at = HEADER_BYTES
  for (let index = 0; index < count; index++) at = scanObject(pack, at, limits, url)
}

function objectCount(pack: Buffer, url: string): number {
  if (pack.length < HEADER_BYTES + TRAILER_BYTES || pack.toString('latin1', 0, 4) !== 'PACK' || pack.readUInt32BE(4) !== 2)
    throw broken(url)
  return pack.readUInt32BE(8)
}

/** Returns where the next object starts. */
function scanObject(pack: Buffer, start: number, limits: GitLimits, url: string): number {
  const head = readHeader(pack, start, url)
  if (head.size > limits.fileBytes) throw tooLarge(url, `a file of more than ${megabytes(limits.fileBytes)} MiB`)
  const { data, used } = inflate(pack.subarray(head.at), head.size, url)
  if (data.length !== head.size) throw broken(url)
  const isDelta = head.type === OFS_DELTA || head.type === REF_DELTA
  if (isDelta && deltaResult(data, url) > limits.fileBytes) throw tooLarge(url, `a file of more than ${megabytes(limits.fileBytes)} MiB`)
  return head.at + used
}

interface Header {
  readonly type: number
  readonly size: number
  /** Where the compressed bytes start. */
  readonly at: number
}

function readHeader(pack: Buffer, start: number, url: string): Header {
  let at = start
  let byte = byteAt(pack, at++, url)
  const type = (byte >> 4) & 7
  let size = byte & 15
  for (let scale = 16; byte & 128; scale *= 128) {
    byte = byteAt(pack, at++, url)
    size += (byte & 127) * scale
  }
  if (type === REF_DELTA) at += 20
  if (type === OFS_DELTA) {
    do byte = byteAt(pack, at++, url)
    while (byte & 128)
  }
  return { type, size, at }
}

/** A delta starts with the sizes of what it is made from and of what it makes. */
function deltaResult(delta: Buffer, url: string): number {
  const source = readSize(delta, 0, url)
  return readSize(delta, source.at, url).size
}

function readSize(data: Buffer, start: number, url: string): { size: number; at: number } {
  let at = start
  let size = 0
  let byte = 128
  for (let scale = 1; byte & 128; scale *= 128) {
    byte = byteAt(data, at++, url)
    size += (byte & 127) * scale
  }
  return { size, at }
}

/** With `info` the engine tells how much of the input it used; the types of Node.js do not know that. */
interface InflateInfo {
  readonly buffer: Buffer
  readonly engine: { readonly bytesWritten: number }
}

function inflate(input: Buffer, size: number, url: string): { data: Buffer; used: number } {
  try {
    const options: ZlibOptions = { info: true, maxOutputLength: Math.max(size, 1), chunkSize: Math.min(Math.max(size, 64), 65_536) }
    const { buffer, engine } = inflateSync(input, options) as unknown as InflateInfo
    return { data: buffer, used: engine.bytesWritten }
  } catch (error) {
    throw broken(url, error)
  }
}

function byteAt(data: Buffer, at: number, url: string): number {
  const byte = data[at]
  if (byte === undefined) throw broken(url)
  return byte
}

function tooLarge(url: string, what: string): GitError {
  return new GitError('too-large', `the repository ${redactUrl(url)} has ${what}; split it, or take large files out of it`)
}

function broken(url: string, cause?: unknown): GitError {
  return new GitError('protocol', `the server of ${redactUrl(url)} sent a broken pack; it is tried again`, { cause })
}

function megabytes(bytes: number): number {
  return Math.ceil(bytes / 2 ** 20)
}
