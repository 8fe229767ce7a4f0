import { expect, test } from 'vitest'
import { debianParts, npmParts, type Part, spdxDocument } from './sbom.ts'

const subject = { image: 'fleet/fleet:1.0.0', version: '1.0.0', created: new Date('2026-01-02T03:04:05.678Z') }
interface Package {
  SPDXID: string
  name: string
  versionInfo: string
  licenseDeclared: string
  checksums?: { checksumValue: string }[]
  externalRefs?: { referenceLocator: string }[]
}
function packages(parts: Part[]): Package[] {
  return spdxDocument(subject, parts).packages as Package[]
}

test('packages of production and Node itself come from the lock file', () => {
  const lock = {
    packages: {
      '': { version: '1.0.0' },
      'node_modules/@a/b': { version: '2.0.0', license: 'MIT', integrity: 'sha512-AQI=' },
      'node_modules/c/node_modules/d': { version: '3.0.0' },
      'node_modules/node': { version: '24.0.0', license: 'MIT', dev: true },
      'node_modules/test': { version: '1.0.0', dev: true },
    },
  }
  expect(npmParts(lock).map(({ ecosystem, name, version }) => `${ecosystem} ${name} ${version}`)).toEqual([
    'npm @a/b 2.0.0',
    'npm d 3.0.0',
    'generic node 24.0.0',
  ])
})

test('packages of Debian come from the list of dpkg, removed ones left out', () => {
  const git =
    'Package: git\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1:2.39.5-0+deb12u2\nDescription: fast\n Version: none\n'
  const old = 'Package: old\nStatus: deinstall ok config-files\nArchitecture: amd64\nVersion: 1.0\n'
  expect(debianParts(`${old}\n${git}`)).toEqual([{ ecosystem: 'deb', name: 'git', version: '1:2.39.5-0+deb12u2', architecture: 'amd64' }])
  expect(() => debianParts(old)).toThrow('no list of Debian packages')
})

test('each package once, sorted, with purl, licence and checksum', () => {
  const parts: Part[] = [
    { ecosystem: 'npm', name: '@a/b', version: '2.0.0', license: 'MIT', integrity: 'sha512-AQI=' },
    { ecosystem: 'golang', name: 'example.com/x', version: 'v1.0.0', comment: 'in helm' },
    { ecosystem: 'golang', name: 'example.com/x', version: 'v1.0.0', comment: 'in kustomize' },
    { ecosystem: 'deb', name: 'git', version: '1:2.39', architecture: 'amd64' },
  ]
  const [image, ...rest] = packages(parts)
  expect(image?.name).toBe('fleet/fleet:1.0.0')
  expect(rest.map(({ externalRefs }) => externalRefs?.[0]?.referenceLocator)).toEqual([
    'pkg:deb/debian/git@1%3A2.39?arch=amd64',
    'pkg:golang/example.com/x@v1.0.0',
    'pkg:npm/%40a/b@2.0.0',
  ])
  expect(rest.at(-1)).toMatchObject({ licenseDeclared: 'MIT', checksums: [{ checksumValue: '0102' }] })
  expect(rest[0]?.licenseDeclared).toBe('NOASSERTION')
})

test('identifiers are valid and the document is the same each time', () => {
  const parts: Part[] = [{ ecosystem: 'npm', name: 'a', version: '1' }]
  const document = spdxDocument(subject, parts)
  expect(document).toEqual(spdxDocument(subject, parts))
  expect(document.creationInfo).toMatchObject({ created: '2026-01-02T03:04:05Z' })
  for (const { SPDXID } of packages(parts)) expect(SPDXID).toMatch(/^SPDXRef-[A-Za-z0-9.-]+$/)
  expect(document.relationships).toHaveLength(2)
})
