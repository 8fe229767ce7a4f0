import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { configMap, makeFolder } from '../bundle/testing/folder.ts'
import { parseYamlDocuments } from '../lib/yaml/parse.ts'
import { headCommit } from './apply/head-commit.ts'
import { run } from './testing/run.ts'

interface Printed {
  metadata: { name: string; namespace: string; labels?: Record<string, string> }
  spec: Record<string, unknown>
}
const printed = (text: string) => parseYamlDocuments(text) as Printed[]

test('bundles are printed one document each, to a file too', async () => {
  await using folder = await makeFolder({ 'a/x.yaml': configMap('a'), 'b/x.yaml': configMap('b') })
  const { code, stdout } = await run(['apply', '-o', '-', '-n', 'ws', '-l', 'k=v', '--commit', 'c1', 'repo', 'a', 'b'], {
    cwd: folder.root,
  })
  expect(code).toBe(0)
  expect(printed(stdout).map(({ metadata }) => metadata)).toEqual(
    ['repo-a', 'repo-b'].map((name) => ({ name, namespace: 'ws', labels: { k: 'v', 'fleet.cattle.io/commit': 'c1' } })),
  )
  expect((await run(['apply', '-o', 'new/out.yaml', 'repo', 'a'], { cwd: folder.root })).stdout).toBe('')
  expect(await readFile(join(folder.root, 'new', 'out.yaml'), 'utf8')).toMatch(/^---\napiVersion: fleet/)
})

test('zero folders at a time are the usual number, and an empty commit is none', async () => {
  await using folder = await makeFolder({ 'a/x.yaml': configMap('a'), '.git/HEAD': 'b'.repeat(40) })
  const args = ['apply', '-o', '-', '--bundle-creation-max-concurrency=0', '--commit=', 'repo', 'a']
  const { stdout } = await run(args, { cwd: folder.root })
  expect(printed(stdout)[0]?.metadata.labels).toEqual({ 'fleet.cattle.io/commit': 'b'.repeat(40) })
})

test('nothing is printed when one of several folders is broken', async () => {
  await using folder = await makeFolder({ 'a/x.yaml': configMap('a'), 'b/fleet.yaml': 'a: [', 'b/x.yaml': '' })
  const { code, stdout, stderr } = await run(['apply', '-o', '-', 'repo', 'a', 'b'], { cwd: folder.root })
  expect([code, stdout]).toEqual([1, ''])
  expect(stderr).toMatch(/b\/fleet\.yaml:1:\d+: /)
})

test('a whole bundle may be given; its own name and labels win, and no folder is read', async () => {
  await using folder = await makeFolder({ 'a/x.yaml': configMap('a') })
  const bundle = {
    apiVersion: 'fleet.cattle.io/v1alpha1',
    kind: 'Bundle',
    metadata: { labels: { k: 'own' } },
    spec: { forceSyncGeneration: 4 },
  }
  const args = ['apply', '-o', '-', '-f', '-', '-l', 'k=flag', '--paused', 'given']
  const [result] = printed((await run(args, { cwd: folder.root, input: JSON.stringify(bundle) })).stdout)
  expect(result).toMatchObject({ metadata: { name: 'given', labels: { k: 'own' } }, spec: { paused: true, forceSyncGeneration: 4 } })
  expect((await run([...args, 'a'], { cwd: folder.root })).code).toBe(2)
  const wrong = { ...bundle, spec: { serviceAcount: 1, paused: 'yes' } }
  const { code, stderr } = await run(args, { cwd: folder.root, input: JSON.stringify(wrong) })
  expect(code).toBe(1)
  expect(stderr).toMatch(/spec\.serviceAcount[\s\S]*spec\.paused|spec\.paused[\s\S]*spec\.serviceAcount/)
})

test('a driven scan takes an options file, and refuses two separators', async () => {
  await using folder = await makeFolder({ 'a/x.yaml': configMap('a'), 'a/dev.yaml': 'defaultNamespace: dev' })
  const { stdout } = await run(['apply', '-o', '-', '--driven-scan', 'repo', 'a:dev.yaml'], { cwd: folder.root })
  expect(printed(stdout)[0]).toMatchObject({ metadata: { name: 'repo-a-dev' }, spec: { defaultNamespace: 'dev' } })
  expect((await run(['apply', '-o', '-', '--driven-scan', 'repo', 'a:b:c'], { cwd: folder.root })).code).toBe(2)
})

const SHA = 'a'.repeat(40)

test.each([
  ['a branch', { HEAD: 'ref: refs/heads/main\n', 'refs/heads/main': `${SHA}\n` }, SHA],
  ['a packed branch', { HEAD: 'ref: refs/heads/main\n', 'packed-refs': `# pack-refs\n${SHA} refs/heads/main\n` }, SHA],
  ['a commit', { HEAD: SHA }, SHA],
  ['a branch without commits', { HEAD: 'ref: refs/heads/main\n' }, undefined],
  ['a reference that leads out', { HEAD: 'ref: ../../secret\n' }, undefined],
])('the commit of HEAD: %s', async (_, files, expected) => {
  await using folder = await makeFolder(Object.fromEntries(Object.entries(files).map(([path, text]) => [`.git/${path}`, text])))
  expect(await headCommit(folder.root)).toBe(expected)
})
