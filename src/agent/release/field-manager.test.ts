import { expect, test } from 'vitest'
import { withoutUpdates } from './field-manager.ts'

const entry = (manager: string, operation: string, fieldsV1: object, subresource?: string) => ({
  manager,
  operation,
  apiVersion: 'v1',
  fieldsV1: fieldsV1 as Record<string, never>,
  ...(subresource ? { subresource } : {}),
})

test('what was updated counts as applied', () => {
  const others = [entry('kubectl', 'Update', { 'f:data': { 'f:x': {} } }), entry('helm', 'Update', { 'f:status': {} }, 'status')]
  expect(withoutUpdates([entry('helm', 'Update', { 'f:data': { 'f:a': {} } }), ...others])).toEqual([
    ...others,
    entry('helm', 'Apply', { 'f:data': { 'f:a': {} } }),
  ])
})

test('together with what was applied before', () => {
  const applied = entry('helm', 'Apply', { 'f:data': { 'f:a': {}, 'f:b': {} } })
  const updated = entry('helm', 'Update', { 'f:data': { 'f:b': {}, 'f:c': {} }, 'f:metadata': {} })
  expect(withoutUpdates([updated, applied])).toEqual([
    entry('helm', 'Apply', { 'f:data': { 'f:a': {}, 'f:b': {}, 'f:c': {} }, 'f:metadata': {} }),
  ])
})

test('nothing is to be done when nothing was updated by us', () => {
  expect(withoutUpdates([entry('kubectl', 'Update', {}), entry('helm', 'Apply', {})])).toBeUndefined()
})
