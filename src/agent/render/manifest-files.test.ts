import { expect, test } from 'vitest'
import { chooseManifests } from './manifest-files.ts'

test('keeps YAML and JSON in the order of names', () => {
  expect(chooseManifests(['z.yml', 'a.yaml', 'b.json', 'README.md', 'c.yaml.txt', 'sub/d.yaml'])).toEqual({
    templates: [],
    manifests: ['a.yaml', 'b.json', 'sub/d.yaml', 'z.yml'],
  })
})

test('leaves out the bundle file of its own', () => {
  expect(chooseManifests(['fleet.yaml', 'fleet.yml', 'a.yaml', 'my-fleet.yaml']).manifests).toEqual(['a.yaml', 'my-fleet.yaml'])
})

test('leaves out folders that are bundles or charts', () => {
  const names = [
    'a/fleet.yaml',
    'a/x.yaml',
    'a/b/y.yaml',
    'c/fleet.yml',
    'c/z.yaml',
    'd/Chart.yaml',
    'd/templates/t.yaml',
    'ab/kept.yaml',
    'Chart.yaml',
  ]
  expect(chooseManifests(names).manifests).toEqual(['Chart.yaml', 'ab/kept.yaml'])
})

test('the folder templates at the root is rendered', () => {
  expect(chooseManifests(['templates/a.yaml', 'templates/_helpers.tpl', 'sub/templates/b.yaml'])).toEqual({
    templates: ['templates/a.yaml'],
    manifests: ['sub/templates/b.yaml'],
  })
})
