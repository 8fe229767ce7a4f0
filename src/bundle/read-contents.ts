// Stored files, back to what they were: the way from a Content or a Bundle to a folder. What comes in is not trusted: sizes, hashes and names are checked.
import { createHash } from 'node:crypto'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import type { BundleResource } from '../api/bundle.ts'
import type { Content } from '../api/content.ts'
import { contentIdOf, encodeContent } from '../api/content-id.ts'
import { TerminalError } from '../lib/controller/errors.ts'

/** A file with its path below the folder of the bundle: relative, with `/`, never leading out of it. */
export interface ContentFile {
  readonly name: string
  readonly content: Buffer
}

export interface ContentLimits {
  /** bytes of all files, unpacked; 256 MiB when unset */
  readonly maxBytes?: number
  /** 50,000 when unset */
  readonly maxFiles?: number
}

const MAX_BYTES = 256 * 2 ** 20
const MAX_FILES = 50_000
const ENCODED = 'base64+gz'
const BASE64 = 'base64'

const unzip = promisify(gunzip)

/**
 * The files of a Content (spec 5.5).
 * @throws TerminalError for contents that nobody can use; Error when they do not have the hash that they should have
 */
export async function readContent(content: Content, limits: ContentLimits = {}): Promise<ContentFile[]> {
  const { name } = content.metadata
  const json = await inflate(Buffer.from(content.content ?? '', 'base64'), limits.maxBytes ?? MAX_BYTES, `content ${name}`)
  const hash = createHash('sha256').update(json).digest('hex')
  if (content.sha256sum && content.sha256sum !== hash)
    throw new Error(`content ${name} is damaged: its hash is ${hash}, not ${content.sha256sum}`)
  return decodeResources(parseManifest(json, name), limits)
}

/**
 * The resources in the JSON of an artifact, which has to have this id (spec 5.6).
 * @throws Error when it has another, TerminalError when it holds no list of files
 */
export function readManifest(json: Buffer, id: string): BundleResource[] {
  const actual = contentIdOf(createHash('sha256').update(json).digest('hex'))
  const resources = parseManifest(json, id)
  // whoever wrote it may have spaced it otherwise: the id is that of the resources
  const found = actual === id ? actual : idOf(resources)
  if (found !== id)
    throw new Error(`invalid or corrupt manifest. Expecting id: ${JSON.stringify(id)}, got ${JSON.stringify(found || actual)}`)
  return resources
}

function idOf(resources: readonly BundleResource[]): string {
  try {
    return encodeContent(resources).id
  } catch {
    return '' // entries that are no files
  }
}

function parseManifest(json: Buffer, name: string): BundleResource[] {
  try {
    const manifest: unknown = JSON.parse(json.toString('utf8'))
    if (manifest !== null && typeof manifest === 'object' && !Array.isArray(manifest)) {
      const { resources = null } = manifest as { resources?: unknown }
      if (resources === null) return []
      if (Array.isArray(resources)) return resources as BundleResource[]
    }
  } catch {
    // the message of the parser quotes contents; the one below says enough
  }
  throw new TerminalError(`content ${name} holds no list of files`)
}

/**
 * The files that resources of a Bundle stand for, in their order.
 * @throws TerminalError for unknown encodings, for names that lead out of the folder or exclude each other, and beyond the limits
 */
export async function decodeResources(resources: readonly BundleResource[], limits: ContentLimits = {}): Promise<ContentFile[]> {
  const { maxBytes = MAX_BYTES, maxFiles = MAX_FILES } = limits
  if (resources.length > maxFiles) throw new TerminalError(`${resources.length} files, at most ${maxFiles} can be unpacked`)
  const files: ContentFile[] = []
  let left = maxBytes
  for (const [index, resource] of resources.entries()) {
    const name = safeName(resource.name || unnamed(index))
    const content = await decode(resource, name, left)
    left -= content.length
    if (left < 0) throw new TerminalError(`more than ${maxBytes} bytes of files`)
    files.push({ name, content })
  }
  checkTogether(files)
  return files
}

/** What a resource without a name is called: spec 1.3 does not ask for one. */
function unnamed(index: number): string {
  return `manifests/file${String(index).padStart(3, '0')}.yaml`
}

async function decode({ content = '', encoding = '' }: BundleResource, name: string, maxBytes: number): Promise<Buffer> {
  if (typeof content !== 'string') throw new TerminalError(`${name}: the content is no text`)
  if (encoding === '') return Buffer.from(content)
  if (encoding === BASE64) return unbase64(content, name)
  if (encoding !== ENCODED) throw new TerminalError(`${name}: the encoding ${JSON.stringify(encoding)} is unknown`)
  return inflate(unbase64(content, name), maxBytes, name)
}

/** Node passes over what is no base64: a damaged file would become a shorter one, or none. */
function unbase64(text: string, name: string): Buffer {
  const packed = text.replace(/[\r\n]/g, '')
  const bytes = Buffer.from(packed, 'base64')
  const padding = packed.endsWith('==') ? 2 : packed.endsWith('=') ? 1 : 0
  if (packed.length % 4 !== 0 || bytes.length !== (packed.length / 4) * 3 - padding) throw new TerminalError(`${name}: illegal base64 data`)
  return bytes
}

async function inflate(packed: Buffer, maxBytes: number, what: string): Promise<Buffer> {
  try {
    return await unzip(packed, { maxOutputLength: Math.max(maxBytes, 1) })
  } catch (error) {
    const isTooLong = error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE'
    throw new TerminalError(isTooLong ? `${what}: more than ${maxBytes} bytes when unpacked` : `${what}: this is no gzip`, { cause: error })
  }
}

function safeName(name: unknown): string {
  const parts = typeof name === 'string' ? name.split('/') : []
  const isSafe = parts.length > 0 && !parts.some((part) => part === '' || part === '.' || part === '..' || part.includes('\0'))
  if (!isSafe) throw new TerminalError(`${JSON.stringify(name ?? '')} is no path of a file below the folder of the bundle`)
  return String(name)
}

/** The same name twice, or a file where another one needs a folder, cannot be written to disk. */
function checkTogether(files: readonly ContentFile[]): void {
  const names = new Set<string>()
  const folders = new Set<string>()
  for (const { name } of files) {
    if (names.has(name)) throw new TerminalError(`${name}: two files have this name`)
    names.add(name)
    for (let at = name.indexOf('/'); at >= 0; at = name.indexOf('/', at + 1)) folders.add(name.slice(0, at))
  }
  for (const name of names) if (folders.has(name)) throw new TerminalError(`${name}: this is a file and a folder`)
}
