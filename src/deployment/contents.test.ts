import { expect, test } from 'vitest'
import type { BundleSpec } from '../api/bundle.ts'
import { encodeContent } from '../api/content-id.ts'
import { contentsOf } from './contents.ts'
import { bundle } from './testing/objects.ts'

const resources = [{ name: 'a.yaml', content: 'x' }]
const of = (spec: BundleSpec) => contentsOf(bundle(spec))

test('files are stored under their hash', () => {
  const { id, sha256 } = encodeContent(resources)
  expect(of({ resources })).toEqual({ kind: 'stored', id, sha256 })
  expect(of({})).toEqual({ kind: 'stored', id: encodeContent([]).id, sha256: encodeContent([]).sha256 })
})

test('the hash in the status counts for its generation only', () => {
  const known = { ...bundle({ resources }), status: { observedGeneration: 1, resourcesSha256Sum: 'abc' } }
  expect(contentsOf(known)).toEqual({ kind: 'stored', id: 's-abc', sha256: 'abc' })
  expect(contentsOf({ ...known, status: { ...known.status, observedGeneration: 2 } }).sha256).toBe(encodeContent(resources).sha256)
})

test('contents in a registry have the id that the bundle names', () => {
  expect(of({ contentsId: 's-1' })).toEqual({ kind: 'registry', id: 's-1' })
})

test.each(['1.2.3', 'v1.2.3', '1.2.3-rc.1+build.5', ''])('a chart of version %j has no contents', (version) => {
  expect(of({ helmOpOptions: {}, helm: { version }, contentsId: 's-1' })).toEqual({ kind: 'chart', id: '' })
})

test.each(['1.x', '>=1.0.0', '1.2', '*', '01.2.3', 'latest', '1.2.3 || 2', 'vv1.2.3', '1.2.3-01'])(
  'a chart of version %j is refused',
  (version) => {
    expect(() => of({ helmOpOptions: {}, helm: { version } })).toThrow(
      'chart version cannot be deployed; check HelmOp status for more details',
    )
  },
)
