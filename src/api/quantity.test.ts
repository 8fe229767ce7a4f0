import { expect, test } from 'vitest'
import { canonicalQuantity } from './quantity.ts'

test.each([
  ['1024Mi', '1Gi'],
  ['1536Mi', '1536Mi'],
  ['1.5Gi', '1536Mi'],
  ['512', '512'],
  ['0.5Ki', '512'],
  ['1000m', '1'],
  ['100m', '100m'],
  ['0.5', '500m'],
  ['1e3', '1e3'],
  ['1000e3', '1e6'],
  ['1.1Ki', '1126400m'],
  ['0.1n', '1n'],
  ['-1024Ki', '-1Mi'],
  ['0Gi', '0'],
  ['100Ei', '9223372036854775807'],
  ['+5', '+5'],
  [1073741824, '1073741824'],
  [0.25, '250m'],
  [null, '0'],
])('%s is %s', (given, canonical) => {
  expect(canonicalQuantity(given)).toBe(canonical)
})

test.each(['', 'lots', '1 Gi', '1Kib', '--1', '1.2.3', '1e'])('%j is no quantity', (text) => {
  expect(() => canonicalQuantity(text)).toThrow('is not a quantity')
})
