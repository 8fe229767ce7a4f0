import { describe, expect, it } from 'vitest'
import type { BuildState } from './progress.ts'
import { createProgressLine, describeBuild, estimateRemainingMs, formatMinutes } from './progress.ts'

function compiling(done: number, total = 3000): BuildState {
  return { phase: 'compiling', done, total, current: 'k8s.io/api/core/v1' }
}

describe('estimateRemainingMs', () => {
  it('knows nothing before the packages are counted', () => {
    expect(estimateRemainingMs({ phase: 'downloading', done: 3, total: 0, current: 'x' }, 5000)).toBeUndefined()
  })

  it('starts near five minutes for a cold build', () => {
    const remaining = estimateRemainingMs(compiling(0), 0) ?? 0
    expect(remaining).toBeGreaterThan(270_000)
    expect(remaining).toBeLessThan(330_000)
  })

  it('follows the speed of this machine the further it gets', () => {
    const slow = estimateRemainingMs(compiling(2700), 2700 * 500) ?? 0
    const fast = estimateRemainingMs(compiling(2700), 2700 * 20) ?? 0
    expect(slow).toBeGreaterThan(300 * 400)
    expect(fast).toBeLessThan(300 * 60 + 25_000)
  })

  it('never promises nothing while linking takes longer than usual', () => {
    expect(estimateRemainingMs({ ...compiling(3000), phase: 'linking' }, 300_000, 600_000)).toBe(1000)
  })

  it('is never negative when more is compiled than was counted', () => {
    expect(estimateRemainingMs(compiling(3100), 310_000)).toBeGreaterThanOrEqual(0)
  })
})

describe('describeBuild', () => {
  it('names what is compiled, the time so far and the time left', () => {
    expect(describeBuild(compiling(811, 2975), 62_000, 220_000)).toBe(
      'control plane: compiling package 812 of 2975: k8s.io/api/core/v1 (1:02 elapsed, about 3:40 left)',
    )
  })

  it('says how long it may take before it can know', () => {
    const state: BuildState = { phase: 'downloading', done: 0, total: 0, current: '' }
    expect(describeBuild(state, 0, undefined)).toContain('about 5 minutes on two cores')
  })
})

describe('formatMinutes', () => {
  it.each([
    [0, '0:00'],
    [59_499, '0:59'],
    [59_500, '1:00'],
    [3_600_000, '60:00'],
    [-5, '0:00'],
  ])('%d ms is %s', (ms, text) => {
    expect(formatMinutes(ms)).toBe(text)
  })
})

describe('createProgressLine', () => {
  it('writes a line every 10 s into a log', () => {
    const written: string[] = []
    const line = createProgressLine({ write: (text: string) => written.push(text) })
    for (const second of [0, 1, 9, 10, 15, 20]) line.update(`at ${second}`, second * 1000)
    line.finish('ready')
    expect(written).toEqual(['at 0\n', 'at 10\n', 'at 20\n', 'ready\n'])
  })

  it('rewrites one line on a terminal, cut to its width', () => {
    const written: string[] = []
    const line = createProgressLine({ isTTY: true, columns: 30, write: (text: string) => written.push(text) })
    line.update('x'.repeat(100), 0)
    line.finish('ready')
    expect(written).toEqual([`\r\x1b[2K${'x'.repeat(29)}`, '\r\x1b[2Kready\n'])
  })
})
