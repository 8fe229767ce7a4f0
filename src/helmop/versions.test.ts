import { describe, expect, test } from 'vitest'
import type { Bundle } from '../api/bundle.ts'
import { BUNDLE } from '../api/kinds.ts'
import { HELM_OP_GENERATION_ANNOTATION } from '../api/labels.ts'
import { wantedChart } from './chart.ts'
import { currentVersion, decideVersion, pickVersion, type VersionInput } from './versions.ts'

const repo = 'https://charts.example/stable'
const wanted = (version: string) => wantedChart({ repo, chart: 'hello', version })
const bundleWith = (version: string, generation?: number, fields: object = {}): Bundle => ({
  ...BUNDLE,
  metadata: { name: 'x', ...(generation === undefined ? {} : { annotations: { [HELM_OP_GENERATION_ANNOTATION]: String(generation) } }) },
  spec: { helm: { repo, chart: 'hello', version, ...fields } },
})
const decide = (version: string, input: Partial<VersionInput> = {}) =>
  decideVersion({ wanted: wanted(version), isPolling: false, generation: 3, bundle: undefined, answer: undefined, ...input })
const versions = (...list: string[]) => ({ at: 1, versions: list })

test.each([
  ['1.x', '1.2.0'],
  ['', '2.0.0'],
  ['*', '2.0.0'],
  ['>=3.0.0-0', '3.0.0-rc.1'],
  ['~1.0', '1.0.0'],
  ['1.2.0', '1.2.0'],
  ['v1.2', '1.2.0'],
  ['~9.0', undefined],
])('of several versions "%s" means %s', (text, expected) => {
  expect(pickVersion(['1.0.0', '1.2.0', '2.0.0', '3.0.0-rc.1', 'latest'], text)).toBe(expected)
})

test.each([
  ['*', '1.4.0'],
  ['', '1.4.0'],
  ['>=1.0.0', '1.4.0'],
  ['1.5', undefined],
  ['~0.9', 'v0.9.2'],
  ['1.4.0', '1.4.0'],
  ['1.4.0+build.7', '1.4.0+build.7'],
  ['1.4.0-rc.1', '1.4.0-rc.1'],
])('of tags that are no chart versions none is meant by "%s"', (text, expected) => {
  const tags = ['20240101', '2', '1.5', 'latest', 'sha256-0123.sig', '1.4.0', '1.4.0-rc.1', '1.4.0+build.7', 'v0.9.2', 'v0.9']
  expect(pickVersion(tags, text)).toBe(expected)
})

describe('the version of a bundle', () => {
  test.each<[string, Bundle | undefined, string | undefined]>([
    ['counts while it fits', bundleWith('1.2.0'), '1.2.0'],
    ['does not count when it does not fit any more', bundleWith('2.0.0'), undefined],
    ['does not count when the chart is another one', bundleWith('1.2.0', 1, { chart: 'other' }), undefined],
    ['does not count when the repository is another one', bundleWith('1.2.0', 1, { repo: 'https://other.example' }), undefined],
    ['does not count when it is a range', bundleWith('1.x'), undefined],
    ['is not there', undefined, undefined],
  ])('%s', (_what, bundle, expected) => {
    expect(currentVersion(wanted('1.x'), bundle)).toBe(expected)
  })
})

describe('an exact version', () => {
  test('is looked up once', () => {
    expect(decide('1.0.0')).toEqual({ kind: 'ask' })
    expect(decide('1.0.0', { answer: versions('1.0.0', '1.1.0') })).toEqual({ kind: 'settled', version: '1.0.0' })
    expect(decide('1.0.0', { bundle: bundleWith('1.0.0') })).toEqual({ kind: 'settled', version: '1.0.0' })
  })

  test('that is not there changes nothing', () => {
    const decision = decide('7.7.7', { answer: versions('1.0.0'), bundle: bundleWith('1.0.0') })
    expect(decision).toMatchObject({
      kind: 'failed',
      keep: undefined,
      error: { message: expect.stringMatching(/^could not get a chart version: .*"7\.7\.7"/) },
    })
  })
})

test.each([
  ['1.x', ['2.0.0', '1.0'], /no version that fits "1\.x", as 1\.0 is not of three numbers: have it published as 1\.0\.0, or name another$/],
  ['', ['1.0.0-rc.1', '20240101'], /no version that is no pre-release, as 20240101 is not of three numbers/],
  ['', ['1.0.0-rc.1'], /no version that is no pre-release: name another$/],
  ['~9.0', ['1.0.0'], /no version that fits "~9\.0": name another$/],
  ['1.0.0', [], /has no address for any version of the chart .*: have it made anew$/],
])('what "%s" cannot mean is said', (text, available, message) => {
  expect(decide(text, { answer: versions(...available) })).toMatchObject({
    kind: 'failed',
    error: { message: expect.stringMatching(message) },
  })
})

describe('a range without polling', () => {
  test('is looked up again when the HelmOp has changed', () => {
    expect(decide('1.x', { bundle: bundleWith('1.2.0', 3) })).toEqual({ kind: 'settled', version: '1.2.0' })
    expect(decide('1.x', { bundle: bundleWith('1.2.0', 2) })).toEqual({ kind: 'ask' })
    expect(decide('1.x', { bundle: bundleWith('1.2.0') })).toEqual({ kind: 'ask' })
  })

  test('keeps what fits when the repository does not answer', () => {
    const answer = { at: 1, error: new Error('503') }
    expect(decide('1.x', { bundle: bundleWith('1.2.0', 2), answer })).toMatchObject({ kind: 'failed', keep: '1.2.0' })
    expect(decide('2.x', { bundle: bundleWith('1.2.0', 2), answer })).toMatchObject({ kind: 'failed', keep: undefined })
  })
})

describe('a range with polling', () => {
  const polled = (input: Partial<VersionInput>) => decide('1.x', { isPolling: true, ...input })

  test('follows what the repository has', () => {
    expect(polled({})).toEqual({ kind: 'ask' })
    expect(polled({ bundle: bundleWith('1.2.0') })).toEqual({ kind: 'settled', version: '1.2.0' })
    expect(polled({ bundle: bundleWith('1.2.0'), answer: versions('1.2.0', '1.9.0', '2.0.0') })).toEqual({
      kind: 'settled',
      version: '1.9.0',
    })
  })

  test('keeps its version when nothing fits any more', () => {
    expect(polled({ bundle: bundleWith('1.2.0'), answer: versions('2.0.0') })).toMatchObject({ kind: 'failed', keep: '1.2.0' })
  })
})

test('an archive has nothing to look up', () => {
  const archive = wantedChart({ chart: 'https://x.example/a.tgz' })
  expect(decideVersion({ wanted: archive, isPolling: false, generation: 1, bundle: undefined, answer: undefined })).toEqual({
    kind: 'settled',
    version: '',
  })
})
