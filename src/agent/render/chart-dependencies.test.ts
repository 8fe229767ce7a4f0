import { expect, test } from 'vitest'
import { parseYaml } from '../../lib/yaml/parse.ts'
import { dropMissingDependencies } from './chart-dependencies.ts'

const declared = (...names: string[]) =>
  `name: web\nversion: 1.0.0\ndependencies:\n${names.map((name) => `- {name: ${name}, alias: x}\n`).join('')}`
const files = (texts: Record<string, string>) => Object.entries(texts).map(([name, text]) => ({ name, content: Buffer.from(text) }))
const namesIn = (content: Buffer | undefined) =>
  (parseYaml(String(content)) as { dependencies: { name: string }[] }).dependencies.map(({ name }) => name)

test('only what is in the folder charts is declared, packed or not, whatever its folder is called', () => {
  const given = files({
    'app/Chart.yaml': declared('one', 'two', 'missing'),
    'app/charts/folder/Chart.yaml': 'name: one\n',
    'app/charts/two-1.2.3.tgz': '',
    'app/charts/one/templates/Chart.yaml': 'name: missing\n',
  })
  const result = dropMissingDependencies(given, 'app')
  expect(namesIn(result[0]?.content)).toEqual(['one', 'two'])
  expect(result.slice(1)).toEqual(given.slice(1))
})

test('charts of the first version declare them in requirements.yaml', () => {
  const given = files({ 'Chart.yaml': 'apiVersion: v1\nname: web\n', 'requirements.yaml': declared('missing') })
  expect(namesIn(dropMissingDependencies(given, '.')[1]?.content)).toEqual([])
})

test('a chart that is complete, without dependencies, or broken stays as it is', () => {
  for (const text of [declared('one'), 'name: web\n', 'name: [\n', 'dependencies: 3\n', 'dependencies: [text]\n']) {
    const given = files({ 'Chart.yaml': text, 'charts/one/Chart.yaml': 'name: one\n', 'other/Chart.yaml': declared('missing') })
    expect(dropMissingDependencies(given, '.')).toEqual(given)
  }
})
