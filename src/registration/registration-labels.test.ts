import { expect, test } from 'vitest'
import { registration } from './objects.testing.ts'
import { labelsCondition, sanitizedLabels } from './registration-labels.ts'

const asking = (clusterLabels: Record<string, string>) => registration({ clientID: 'id', clientRandom: 'r', clusterLabels })

test('labels that steer what is deployed are not taken from an agent', () => {
  const labels = {
    env: 'prod',
    'fleet.cattle.io/cluster': 'x',
    'fleet.cattle.io/created-by-agent-pod': 'pod',
    'management.cattle.io/cluster-name': 'x',
    'objectset.rio.cattle.io/hash': 'x',
    'my.fleet.cattle.io/x': 'y',
  }
  expect(sanitizedLabels(labels)).toEqual({ env: 'prod', 'fleet.cattle.io/created-by-agent-pod': 'pod', 'my.fleet.cattle.io/x': 'y' })
})

test('labels that no object can have are left out, so that the others arrive', () => {
  expect(sanitizedLabels({ ok: '', 'not a key': 'x', key: 'not a value', long: 'x'.repeat(64) })).toEqual({ ok: '' })
})

test('the registration says which were left out and why', () => {
  expect(labelsCondition(asking({ env: 'prod', 'fleet.cattle.io/created-by-agent-pod': 'pod' }))).toBeUndefined()
  const said = labelsCondition(asking({ env: 'a b', 'management.cattle.io/x': 'y', 'fleet.cattle.io/z': '' }))
  expect(said).toMatchObject({ type: 'LabelsAccepted', status: 'False', reason: 'LabelsDropped' })
  expect(said?.message).toMatch(
    /no cluster gets: env \(a value must consist of .*\), fleet\.cattle\.io\/z \(fleet\.cattle\.io\/ is reserved\), management\.cattle\.io\/x \(/,
  )
})

test('however many and long they are, the message stays short', () => {
  const many = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`fleet.cattle.io/${index}-${'k'.repeat(400)}`, 'v']))
  const message = labelsCondition(asking(many))?.message ?? ''
  expect(message).toContain('and 480 more')
  expect(message.length).toBeLessThan(4_000)
})
