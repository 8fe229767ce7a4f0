import { join } from 'node:path'
import { expect, test } from 'vitest'
import { configMap, makeFolder, type Tree } from '../bundle/testing/folder.ts'
import { run } from './testing/run.ts'
import { positionsOf } from './validate/positions.ts'

async function validate(tree: Tree, args: readonly string[] = []) {
  await using folder = await makeFolder(tree)
  return await run(['validate', ...args], { cwd: folder.root })
}

test('valid folders give nothing but a count', async () => {
  const { code, stdout, stderr } = await validate({ 'a/fleet.yaml': 'defaultNamespace: x', 'a/x.yaml': configMap('a') })
  expect([code, stdout, stderr]).toEqual([0, '', '1 folder checked: 0 errors, 0 warnings\n'])
})

test('everything that is wrong is named at once, with its place', async () => {
  const { code, stdout } = await validate({
    'a/fleet.yaml': 'defaultNamespace: 5\nhelm:\n  chrt: x\n  maxHistory: 1.5\nlabels: {a: b}\nlabels: {c: d}\n',
    'b/fleet.yaml': 'x: [\n',
    'c/fleet.yaml': 'dependsOn:\n- {}\n',
    'd/fleet.yaml': 'helm: {valuesFiles: [none.yaml]}\n',
    'e/fleet.yaml':
      'targetCustomizationMode: Foo\ntargets:\n- clusterGroup: g\ntargetCustomizations:\n- clusterSelector:\n    matchExpressions: [{key: a, operator: Bad}]\n  helm:\n    releaseName: _\n    values: {x: "${ nope"}\n',
    ...Object.fromEntries(['a', 'b', 'c', 'd', 'e'].map((name) => [`${name}/x.yaml`, configMap(name)])),
  })
  expect(code).toBe(1)
  expect(stdout.split('\n').map((line) => line.slice(0, 71))).toEqual([
    'a/fleet.yaml:1:1: error: defaultNamespace must be text, not a number: p',
    'a/fleet.yaml:3:3: warning: the key helm.chrt is unknown and has no effe',
    'a/fleet.yaml:4:3: error: helm.maxHistory must be a whole number, not a ',
    'a/fleet.yaml:6:1: warning: the key labels is given twice: only this one',
    expect.stringMatching(/^b\/fleet\.yaml:\d+:\d+: error: /),
    'c/fleet.yaml:2:3: error: dependsOn[0] needs a name or a selector',
    'd/none.yaml: error: the file does not exist, or is a symlink to one tha',
    'e/fleet.yaml:1:1: error: targetCustomizationMode: write FirstMatch or A',
    'e/fleet.yaml:5:3: error: "Bad" is not a valid label selector operator: ',
    'e/fleet.yaml:8:5: error: targetCustomizations[0].helm.releaseName: writ',
    'e/fleet.yaml:9:5: error: targetCustomizations[0].helm.values: the templ',
    '',
  ])
})

test('two folders must not give one name', async () => {
  const { code, stdout } = await validate({ 'a/fleet.yaml': 'name: x', 'a/x.yaml': '', 'b/fleet.yaml': 'name: x', 'b/x.yaml': '' })
  expect(code).toBe(1)
  expect(stdout).toContain('a and b both give a bundle named x')
})

test('warnings fail only when that is asked for', async () => {
  const tree = { 'a/fleet.yaml': 'nope: 1\nyaml: {overlays: [typo]}', 'a/x.yaml': configMap('a') }
  expect((await validate(tree)).code).toBe(0)
  const { code, stdout } = await validate(tree, ['--strict', '-o', 'json', 'a'])
  expect(code).toBe(1)
  expect(JSON.parse(stdout)).toMatchObject({
    folders: 1,
    errors: 0,
    warnings: 2,
    problems: [{ file: 'a/fleet.yaml', line: 1, column: 1 }, {}],
  })
})

test('a chart need not be there, a path must', async () => {
  expect((await validate({ 'a/fleet.yaml': 'helm: {repo: "https://charts.example", chart: x}' }, ['a'])).stdout).toBe('')
  expect((await validate({ 'a/x.yaml': '' }, ['nothere'])).code).toBe(1)
})

test('a folder elsewhere is a repository of its own; the file may be named, too', async () => {
  await using folder = await makeFolder({ 'a/fleet.yaml': 'defaultNamespace: 1', 'a/x.yaml': '' })
  const path = join(folder.root, 'a')
  const { stdout } = await run(['validate', path], { cwd: import.meta.dirname })
  expect(stdout).toMatch(/a\/fleet\.yaml:1:1: error/)
  expect((await run(['validate', 'a/fleet.yaml'], { cwd: folder.root })).stdout).toMatch(/^a\/fleet\.yaml:1:1: error/)
})

test('places: maps in lists, flow style, anchors, several documents', () => {
  const { of, duplicates } = positionsOf('%YAML 1.2\n---\na: &x {b: 1,\n  c: [2, {d: 3}]}\nlist:\n- *x\n- e: 4\n---\na: 9\n')
  expect(of('a.c[1].d')).toEqual({ line: 4, column: 11 })
  expect(of('LIST[1].E')).toEqual({ line: 7, column: 3 })
  expect(of('list[0].nothere')).toEqual({ line: 6, column: 3 })
  expect(of('nothere')).toEqual({ line: 1, column: 1 })
  expect(duplicates).toEqual([])
})
