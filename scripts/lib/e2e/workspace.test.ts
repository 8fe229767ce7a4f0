import { expect, test } from 'vitest'
import { nameFor, ownerOf } from './workspace.ts'

test('a name tells whose it is, and only ours are ours', () => {
  expect(ownerOf(`${nameFor('')}Ab3dEf`)).toBe(process.pid)
  for (const name of ['fleet-e2e-', 'fleet-e2e-12', 'fleet-e2e-x-abc', 'fleet-e2e-1-a/b', 'other-1-abc'])
    expect(ownerOf(name)).toBeUndefined()
})
