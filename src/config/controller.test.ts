import { describe, expect, test } from 'vitest'
import { controllerConfig } from './controller.ts'
import { ConfigError, type Environment } from './environment.ts'

const ELECTION = {
  CATTLE_ELECTION_LEASE_DURATION: '30s',
  CATTLE_ELECTION_RETRY_PERIOD: '10s',
  CATTLE_ELECTION_RENEW_DEADLINE: '25s',
}

function addresses(args: string[], env: Environment = {}) {
  const { webhooks, metrics, health } = controllerConfig(args, { ...ELECTION, ...env }, { hostname: 'h', pid: 1 })
  return { webhooks, metrics: metrics?.port, health: health?.port }
}

describe('addresses', () => {
  test('of a hub in one process leave webhooks to the flag', () => {
    expect(addresses([])).toEqual({ webhooks: undefined, metrics: 8080, health: 8081 })
    expect(addresses(['--listen', '127.0.0.1:9000'])).toMatchObject({ webhooks: { host: '127.0.0.1', port: 9000 } })
    expect(addresses(['--listen', ':9000', '--controllers=bundle'])).toMatchObject({ webhooks: undefined })
  })

  test('of a process for GitRepos alone are those of gitjob', () => {
    expect(addresses(['--controllers=gitrepo'])).toEqual({ webhooks: { host: undefined, port: 8080 }, metrics: 8081, health: 8082 })
    expect(addresses(['--controllers=gitrepo', '--listen=0'])).toMatchObject({ webhooks: undefined })
  })

  test('that are none are named', () => {
    expect(() => addresses(['--listen', 'nowhere'])).toThrow(ConfigError)
    expect(() => addresses(['--listen', 'nowhere'])).toThrow('--listen="nowhere"')
  })
})

test('programs that run beside each other wait for different leases', () => {
  const lease = (...args: string[]) => controllerConfig(args, ELECTION, { hostname: 'h', pid: 1 }).lease
  expect([lease(), lease('--controllers=-gitrepo,-helmop'), lease('--controllers=gitrepo'), lease('--controllers=helmop')]).toEqual([
    'fleet-controller-leader-election-shard',
    'fleet-controller-leader-election-shard',
    'fleet-gitops-leader-election-shard',
    'fleet-helmops-leader-election-shard',
  ])
  expect([lease('--controllers=registration'), lease('--controllers=cleanup')]).toEqual([
    'fleet-agentmanagement-lock',
    'fleet-cleanup-lock',
  ])
  expect(lease('--controllers=gitrepo', '--shard-id=a')).toBe('fleet-gitops-leader-election-shard-a')
})

describe('schedules', () => {
  const controllers = (args: string[], env: Environment = {}) => [
    ...controllerConfig(args, { ...ELECTION, ...env }, { hostname: 'h', pid: 1 }).controllers,
  ]

  test('are switched on by their variable, in shards too', () => {
    expect(controllers([])).not.toContain('schedule')
    expect(controllers([], { EXPERIMENTAL_SCHEDULES: 'true' })).toContain('schedule')
    expect(controllers(['--shard-id=x'], { EXPERIMENTAL_SCHEDULES: 'true' })).toContain('schedule')
    expect(controllers(['--controllers=bundle'], { EXPERIMENTAL_SCHEDULES: 'true' })).toEqual(['bundle'])
  })

  test('asked for while they are off say what switches them on', () => {
    expect(controllers(['--controllers=-gitrepo,-helmop'])).not.toContain('gitrepo')
    expect(controllers(['--controllers=-gitrepo', '--shard-id=a'])).not.toContain('registration')
    expect(() => controllers(['--controllers=-gitrepos'])).toThrow('choose from')
    expect(() => controllers(['--controllers=schedule'])).toThrow('to run schedule, set EXPERIMENTAL_SCHEDULES=true')
  })
})

describe('settings for debugging', () => {
  const agents = (args: string[], env: Environment) => controllerConfig(args, { ...ELECTION, ...env }, { hostname: 'h', pid: 1 }).agents
  const propagates = { FLEET_PROPAGATE_DEBUG_SETTINGS_TO_AGENTS: 'true' }
  const unconfined = { FLEET_DEBUG_DISABLE_SECURITY_CONTEXT: 'true' }

  test('reach agents only if they are to be propagated', () => {
    const args = ['--debug', '--debug-level=3']
    expect(agents(args, { ...propagates, ...unconfined })).toMatchObject({ debugLevel: 3, disableSecurityContext: true })
    expect(agents(args, unconfined)).toMatchObject({ debugLevel: undefined, disableSecurityContext: false })
    expect(agents([], { ...propagates, ...unconfined })).toMatchObject({ debugLevel: undefined, disableSecurityContext: true })
  })
})

describe('git servers', () => {
  const config = (args: string[], env: Environment = {}) => controllerConfig(args, { ...ELECTION, ...env }, { hostname: 'h', pid: 1 })

  test('show a known key, unless flag or variable say otherwise', () => {
    expect(config([]).insecureSkipHostKeyChecks).toBe(false)
    expect(config(['--insecure-skip-host-key-checks']).insecureSkipHostKeyChecks).toBe(true)
    expect(config([], { FLEET_INSECURE_SKIP_HOST_KEY_CHECKS: 'true' }).insecureSkipHostKeyChecks).toBe(true)
  })

  test('are reached through a proxy whose certificates are given', () => {
    expect(config([], { PROXY_CA_BUNDLE: 'PEM' }).proxyCaBundle).toBe('PEM')
    expect(config([]).proxyCaBundle).toBeUndefined()
  })
})
