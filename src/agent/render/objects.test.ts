import { expect, test } from 'vitest'
import { formatObjects, parseManifest, parseObjects } from './objects.ts'

const map = (name: string) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } })

test('reads documents, skips empty ones, and counts the items of a list one by one', () => {
  const text = [
    '# nothing',
    JSON.stringify(map('a')),
    '',
    JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [map('b'), { apiVersion: 'v1', kind: 'ConfigMapList', items: [map('c')] }] }),
  ].join('\n---\n')
  expect(parseObjects(text, 'a.yaml').map((object) => object.metadata.name)).toEqual(['a', 'b', 'c'])
})

test('items of a list of one kind need not name it', () => {
  const list = { apiVersion: 'v1', kind: 'ConfigMapList', items: [{ metadata: { name: 'a' } }, map('b')] }
  expect(parseObjects(JSON.stringify(list), 'a.yaml')).toEqual([map('a'), map('b')])
})

test('a list may be empty, or hold nothing at all', () => {
  const list = (kind: string, items: unknown) => JSON.stringify({ apiVersion: 'v1', kind, items })
  expect(parseObjects([list('List', []), list('List', null), list('ConfigMapList', null)].join('\n---\n'), 'a.yaml')).toEqual([])
})

test('a kind that ends in List but has no items is an object', () => {
  expect(parseObjects('apiVersion: x/v1\nkind: AllowList\nmetadata: {name: a}\n', 'a.yaml')).toHaveLength(1)
})

test('reads JSON with tabs, which is no YAML', () => {
  expect(parseObjects(JSON.stringify(map('a'), null, '\t'), 'a.json')).toEqual([map('a')])
})

test('text that is no YAML is a problem of the file, for good', () => {
  expect(() => parseObjects('a: [\n', 'sub/a.yaml')).toThrow(
    expect.objectContaining({ problem: 'broken-yaml', message: expect.stringMatching(/^sub\/a\.yaml is no valid YAML: /) }),
  )
})

test.each(['just text', '- a', 'kind: ConfigMap', 'apiVersion: v1\nkind: 3'])('%s is no object', (text) => {
  expect(() => parseObjects(text, 'a.yaml')).toThrow(/^a\.yaml holds something that is no object/)
})

test('an empty map is no document', () => {
  expect(parseObjects(`{}\n---\n${JSON.stringify(map('a'))}\n`, 'a.yaml')).toEqual([map('a')])
})

test('a file of plain manifests that holds something else is passed over, a document without a version alone', () => {
  const object = JSON.stringify(map('a'))
  expect(parseManifest('image: {tag: "1"}\n', 'values.yaml')).toEqual([])
  expect(parseManifest(`${object}\n---\nservices: {}\n`, 'compose.yaml')).toEqual([])
  expect(parseManifest(`${object}\n---\nkind: ConfigMap\n`, 'a.yaml')).toEqual([map('a')])
  expect(parseManifest(`${object}\n---\n{}\n---\n`, 'a.yaml')).toEqual([map('a')])
  expect(() => parseManifest('- a', 'a.yaml')).toThrow(/^a\.yaml holds something that is no object/)
  expect(() => parseManifest('a: [', 'a.yaml')).toThrow(/^a\.yaml is no valid YAML/)
})

test('what is written reads as the same, whatever YAML makes of single words', () => {
  const objects = [{ ...map('y'), data: { on: 'yes', number: '017', text: '---\n{{ .Values.x }}\n', odd: '\u0085 \u2028 \t' } }, map('b')]
  expect(parseObjects(formatObjects(objects), 'a.yaml')).toEqual(objects)
})
