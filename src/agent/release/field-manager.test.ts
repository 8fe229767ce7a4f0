import { describe, expect, test } from 'vitest'
import { asAppliedBy, FIELD_MANAGER, fromHelm } from './field-manager.ts'

const entry = (manager: string, operation: string, fieldsV1: object, more: { subresource?: string; apiVersion?: string } = {}) => ({
  manager,
  operation,
  apiVersion: 'v1',
  fieldsV1: fieldsV1 as Record<string, never>,
  ...more,
})
const a = { 'f:data': { 'f:a': {} } }
const b = { 'f:data': { 'f:b': {} }, 'f:metadata': {} }
const both = { 'f:data': { 'f:a': {}, 'f:b': {} }, 'f:metadata': {} }
const others = [
  entry('kubectl', 'Update', { 'f:data': { 'f:x': {} } }),
  entry('helm', 'Update', { 'f:status': {} }, { subresource: 'status' }),
]

describe('made over to one who applies', () => {
  const toAgent = asAppliedBy(FIELD_MANAGER)

  test('is what the agent updated if it is to be, and nothing of others', () => {
    const entries = [entry('fleetagent', 'Update', a), ...others]
    expect(asAppliedBy(FIELD_MANAGER, { updates: true })(entries)).toEqual([...others, entry('fleetagent', 'Apply', a)])
    expect(toAgent(entries)).toBeUndefined()
  })

  test('is what helm wrote, together with what is the own already', () => {
    const entries = [entry('helm', 'Apply', b), entry('fleetagent', 'Apply', a)]
    expect(toAgent(entries)).toEqual([entry('fleetagent', 'Apply', both)])
    expect(toAgent([entry('helm', 'Update', b), entry('helm', 'Apply', a)])).toEqual([entry('fleetagent', 'Apply', both)])
  })

  test('is what the agent wrote, for helm', () => {
    expect(asAppliedBy('helm')([entry('fleetagent', 'Apply', a)])).toEqual([entry('helm', 'Apply', a)])
  })

  test('is nothing when all is as it should be', () => {
    expect(toAgent([...others, entry('fleetagent', 'Apply', a)])).toBeUndefined()
    expect(toAgent(others)).toBeUndefined()
  })
})

describe('what helm wrote becomes the agent’s', () => {
  test('in the way it was written', () => {
    expect(fromHelm([entry('helm', 'Update', a), entry('helm', 'Apply', b), ...others])).toEqual([
      ...others,
      entry('fleetagent', 'Update', a),
      entry('fleetagent', 'Apply', b),
    ])
  })

  test('together with what is the agent’s: an applier has one entry, an updater one for each version of the kind', () => {
    const entries = [
      entry('fleetagent', 'Apply', a, { apiVersion: 'v1beta1' }),
      entry('helm', 'Apply', b),
      entry('fleetagent', 'Update', a, { apiVersion: 'v1beta1' }),
      entry('helm', 'Update', b),
    ]
    expect(fromHelm(entries)).toEqual([
      entry('fleetagent', 'Apply', both),
      entry('fleetagent', 'Update', a, { apiVersion: 'v1beta1' }),
      entry('fleetagent', 'Update', b),
    ])
  })

  test('unless there is nothing of it', () => {
    expect(fromHelm([entry('fleetagent', 'Apply', a), ...others])).toBeUndefined()
  })
})
