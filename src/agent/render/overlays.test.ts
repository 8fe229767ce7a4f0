import { expect, test } from 'vitest'
import { parseYamlDocuments } from '../../lib/yaml/parse.ts'
import { applyOverlays } from './overlays.ts'
import { mergePatch } from './patch-object.ts'

const merge = async (base: unknown, patch: unknown) => mergePatch(base, patch)
const files = (texts: Record<string, string>) => Object.entries(texts).map(([name, text]) => ({ name, content: Buffer.from(text) }))

async function apply(texts: Record<string, string>, overlays: string[]) {
  const result = await applyOverlays(files(texts), overlays, merge)
  return Object.fromEntries(result.map(({ name, content }) => [name, parseYamlDocuments(content.toString())]))
}

test('without overlays only their folder goes', async () => {
  expect(await apply({ 'a.yaml': 'a: 1', 'overlays/x/a.yaml': 'a: 2' }, [])).toEqual({ 'a.yaml': [{ a: 1 }] })
})

test('files replace and add, in the order of the options', async () => {
  const texts = { 'a.yaml': 'a: 1', 'overlays/x/a.yaml': 'a: x', 'overlays/x/sub/b.yaml': 'b: x', 'overlays/y/a.yaml': 'a: y' }
  expect(await apply(texts, ['y', 'x'])).toEqual({ 'a.yaml': [{ a: 'x' }], 'sub/b.yaml': [{ b: 'x' }] })
})

test('a patch changes the file it is named after, also one that the same overlay adds', async () => {
  const texts = {
    'sub/a.yaml': 'a: 1\nb: 1',
    'overlays/x/sub/a_patch.yaml': 'a: 2',
    'overlays/x/z.yaml': 'z: 1',
    'overlays/x/z_patch.yaml': 'z: 2',
  }
  expect(await apply(texts, ['x'])).toEqual({ 'sub/a.yaml': [{ a: 2, b: 1 }], 'z.yaml': [{ z: 2 }] })
})

test('of several documents the one of that kind and name is meant, and the others stay', async () => {
  const two = 'kind: A\nmetadata: {name: one}\n---\nkind: A\nmetadata: {name: two}\n'
  const changed = await apply({ 'a.yaml': two, 'overlays/x/a_patch.yaml': 'metadata: {name: two}\nv: 1' }, ['x'])
  expect(changed['a.yaml']).toEqual([
    { kind: 'A', metadata: { name: 'one' } },
    { kind: 'A', metadata: { name: 'two' }, v: 1 },
  ])
})

test('a patch without a base is an error that names the base', async () => {
  await expect(apply({ 'overlays/x/absent_patch.yaml': '{}' }, ['x'])).rejects.toThrow('failed to find base file absent.yaml to patch')
})

test('a patch that is no YAML, or cannot be applied, names the file', async () => {
  await expect(apply({ 'a.yaml': 'a: 1', 'overlays/x/a_patch.yaml': 'a: [' }, ['x'])).rejects.toThrow(/^a_patch\.yaml is no valid YAML/)
  const refuse = () => Promise.reject(new Error('no such path'))
  await expect(applyOverlays(files({ 'a.yaml': 'a: 1', 'overlays/x/a_patch.yaml': '{}' }), ['x'], refuse)).rejects.toThrow(
    'failed to patch a.yaml: no such path',
  )
})

test('an overlay that does not exist changes nothing', async () => {
  expect(await apply({ 'a.yaml': 'a: 1' }, ['nowhere'])).toEqual({ 'a.yaml': [{ a: 1 }] })
})
