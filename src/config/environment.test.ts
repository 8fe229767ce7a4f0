import { describe, expect, test } from 'vitest'
import { bindAddress, ConfigError, durationMs, flag, integer, workers } from './environment.ts'

describe('durationMs', () => {
  test.each([
    ['30s', 30_000],
    ['1m30s', 90_000],
    ['250ms', 250],
    ['1.5h', 5_400_000],
    ['+5s', 5_000],
    ['.5s', 500],
    ['1500us', 1],
    ['1m0.5s', 60_500],
    ['0', 0],
  ])('reads %s', (text, expected) => {
    expect(durationMs({ D: text }, 'D', 1)).toBe(expected)
  })

  test('falls back when nothing is set', () => {
    expect(durationMs({ D: ' ' }, 'D', 7)).toBe(7)
  })

  test.each(['soon', '10', '1d', '10s later', '-30s'])('refuses %s and names the variable', (text) => {
    expect(() => durationMs({ LEASE: text }, 'LEASE', 1)).toThrow(/LEASE=".*" is not a duration/)
  })
})

test('a number must be whole and large enough', () => {
  expect(integer({ N: '5' }, 'N', 1)).toBe(5)
  expect(() => integer({ N: '5.5' }, 'N', 1)).toThrow(ConfigError)
  expect(() => integer({ N: '-1' }, 'N', 1)).toThrow(ConfigError)
})

test('no workers count as one', () => {
  expect(workers({ BUNDLE_RECONCILER_WORKERS: '0' }, 'BUNDLE', 50)).toBe(1)
  expect(workers({}, 'BUNDLE', 50)).toBe(50)
})

test('a flag that is neither true nor false keeps its default', () => {
  expect([flag({ F: 'true' }, 'F', false), flag({ F: '0' }, 'F', true), flag({ F: 'maybe' }, 'F', true)]).toEqual([true, false, true])
})

describe('bindAddress', () => {
  test('takes host and port, a port alone, an IPv6 host, and 0 for none', () => {
    expect(bindAddress({ A: '127.0.0.1:80' }, 'A', '')).toEqual({ host: '127.0.0.1', port: 80 })
    expect(bindAddress({}, 'A', ':8081')).toEqual({ host: undefined, port: 8081 })
    expect(bindAddress({ A: '[::1]:80' }, 'A', '')).toEqual({ host: '::1', port: 80 })
    expect(bindAddress({ A: '0' }, 'A', ':8081')).toBeUndefined()
  })

  test('refuses a port that does not exist', () => {
    expect(() => bindAddress({ A: ':70000' }, 'A', '')).toThrow(/A=":70000" is not an address/)
  })
})
