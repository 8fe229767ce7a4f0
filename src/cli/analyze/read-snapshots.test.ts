import { expect, test } from 'vitest'
import { readSnapshots } from './read-snapshots.ts'

const at = (hour: number) => ({ timestamp: `2026-01-01T${hour}:00:00Z` })
const read = (...values: unknown[]) => readSnapshots(values.map((value) => `${JSON.stringify(value)}\n`).join('\n'), 'file.json')

test('snapshots come in the order of lines, whatever their times', () => {
  expect(read(at(12), at(10), at(11)).map(({ timestamp }) => timestamp.slice(11, 13))).toEqual(['12', '10', '11'])
})

test('one snapshot may be spread over lines', () => {
  expect(readSnapshots(JSON.stringify({ ...at(10), bundles: [] }, null, 2), 'file')).toEqual([{ ...at(10), bundles: [] }])
})

test.each([
  ['', 'no snapshots found in file.json'],
  ['\n\n', 'no snapshots found'],
  [`${JSON.stringify(at(10))}\nnot json\n`, 'line 2 of file.json is not JSON'],
  ['[]', 'line 1 of file.json is not a snapshot'],
  ['{"kind":"Bundle"}', 'no timestamp'],
  ['{"timestamp":"x","bundles":{}}', 'bundles is no list'],
  ['{"timestamp":"x","bundles":[1]}', 'bundles is no list'],
  ['{"timestamp":"x","diagnostics":{"largeBundles":"many"}}', 'diagnostics.largeBundles'],
])('%j is refused', (text, message) => {
  expect(() => readSnapshots(text, 'file.json')).toThrow(message)
})

test('null stands for an empty list, as Go writes it', () => {
  expect(read({ ...at(10), bundles: null, diagnostics: { largeBundles: null, contentIssuesCount: 0 } })).toHaveLength(1)
})
