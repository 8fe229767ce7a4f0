import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { BundleSpec } from '../api/bundle.ts'
import { BUNDLE } from '../api/kinds.ts'
import { READ_LIMITS } from './limits.ts'
import { openRepoTree } from './repo-tree.ts'
import { makeFolder, type Tree } from './testing/folder.ts'
import { mergeValues, mergeValuesFiles, optionFiles, sharedValueNames, withoutValues } from './values.ts'

async function merged(tree: Tree, spec: BundleSpec): Promise<BundleSpec> {
  await using checkout = await makeFolder(tree)
  return await mergeValuesFiles(await openRepoTree(checkout.root), 'app', spec, READ_LIMITS)
}

describe('mergeValuesFiles', () => {
  test('files win over inline values, later ones over earlier ones', async () => {
    const tree = { 'app/one.yaml': 'b: one\nl: [4]\ndeep: {x: one, z: 1}', 'app/two.yaml': 'deep: {x: two}', 'app/none.yaml': '# nothing' }
    const helm = { values: { a: 1, b: 1, l: [1, 2], deep: { x: 1, w: 1 } }, valuesFiles: ['one.yaml', 'two.yaml', 'none.yaml'] }
    expect((await merged(tree, { helm })).helm).toEqual({ ...helm, values: { a: 1, b: 'one', l: [4], deep: { x: 'two', w: 1, z: 1 } } })
    expect(helm.values.b).toBe(1)
  })

  test('charts in the folder have values files too, and so have targets', async () => {
    const spec = { helm: { valuesFiles: ['a.yaml'] }, targets: [{ name: 't', helm: { valuesFiles: ['a.yaml'] } }, { name: 'u' }] }
    const result = await merged({ 'app/a.yaml': 'x: 1' }, spec)
    expect([result.helm?.values, result.targets?.[0]?.helm?.values, result.targets?.[1]]).toEqual([{ x: 1 }, { x: 1 }, { name: 'u' }])
  })

  test('files may lie elsewhere in the repository, but not outside', async () => {
    expect((await merged({ 'app/x': '', 'shared/v.yaml': 'a: 1' }, { helm: { valuesFiles: ['../shared/v.yaml'] } })).helm?.values).toEqual({
      a: 1,
    })
    await expect(merged({ 'app/x': '', '../v.yaml': 'a: 1' }, { helm: { valuesFiles: ['../../v.yaml'] } })).rejects.toThrow(
      '../v.yaml: this values file is outside of the repository',
    )
    await expect(
      merged({ 'app/v.yaml': { link: '../../v.yaml' }, '../v.yaml': 'a: 1' }, { helm: { valuesFiles: ['v.yaml'] } }),
    ).rejects.toThrow(/app\/v.yaml: this symlink leads out/)
  })

  test('files without values leave everything as it is', async () => {
    const tree = { 'app/e.yaml': '', 'app/f.yaml': '{}' }
    const valuesFiles = ['e.yaml', 'f.yaml']
    expect((await merged(tree, { helm: { valuesFiles } })).helm).toEqual({ valuesFiles })
    expect((await merged(tree, { helm: { valuesFiles, values: {} } })).helm).toEqual({ valuesFiles, values: {} })
    expect((await merged(tree, { targets: [{ helm: { valuesFiles } }] })).targets).toEqual([{ helm: { valuesFiles } }])
  })

  test('errors name the file', async () => {
    await expect(merged({ 'app/x': '' }, { helm: { valuesFiles: ['no.yaml'] } })).rejects.toThrow(/^app\/no\.yaml: the file does not exist/)
    await expect(merged({ 'app/v.yaml': 'a: [' }, { helm: { valuesFiles: ['v.yaml'] } })).rejects.toThrow(/^app\/v\.yaml:1:5: /)
  })
})

describe('mergeValues', () => {
  test('null and scalars replace maps', () => {
    expect(mergeValues({ a: { x: 1 }, b: 2 }, { a: null, b: { y: 1 } })).toEqual({ a: null, b: { y: 1 } })
  })

  test('what is merged over stands in the result', () => {
    const values = fc.dictionary(
      fc.constantFrom('a', 'b', 'c'),
      fc.oneof(fc.integer(), fc.dictionary(fc.constantFrom('a', 'b'), fc.integer())),
    )
    fc.assert(
      fc.property(values, values, (base, over) => {
        expect(mergeValues(base, over)).toMatchObject(over)
      }),
    )
  })
})

test('optionFiles: what is read as options is no resource', () => {
  const spec = { helm: { valuesFiles: ['chart/values.yaml'] }, targets: [{ helm: { valuesFiles: ['./t.yaml'] } }] }
  expect([...optionFiles(spec, 'opts/dev.yaml')].sort()).toEqual([
    './t.yaml',
    'chart/values.yaml',
    'fleet.yaml',
    'opts/dev.yaml',
    't.yaml',
    'values.yaml',
  ])
})

test('withoutValues leaves no trace of them but the hash', () => {
  const spec = {
    valuesHash: 'forged',
    helm: { chart: 'c', values: { a: 1 }, valuesFiles: ['v'] },
    targets: [{ name: 't', helm: { values: { b: 1 } } }, { name: 'u' }],
  }
  const bundle = { ...BUNDLE, metadata: { name: 'b' }, spec }
  expect(withoutValues(bundle, 'abc').spec).toEqual({
    valuesHash: 'abc',
    helm: { chart: 'c' },
    targets: [{ name: 't', helm: {} }, { name: 'u' }],
  })
})

test('withoutValues leaves what names no value as it is: it counts for the ids of deployments', () => {
  const spec = { helm: { chart: 'c', values: {}, valuesFiles: ['empty.yaml'] }, targets: [{ name: 't', helm: { values: {} } }] }
  const bundle = { ...BUNDLE, metadata: { name: 'b' }, spec: { ...spec, valuesHash: 'forged' } }
  expect(withoutValues(bundle, '').spec).toEqual(spec)
})

test('sharedValueNames finds targets that would overwrite each other', () => {
  const target = (name: string, values?: Record<string, unknown>) => ({ name, ...(values ? { helm: { values } } : {}) })
  expect(sharedValueNames({ targets: [target('a', { x: 1 }), target('a', { x: 2 }), target('b', { x: 1 }), target('b')] })).toEqual(['a'])
})
