import { expect, test } from 'vitest'
import { outdated } from './reader.ts'

const history = (...states: ('deployed' | 'superseded' | 'failed')[]) =>
  states.map((state, index) => ({ namespace: 'ns', name: 'web', version: index + 1, state }))
const versions = (states: Parameters<typeof history>, maxHistory: number) =>
  outdated(history(...states), maxHistory).map(({ version }) => version)

test.each([
  [['deployed'], 2, []],
  [['superseded', 'deployed'], 2, [1]],
  [['superseded', 'superseded', 'deployed'], 2, [1, 2]],
  [['superseded', 'deployed'], 1, [1]],
  [['deployed', 'failed'], 2, [2]],
  [['deployed', 'failed', 'failed', 'failed'], 3, [2, 3]],
  [['superseded', 'deployed'], 0, []],
] as const)('of %j, when %i are to stay and one comes: %j', (states, maxHistory, expected) => {
  expect(versions([...states], maxHistory)).toEqual(expected)
})
