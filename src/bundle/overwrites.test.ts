import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import type { Bundle } from '../api/bundle.ts'
import { BUNDLE } from '../api/kinds.ts'
import { keepEncodings } from './keep-encodings.ts'
import { movedObjects, objectsByFile, stillMoved } from './overwrites.ts'
import { configMap } from './testing/folder.ts'

function bundle(files: Record<string, string>, packed: string[] = [], level = 6): Bundle {
  const resources = Object.entries(files).map(([name, text]) =>
    packed.includes(name)
      ? { name, content: gzipSync(text, { level }).toString('base64'), encoding: 'base64+gz' }
      : { name, content: text },
  )
  return { ...BUNDLE, metadata: { name: 'b' }, spec: { resources } }
}

describe('movedObjects', () => {
  test('objects with the same file, kind, namespace and name', async () => {
    const old = bundle({
      'cm.yaml': configMap('shared'),
      'own.yaml': configMap('own'),
      'many.yaml': `${configMap('a')}---\n${configMap('b')}---\n`,
      'c.txt': configMap('text'),
    })
    const next = bundle({
      'cm.yaml': configMap('shared'),
      'own.yaml': configMap('renamed'),
      'many.yaml': `${configMap('b')}---\n${configMap('c')}`,
      'c.txt': configMap('text'),
    })
    expect(await movedObjects(await objectsByFile([old]), next)).toEqual([
      { kind: 'ConfigMap', name: 'shared' },
      { kind: 'ConfigMap', name: 'b' },
    ])
    expect(await movedObjects(await objectsByFile([bundle({ 'other.yaml': configMap('shared') })]), next)).toEqual([])
    expect(await movedObjects(await objectsByFile([]), next)).toEqual([])
  })

  test('namespaces count', async () => {
    const inNamespace = (namespace: string) => bundle({ 'cm.yaml': configMap('x', `  namespace: ${namespace}\n`) })
    expect(await movedObjects(await objectsByFile([inNamespace('one')]), inNamespace('one'))).toEqual([
      { kind: 'ConfigMap', name: 'x', namespace: 'one' },
    ])
    expect(await movedObjects(await objectsByFile([inNamespace('one')]), inNamespace('two'))).toEqual([])
  })

  test('packed files are looked into; templates, damaged and odd files are left alone', async () => {
    const files = {
      'cm.yaml': configMap('x'),
      't.yaml': 'a: {{ .Values.x }}',
      'odd.yaml': '- 1',
      'kind.yaml': 'kind: 1\nmetadata: {name: a}',
    }
    expect(await movedObjects(await objectsByFile([bundle(files, ['cm.yaml'])]), bundle(files))).toEqual([{ kind: 'ConfigMap', name: 'x' }])
    const damaged: Bundle = {
      ...BUNDLE,
      metadata: { name: 'b' },
      spec: { resources: [{ name: 'cm.yaml', content: 'zz', encoding: 'base64+gz' }] },
    }
    expect(await movedObjects(await objectsByFile([damaged]), bundle(files))).toEqual([])
  })
})

test('stillMoved keeps what was recorded as long as the bundle has it', async () => {
  const recorded = [
    { kind: 'ConfigMap', name: 'a' },
    { kind: 'ConfigMap', name: 'b' },
  ]
  expect(await stillMoved(recorded, bundle({ 'any.yaml': configMap('b') }))).toEqual([{ kind: 'ConfigMap', name: 'b' }])
})

describe('keepEncodings', () => {
  const text = 'some text '.repeat(200)

  test('what unpacks to the same bytes is left as it is stored', async () => {
    const [stored, wanted] = [bundle({ a: text }, ['a'], 1), bundle({ a: text }, ['a'], 9)]
    expect(wanted.spec.resources).not.toEqual(stored.spec.resources)
    expect((await keepEncodings(wanted, stored)).spec.resources).toEqual(stored.spec.resources)
  })

  test('anything else is replaced', async () => {
    const wanted = bundle({ a: text, b: 'x' }, ['a'], 9)
    for (const stored of [bundle({ a: `${text}!` }, ['a']), bundle({ a: text }), bundle({ c: text }, ['c']), bundle({})]) {
      expect((await keepEncodings(wanted, stored)).spec.resources).toEqual(wanted.spec.resources)
    }
    const damaged: Bundle = {
      ...BUNDLE,
      metadata: { name: 'b' },
      spec: { resources: [{ name: 'a', content: 'zz', encoding: 'base64+gz' }] },
    }
    expect((await keepEncodings(wanted, damaged)).spec.resources).toEqual(wanted.spec.resources)
  })
})
