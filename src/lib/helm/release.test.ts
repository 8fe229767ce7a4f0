import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { decodeRelease, encodeRelease, type HelmRelease, releaseSecretName } from './release.ts'

const release: HelmRelease = {
  name: 'web',
  namespace: 'apps',
  version: 3,
  info: { status: 'deployed', first_deployed: 'x' },
  manifest: 'a: "ü"\n',
  labels: { kept: 'yes' },
}
const secret = (data: string) => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: releaseSecretName('web', 3), namespace: 'apps' },
  data: { release: data },
})
const twice = (bytes: Buffer) => Buffer.from(bytes.toString('base64')).toString('base64')

test('what is encoded decodes to the same, fields that nobody reads included', () => {
  expect(decodeRelease(secret(encodeRelease(release)))).toEqual(release)
})

test('reads releases that were stored without compression', () => {
  expect(decodeRelease(secret(twice(Buffer.from(JSON.stringify(release)))))).toEqual(release)
})

test('a secret without a release is an error that names it', () => {
  expect(() => decodeRelease(secret(''))).toThrow('secret apps/sh.helm.release.v1.web.v3 does not hold a Helm release')
  expect(() => decodeRelease(secret(twice(Buffer.from('{}'))))).toThrow('name, version or info are missing')
})

test('a revision that is too large when unpacked is refused', () => {
  const bomb = gzipSync(Buffer.alloc(65 * 2 ** 20, 32))
  expect(() => decodeRelease(secret(twice(bomb)))).toThrow('does not hold a Helm release')
})
