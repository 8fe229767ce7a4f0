import { expect, test } from 'vitest'
import { overlay } from './overlay.ts'

test.each([
  ['maps are merged', { a: 1, b: { c: 2 } }, { b: { d: 3 } }, { a: 1, b: { c: 2, d: 3 } }],
  ['lists of the same length are merged one by one', [{ name: 'a', x: 1 }], [{ name: 'a', y: 2 }], [{ name: 'a', x: 1, y: 2 }]],
  ['other lists are replaced', [{ name: 'a', x: 1 }], [{ name: 'a' }, { name: 'b' }], [{ name: 'a' }, { name: 'b' }]],
  ['elements under another name are replaced', [{ name: 'a', x: 1 }], [{ name: 'b', y: 2 }], [{ name: 'b', y: 2 }]],
  ['values are replaced', { a: 'x' }, { a: 'y' }, { a: 'y' }],
  ['a map takes the place of a value', { a: 'x' }, { a: { b: 1 } }, { a: { b: 1 } }],
  ['empty things that are not there stay away', {}, { a: false, b: '', c: 0, d: [], e: {} }, {}],
  ['empty things that are there count', { a: true, b: 'x' }, { a: false, b: '' }, { a: false, b: '' }],
])('%s', (_, live, wanted, result) => {
  expect(overlay(live, wanted)).toEqual(result)
})

test('on request, empty things that are not there come in, and lists are taken as they are wanted', () => {
  expect(overlay({ a: [{ x: 1 }] }, { a: [{ y: {} }], b: '' }, { keepEmpty: true })).toEqual({ a: [{ x: 1, y: {} }], b: '' })
  expect(overlay({ a: [{ x: 1 }], c: 1 }, { a: [{ y: {} }], b: '' }, { replaceLists: true })).toEqual({ a: [{ y: {} }], c: 1 })
})

test.each([
  ['1', '1000m'],
  ['1', 1],
  ['500m', 0.5],
  ['1Gi', '1024Mi'],
  ['1Gi', 1073741824],
  ['1536Mi', '1.5Gi'],
  ['100M', '1e8'],
  ['100u', '0.0001'],
])('%j and %j are the same amount', (live, wanted) => {
  expect(overlay(live, wanted)).toBe(live)
})

test.each([
  ['1', '1001m'],
  ['1Gi', '1G'],
  ['1', '1x'],
  ['1', ''],
  [true, 1],
  ['1.2.3', '1.2.4'],
])('%j and %j are not', (live, wanted) => {
  expect(overlay(live, wanted)).toBe(wanted)
})
