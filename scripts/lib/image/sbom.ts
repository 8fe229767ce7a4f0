// A bill of materials in the form SPDX 2.3, JSON. Pure.
import { createHash } from 'node:crypto'

/** A package inside an image. */
export interface Part {
  readonly ecosystem: 'npm' | 'deb' | 'golang' | 'generic'
  readonly name: string
  readonly version: string
  /** SPDX expression */
  readonly license?: string | undefined
  /** SHA-512 in base64, as in a lock file of npm */
  readonly integrity?: string | undefined
  readonly architecture?: string | undefined
  /** what it is part of, for people */
  readonly comment?: string
}

export interface SbomSubject {
  /** name:tag */
  readonly image: string
  readonly version: string
  readonly created: Date
}

/** Lock file of npm, as far as it matters here. */
export interface LockFile {
  readonly packages: Readonly<Record<string, { version?: string; license?: string; integrity?: string; dev?: boolean }>>
}

/** What the programs are bundled from, and the Node that runs them. */
export function npmParts(lock: LockFile): Part[] {
  return Object.entries(lock.packages).flatMap(([path, { version = '', license, integrity, dev }]): Part[] => {
    const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)
    if (path === 'node_modules/node') return [{ ecosystem: 'generic', name: 'node', version, license }]
    return path === '' || dev ? [] : [{ ecosystem: 'npm', name, version, license, integrity }]
  })
}

/** @param status text of /var/lib/dpkg/status @throws Error when no package is in it: no image of ours is without */
export function debianParts(status: string): Part[] {
  const parts = status.split(/\n{2,}/).flatMap((paragraph): Part[] => {
    const field = (name: string) => paragraph.match(new RegExp(`^${name}: (.*)$`, 'm'))?.[1]
    const [name, version] = [field('Package'), field('Version')]
    if (!name || !version || field('Status') !== 'install ok installed') return []
    return [{ ecosystem: 'deb', name, version, architecture: field('Architecture') }]
  })
  if (parts.length === 0) throw new Error('the image has no list of Debian packages')
  return parts
}

/** One document for an image; the same inputs give the same text. */
export function spdxDocument(subject: SbomSubject, parts: readonly Part[]): Record<string, unknown> {
  const unique = [...new Map(parts.map((part) => [purl(part), part])).values()].sort((a, b) => (purl(a) < purl(b) ? -1 : 1))
  const digest = createHash('sha256')
    .update(JSON.stringify([subject.image, unique]))
    .digest('hex')
  const image = { SPDXID: 'SPDXRef-Image', name: subject.image, versionInfo: subject.version, primaryPackagePurpose: 'CONTAINER' }
  const packages = unique.map((part) => ({ SPDXID: spdxId(part), ...describe(part) }))
  return {
    spdxVersion: 'SPDX-2.3',
    dataLicense: 'CC0-1.0',
    SPDXID: 'SPDXRef-DOCUMENT',
    name: subject.image,
    documentNamespace: `https://spdx.org/spdxdocs/${subject.image.replaceAll(/[^A-Za-z0-9.]+/g, '-')}-${digest.slice(0, 32)}`,
    creationInfo: { created: `${subject.created.toISOString().slice(0, 19)}Z`, creators: ['Tool: fleet npm run image'] },
    packages: [
      { ...image, downloadLocation: 'NOASSERTION', filesAnalyzed: false, licenseConcluded: 'NOASSERTION', licenseDeclared: 'Apache-2.0' },
      ...packages,
    ],
    relationships: [
      { spdxElementId: 'SPDXRef-DOCUMENT', relationshipType: 'DESCRIBES', relatedSpdxElement: image.SPDXID },
      ...packages.map(({ SPDXID }) => ({ spdxElementId: image.SPDXID, relationshipType: 'CONTAINS', relatedSpdxElement: SPDXID })),
    ],
  }
}

function describe(part: Part): Record<string, unknown> {
  return {
    name: part.name,
    versionInfo: part.version,
    downloadLocation: 'NOASSERTION',
    filesAnalyzed: false,
    licenseConcluded: 'NOASSERTION',
    licenseDeclared: part.license ?? 'NOASSERTION',
    ...(part.comment ? { comment: part.comment } : {}),
    ...checksums(part.integrity),
    externalRefs: [{ referenceCategory: 'PACKAGE-MANAGER', referenceType: 'purl', referenceLocator: purl(part) }],
  }
}

function checksums(integrity: string | undefined): Record<string, unknown> {
  if (!integrity?.startsWith('sha512-')) return {}
  return { checksums: [{ algorithm: 'SHA512', checksumValue: Buffer.from(integrity.slice('sha512-'.length), 'base64').toString('hex') }] }
}

function spdxId(part: Part): string {
  return `SPDXRef-${createHash('sha256').update(purl(part)).digest('hex').slice(0, 20)}`
}

/** https://github.com/package-url/purl-spec */
function purl({ ecosystem, name, version, architecture }: Part): string {
  const encoded = name.split('/').map(encodeURIComponent).join('/')
  const namespace = ecosystem === 'deb' ? 'debian/' : ''
  const qualifier = architecture ? `?arch=${architecture}` : ''
  return `pkg:${ecosystem}/${namespace}${encoded}@${encodeURIComponent(version)}${qualifier}`
}
