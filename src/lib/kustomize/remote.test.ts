import { expect, test } from 'vitest'
import { remoteEntries } from './remote.ts'

const nothing = () => false

test.each([
  'https://example.org/a.yaml',
  'http://example.org/a.yaml',
  'ssh://git@example.org/a',
  'git@example.org:a/b.git',
  'git::https://example.org/a',
  'github.com/owner/repo/folder?ref=v1',
  'example.org/owner/repo//base',
])('%s is remote', (entry) => {
  expect(remoteEntries({ resources: ['a.yaml', entry] }, nothing)).toEqual([entry])
})

test.each(['a.yaml', '../base', './overlays/dev', 'base', 'sub/dir/file.yaml', 'v1.2/file.yaml'])('%s is a path', (entry) => {
  expect(remoteEntries({ resources: [entry], components: [entry] }, nothing)).toEqual([])
})

test('what lies beside the kustomization is not fetched', () => {
  expect(remoteEntries({ resources: ['example.org/base'] }, (entry) => entry === 'example.org/base')).toEqual([])
})

test('all lists that can name a resource are looked at, and odd shapes are no problem', () => {
  const fields = {
    resources: [1, null],
    bases: ['https://a.example/x'],
    components: ['https://b.example/x'],
    transformers: 'https://c.example',
  }
  expect(remoteEntries(fields, nothing)).toEqual(['https://a.example/x', 'https://b.example/x'])
  expect(remoteEntries('text', nothing)).toEqual([])
})
