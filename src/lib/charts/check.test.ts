import { describe, expect, test } from 'vitest'
import { TerminalError } from '../controller/errors.ts'
import { checkChart } from './check.ts'

const chart = (more: object = {}) => JSON.stringify({ apiVersion: 'v2', name: 'c', version: '0.1.0', ...more })

describe('checkChart', () => {
  test.each([
    [chart()],
    [chart({ version: '1', type: 'library', apiVersion: undefined, dependencies: [{ name: 'a' }, { name: 'a', alias: 'b' }] })],
    ['name: 5\nversion: 1.0\n'],
  ])('takes %s', (text) => {
    expect(() => checkChart(text, 'a: 1', 'app')).not.toThrow()
    expect(() => checkChart(text, '', 'app')).not.toThrow()
  })

  test.each([
    ['', 'app/Chart.yaml: this is no map'],
    ['- a', 'app/Chart.yaml: this is no map'],
    ['a: [', 'app/Chart.yaml:1:'],
    [chart({ name: '' }), 'app/Chart.yaml: chart.metadata.name is required'],
    [chart({ name: 'a/b' }), 'chart.metadata.name "a/b" is invalid'],
    [chart({ version: undefined }), 'chart.metadata.version is required'],
    [chart({ version: 'abc' }), 'chart.metadata.version "abc" is invalid'],
    [chart({ type: 'x' }), 'chart.metadata.type must be application or library'],
    [chart({ maintainers: [null] }), 'maintainers must not contain empty or null nodes'],
    [chart({ dependencies: [{ name: 'a', alias: 'b c' }] }), 'dependency "a" has disallowed characters in the alias'],
    [chart({ dependencies: [{ name: 'a' }, { name: 'b', alias: 'a' }] }), 'more than one dependency with name or alias "a"'],
  ])('refuses %s', (text, message) => {
    expect(() => checkChart(text, undefined, 'app')).toThrow(TerminalError)
    expect(() => checkChart(text, undefined, 'app')).toThrow(message)
  })

  test('refuses values that are no map', () => {
    expect(() => checkChart(chart(), '- a', 'app')).toThrow('app/values.yaml: the values of a chart must be a map')
    expect(() => checkChart(chart(), 'a: [', 'app')).toThrow('app/values.yaml:1:')
  })
})
