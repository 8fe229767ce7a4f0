import { expect, test } from 'vitest'
import { parseYamlDocuments } from '../../lib/yaml/parse.ts'
import { applyOverlays } from './overlays.ts'

const files = (texts: Record<string, string>) => Object.entries(texts).map(([name, text]) => ({ name, content: Buffer.from(text) }))

function apply(texts: Record<string, string>, overlays: string[]) {
  const result = applyOverlays(files(texts), overlays)
  return Object.fromEntries(result.map(({ name, content }) => [name, parseYamlDocuments(content.toString())]))
}

test('without overlays only their folder goes', () => {
  expect(apply({ 'a.yaml': 'a: 1', 'overlays/x/a.yaml': 'a: 2' }, [])).toEqual({ 'a.yaml': [{ a: 1 }] })
})

test('files replace and add, in the order of the options', () => {
  const texts = { 'a.yaml': 'a: 1', 'overlays/x/a.yaml': 'a: x', 'overlays/x/sub/b.yaml': 'b: x', 'overlays/y/a.yaml': 'a: y' }
  expect(apply(texts, ['y', 'x'])).toEqual({ 'a.yaml': [{ a: 'x' }], 'sub/b.yaml': [{ b: 'x' }] })
})

test('a patch changes the file it is named after, also one that the same overlay adds', () => {
  const texts = {
    'sub/a.yaml': 'a: 1\nb: 1',
    'overlays/x/sub/a_patch.yaml': 'a: 2',
    'overlays/x/z.yaml': 'z: 1',
    'overlays/x/z_patch.yaml': 'z: 2',
  }
  expect(apply(texts, ['x'])).toEqual({ 'sub/a.yaml': [{ a: 2, b: 1 }], 'z.yaml': [{ z: 2 }] })
})

test('of several documents the one of that kind and name is meant, and the others stay', () => {
  const two = 'kind: A\nmetadata: {name: one}\n---\nkind: A\nmetadata: {name: two}\n'
  const changed = apply({ 'a.yaml': two, 'overlays/x/a_patch.yaml': 'metadata: {name: two}\nv: 1' }, ['x'])
  expect(changed['a.yaml']).toEqual([
    { kind: 'A', metadata: { name: 'one' } },
    { kind: 'A', metadata: { name: 'two' }, v: 1 },
  ])
})

test('a patch without a base is an error that names the base', () => {
  expect(() => apply({ 'overlays/x/absent_patch.yaml': '{}' }, ['x'])).toThrow('failed to find base file absent.yaml to patch')
})

test('a patch that is no YAML, or cannot be applied, names the file', () => {
  expect(() => apply({ 'a.yaml': 'a: 1', 'overlays/x/a_patch.yaml': 'a: [' }, ['x'])).toThrow(/^a_patch\.yaml is no valid YAML/)
  expect(() => apply({ 'a.yaml': 'a: 1', 'overlays/x/a_patch.yaml': '[{op: remove, path: /b}]' }, ['x'])).toThrow(
    'failed to patch a.yaml: there is nothing at the path "/b"',
  )
})

test('an overlay that does not exist changes nothing', () => {
  expect(apply({ 'a.yaml': 'a: 1' }, ['nowhere'])).toEqual({ 'a.yaml': [{ a: 1 }] })
})
