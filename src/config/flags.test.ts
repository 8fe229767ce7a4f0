import { expect, test } from 'vitest'
import { CONTROLLERS, controllerConfig } from './controller.ts'
import { ConfigError } from './environment.ts'
import { parseFlags } from './flags.ts'

const TYPES = { name: 'text', on: 'boolean' } as const
const host = { hostname: 'h', pid: 1 }

test('reads texts and the three ways to write a boolean', () => {
  expect(parseFlags(['--name', 'x', '--on'], TYPES)).toEqual({ name: 'x', on: true })
  expect(parseFlags(['--name=x', '--on=false'], TYPES)).toEqual({ name: 'x', on: false })
  expect(parseFlags([], TYPES)).toEqual({})
})

test.each([['--nope'], ['--on=maybe'], ['--name'], ['word']])('refuses %s', (arg) => {
  expect(() => parseFlags([arg], TYPES)).toThrow(ConfigError)
})

test('runs all controllers by default but those that are switched on, and holds the lease of its group', () => {
  const config = controllerConfig([], {}, host)
  expect([...config.controllers]).toEqual(CONTROLLERS.filter((name) => !['schedule', 'imagescan'].includes(name)))
  expect([config.namespace, config.lease, config.identity, config.election.enabled]).toEqual([
    'cattle-fleet-system',
    'fleet-controller-leader-election-shard',
    'h-1',
    true,
  ])
})

test('a process that only reads git holds the lease of the git controllers, with its shard', () => {
  expect(controllerConfig(['--controllers=gitrepo', '--shard-id', 'a'], {}, host).lease).toBe('fleet-gitops-leader-election-shard-a')
})

test('a controller that does not exist is named with those that do', () => {
  expect(() => controllerConfig(['--controllers=gitrepos'], {}, host)).toThrow(/choose from registration, cluster, gitrepo, helmop, bundle/)
})

test('flags win over the environment', () => {
  expect(controllerConfig(['--namespace', 'flag'], { NAMESPACE: 'env' }, host).namespace).toBe('flag')
  expect(controllerConfig([], { NAMESPACE: 'env' }, host).namespace).toBe('env')
})

test('an election whose times cannot work is refused', () => {
  expect(() => controllerConfig([], { CATTLE_ELECTION_LEASE_DURATION: '10s' }, host)).toThrow(/must be longer/)
})
