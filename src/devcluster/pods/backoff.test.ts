import { describe, expect, it } from 'vitest'
import { countQuickEnds, restartDelay, shouldRestart } from './backoff.ts'

const kubelet = { baseMs: 10_000, maxMs: 300_000 }

describe('shouldRestart', () => {
  it.each([
    ['Always', 0, true],
    ['Always', 1, true],
    ['OnFailure', 0, false],
    ['OnFailure', 1, true],
    ['Never', 0, false],
    ['Never', 1, false],
  ] as const)('%s, exit code %d: %s', (policy, code, restart) => {
    expect(shouldRestart(policy, code)).toBe(restart)
  })
})

describe('restartDelay', () => {
  it('starts again at once after the first end, then after 10 s, doubled up to 5 min', () => {
    const delays = [1, 2, 3, 4, 5, 6, 7, 8, 1000].map((ends) => restartDelay(ends, kubelet) / 1000)
    expect(delays).toEqual([0, 10, 20, 40, 80, 160, 300, 300, 300])
  })
})

describe('countQuickEnds', () => {
  it('starts anew after a run of more than twice the longest delay', () => {
    expect(countQuickEnds(4, 600_000, kubelet)).toBe(5)
    expect(countQuickEnds(4, 600_001, kubelet)).toBe(1)
  })
})
