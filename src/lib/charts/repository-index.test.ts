import { describe, expect, test } from 'vitest'
import { startCpuTimer } from '../../testing/cpu-time.ts'
import { ChartError } from './errors.ts'
import { archiveUrl, entriesOf, selectVersion } from './repository-index.ts'

const INDEX = `apiVersion: v1
entries:
  alpha:
  - created: "2025-01-01"
    description: |-
      text that looks like a key
        beta:
    name: alpha
    urls:
    - alpha-1.0.0.tgz
    version: 1.0.0
  # a comment
  beta:
  - name: beta
    version: 2.0
    digest: sha256:abc
  - name: beta
  - not a map
generated: "2025-01-01"
serverInfo:
  gamma:
  - version: 6.6.6
`
const versions = (index: string, chart: string): string[] | undefined => entriesOf(index, chart, 'here')?.map(({ version }) => version)

describe('an index', () => {
  test.each([
    ['as helm writes it', INDEX],
    ['with other line ends', INDEX.replaceAll('\n', '\r\n')],
    ['as JSON', JSON.stringify({ apiVersion: 'v1', entries: { alpha: [{ version: '1.0.0' }], beta: [{ version: '2' }] } })],
    ['in one line', 'entries: {alpha: [{version: 1.0.0}], beta: [{version: "2"}]}'],
  ])('%s is read', (_name, index) => {
    expect(versions(index, 'alpha')).toEqual(['1.0.0'])
    expect(versions(index, 'beta')).toEqual(['2'])
    expect(versions(index, 'gamma')).toBeUndefined()
    expect(versions(index, '__proto__')).toBeUndefined()
    expect(versions(index, 'alpha:\n  x')).toBeUndefined()
  })

  test('of two equal keys the last one counts', () => {
    const index = 'entries:\n  a:\n  - version: 1.0.0\n  a:\n  - version: 2.0.0\n'
    expect(versions(index, 'a')).toEqual(['2.0.0'])
  })

  test('that is none is an error, an empty one is not', () => {
    for (const text of ['<html>', '', '- 1', 'a: 1', 'entries: [a:', '\u0000'])
      expect(() => entriesOf(text, 'a', 'here'), text).toThrow(ChartError)
    expect(entriesOf('apiVersion: v1\nentries: {}\n', 'a', 'here')).toBeUndefined()
    expect(entriesOf('apiVersion: v1\n', 'a', 'here')).toBeUndefined()
  })

  test('of many megabytes is read fast', () => {
    const entry = (name: string) => `  ${name}:\n${`  - name: ${name}\n    version: 1.0.0\n    urls:\n    - ${name}.tgz\n`.repeat(20)}`
    const index = `apiVersion: v1\nentries:\n${Array.from({ length: 10_000 }, (_, i) => entry(`chart-${i}`)).join('')}generated: x\n`
    expect(index.length).toBeGreaterThan(10_000_000)
    const spent = startCpuTimer()
    expect(versions(index, 'chart-7777')).toHaveLength(20)
    expect(versions(index, 'absent')).toBeUndefined()
    expect(spent()).toBeLessThan(5_000)
  })
})

test('the version that is written so goes before ranges', () => {
  const entries = ['2.0.0', 'v1.5', '1.0.0', 'nightly'].map((version) => ({ version, urls: [], digest: '' }))
  const selected = (wanted: string) => selectVersion(entries, wanted)?.version
  expect(['', '1.x', '1.0.0', 'v1.5', '1.5.0', 'nightly', '9'].map((wanted) => selected(wanted))).toEqual([
    '2.0.0',
    'v1.5',
    '1.0.0',
    'v1.5',
    'v1.5',
    'nightly',
    undefined,
  ])
})

test.each([
  ['https://h/repo', 'c-1.tgz', 'https://h/repo/c-1.tgz'],
  ['https://h/repo/', 'charts/c-1.tgz', 'https://h/repo/charts/c-1.tgz'],
  ['https://h/repo', '/top/c-1.tgz', 'https://h/top/c-1.tgz'],
  ['https://h/repo?token=x', 'c-1.tgz', 'https://h/repo/c-1.tgz?token=x'],
  ['https://h/repo?token=x', 'https://other/c-1.tgz', 'https://other/c-1.tgz'],
])('the archive of %s at %s is %s', (repository, url, expected) => {
  expect(archiveUrl(repository, { version: '1', urls: [url], digest: '' })).toBe(expected)
})

test('a version without address cannot be fetched', () => {
  expect(() => archiveUrl('https://u:p@h/repo', { version: '1', urls: [], digest: '' })).toThrow(
    'https://h/repo: the index has no address for version 1',
  )
})
