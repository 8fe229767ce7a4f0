import { expect, test } from 'vitest'
import { checkVectors } from '../testing/vectors.ts'
import { type IntOrPercent, limit } from './limit.ts'

interface Input {
  kind: string
  count: number
  values: IntOrPercent[]
}

checkVectors('bundle-states.json', ({ count, values }: Input) => limit(count, ...values), { only: ({ kind }) => kind === 'limit' })

test.each([
  [10, ['"30" is taken as it is', '30'], 30],
  [10, ['a huge text still is a whole number that can be stored', '99999999999999999999'], Number.MAX_SAFE_INTEGER],
  [0, ['a text, of none', '30'], 1],
  [10, ['half a percent rounds up to one', '0.5%'], 1],
  [10, ['a percentage of more than all', '200%'], 10],
  [0, ['of none', 0], 1],
] as const)('limit of %d: %s', (count, [, value], expected) => {
  expect(limit(count, value)).toBe(expected)
})

test.each(['0', '', '5.5', '%', '1 %', 'NaN%', 'Infinity%', '0x10%', '5%%'])('%j is refused', (text) => {
  expect(() => limit(10, text)).toThrow(`invalid maxUnavailable, must be int or percentage (ending with %): ${text}`)
})
