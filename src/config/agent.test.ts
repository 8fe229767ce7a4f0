import { expect, test } from 'vitest'
import { agentConfig } from './agent.ts'
import { ConfigError } from './environment.ts'

const HOST = { hostname: 'node', pid: 7, cpus: 4, tempDir: '/nowhere' }
const interval = (text: string): number => agentConfig([], { CHECKIN_INTERVAL: text }, HOST).checkinIntervalMs

test('the time between reports is what the hub writes, in any unit; none and less than none is the default', () => {
  expect(['', '0s', '15m0s', '1h30m0s', '500\u00b5s', '-5m0s'].map(interval)).toEqual([0, 0, 900_000, 5_400_000, 0, 0])
  expect(() => interval('often')).toThrow(ConfigError)
})

test('an agent says who it is by pod, else by machine and process', () => {
  expect(agentConfig([], { POD_NAME: 'fleet-agent-0' }, HOST).identity).toBe('fleet-agent-0')
  expect(agentConfig([], {}, HOST).identity).toBe('node-7')
})
