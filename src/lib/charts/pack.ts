// A chart of the tree as an archive, with the same bytes whenever the same files are packed: what differs would be deployed anew.
import { posix } from 'node:path'
import { crc32 } from 'node:zlib'
import { pack } from 'tar-stream'
import { TerminalError } from '../controller/errors.ts'
import { stringifyYaml } from '../yaml/stringify.ts'
import { unpackBytes } from './archive.ts'
import { type HelmIgnore, parseHelmIgnore } from './helm-ignore.ts'
import type { ChartLimits } from './limits.ts'
import { type ChartMetadata, MAX_METADATA_BYTES, readMetadata, textOf } from './metadata.ts'
import type { ChartFile, ChartTree } from './types.ts'

/** A packed chart. */
export interface PackedChart {
  readonly metadata: ChartMetadata
  /** `<name>-<version>.tgz` and its bytes */
  readonly archive: ChartFile
}

/** What helm knows of Chart.yaml; everything else does not survive packing. */
const TEXTS = ['apiVersion', 'appVersion', 'condition', 'description', 'home', 'icon', 'kubeVersion', 'name', 'tags', 'type', 'version']
const OTHERS = ['annotations', 'dependencies', 'deprecated', 'keywords', 'maintainers', 'sources']
const SAFE_NAME = /^[A-Za-z0-9][A-Za-z0-9._+-]*$/
const STORED_BLOCK = 0xffff

/** Packs the chart in a folder. Throws TerminalError for what is no chart. */
export async function packChart(tree: ChartTree, folder: string, limits: ChartLimits, signal: AbortSignal): Promise<PackedChart> {
  const files = await chartFiles(tree, folder, limits)
  const text = (name: string): string | undefined => files.get(name)?.toString('utf8')
  const chart = text('Chart.yaml')
  if (chart === undefined) throw new TerminalError(`${folder}: there is no chart (no Chart.yaml)`)
  const metadata = readMetadata(chart, text('requirements.yaml'), folder)
  for (const value of [metadata.name, metadata.version]) {
    if (!SAFE_NAME.test(value))
      throw new TerminalError(`${posix.join(folder, 'Chart.yaml')}: name and version are needed, of letters, digits and .-_+`)
  }
  const all = new Map<string, Buffer>()
  for (const [name, content] of await withUnpackedCharts(files, folder, limits, signal)) all.set(name, rewritten(name, content, folder))
  return { metadata, archive: { name: `${metadata.name}-${metadata.version}.tgz`, content: await archive(metadata.name, all) } }
}

/** Helm reads Chart.yaml and Chart.lock, also those of dependencies, and writes them anew. */
function rewritten(name: string, content: Buffer, folder: string): Buffer {
  const [, file] = /^(?:charts\/[^/]+\/)*(Chart\.(?:yaml|lock))$/.exec(name) ?? []
  if (file === undefined) return content
  const metadata = readMetadata(content.toString('utf8'), undefined, posix.join(folder, posix.dirname(name)))
  return Buffer.from(stringifyYaml(file === 'Chart.yaml' ? knownFields(metadata) : metadata.fields))
}

function knownFields({ fields, isOld }: ChartMetadata): Record<string, unknown> {
  const texts = TEXTS.map((key) => [key, textOf(fields[key])] as const).filter(([, value]) => value !== '')
  const others = OTHERS.filter((key) => !(isOld && key === 'dependencies')).map((key) => [key, fields[key]] as const)
  return Object.fromEntries([...texts, ...others.filter(([, value]) => !isEmpty(value))])
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === false || value === '') return true
  return typeof value === 'object' && Object.keys(value).length === 0
}

/** All files of a chart but those that .helmignore names. */
async function chartFiles(tree: ChartTree, folder: string, limits: ChartLimits): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>()
  const rules = await ignoreRules(tree, folder)
  const open = ['']
  let bytes = 0
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    if (path.split('/').length > limits.depth) throw new TerminalError(`${folder}: folders nest deeper than ${limits.depth} levels`)
    const entries = await tree.list(posix.join(folder, path))
    if (!entries) throw new TerminalError(`${posix.join(folder, path)}: there is no such folder in the repository`)
    for (const { name, kind } of entries) {
      const below = posix.join(path, name)
      const isFolder = kind === 'folder' || (kind === 'link' && (await tree.list(posix.join(folder, below))) !== undefined)
      if (kind === 'other' || rules(below, isFolder)) continue
      if (isFolder) {
        open.push(below)
        continue
      }
      const content = await tree.read(posix.join(folder, below), limits.chartBytes)
      bytes += content.byteLength
      files.set(below, content)
      if (bytes > limits.chartBytes || files.size > limits.files) throw new TerminalError(`${folder}: this is more than a chart may have`)
    }
    if (open.length > limits.files) throw new TerminalError(`${folder}: more than ${limits.files} folders`)
  }
  return files
}

async function ignoreRules(tree: ChartTree, folder: string): Promise<HelmIgnore> {
  const path = posix.join(folder, '.helmignore')
  const has = (await tree.list(folder))?.some(({ name }) => name === '.helmignore')
  return parseHelmIgnore(has ? (await tree.read(path, MAX_METADATA_BYTES)).toString('utf8') : '', path)
}

/** Helm packs dependencies of dependencies unpacked. */
async function withUnpackedCharts(
  files: ReadonlyMap<string, Buffer>,
  folder: string,
  limits: ChartLimits,
  signal: AbortSignal,
): Promise<Map<string, Buffer>> {
  const all = new Map<string, Buffer>()
  for (const [name, content] of [...files].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (/^charts\/[_.]/.test(name)) continue
    if (!/^charts\/[^/]+\.tgz$/.test(name)) {
      all.set(name, content)
      continue
    }
    const unpacked = await unpackBytes(content, { shown: posix.join(folder, name), limits, signal })
    for (const file of unpacked) all.set(`charts/${file.name}`, file.content)
  }
  return all
}

async function archive(name: string, files: ReadonlyMap<string, Buffer>): Promise<Buffer> {
  const tar = pack()
  for (const [path, content] of files)
    tar.entry({ name: `${name}/${path}`, mode: 0o644, mtime: new Date(0), size: content.length }, content)
  tar.finalize()
  const chunks: Buffer[] = []
  for await (const chunk of tar as unknown as AsyncIterable<Buffer>) chunks.push(chunk)
  return storedGzip(Buffer.concat(chunks))
}

/** Gzip without compression: bundles compress once more, and the bytes are the same whichever zlib is there. */
function storedGzip(data: Buffer): Buffer {
  const parts: Buffer[] = [Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff])]
  for (let at = 0; at < data.length || at === 0; at += STORED_BLOCK) {
    const block = data.subarray(at, at + STORED_BLOCK)
    const head = Buffer.alloc(5)
    head.writeUInt8(at + STORED_BLOCK >= data.length ? 1 : 0, 0)
    head.writeUInt16LE(block.length, 1)
    head.writeUInt16LE(~block.length & 0xffff, 3)
    parts.push(head, block)
  }
  const tail = Buffer.alloc(8)
  tail.writeUInt32LE(crc32(data), 0)
  tail.writeUInt32LE(data.length, 4)
  return Buffer.concat([...parts, tail])
}
