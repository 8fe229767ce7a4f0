import { expect, it } from 'vitest'
import { freePorts } from './ports.ts'

it('gives different ports, of those that nobody gets who asks for any port', async () => {
  const ports = await freePorts(50)
  expect(new Set(ports).size).toBe(50)
  expect(Math.min(...ports)).toBeGreaterThan(1_023)
  expect(Math.max(...ports)).toBeLessThan(30_000)
})
