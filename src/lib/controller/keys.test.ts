import { expect, test } from 'vitest'
import { keyOf, parseKey } from './keys.ts'

test('keys of objects and references, and back', () => {
  expect(keyOf({ metadata: { name: 'a', namespace: 'ns' } })).toBe('ns/a')
  expect(keyOf({ name: 'a' })).toBe('a')
  expect(parseKey('ns/a')).toEqual({ namespace: 'ns', name: 'a' })
  expect(parseKey('a')).toEqual({ name: 'a' })
})
