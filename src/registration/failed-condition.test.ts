import { describe, expect, test } from 'vitest'
import { TerminalError, WaitingError } from '../lib/controller/errors.ts'
import { ApiError } from '../lib/kube/errors.ts'
import { failedCondition } from './failed-condition.ts'

const CREATED = Date.parse('2026-01-01T00:00:00Z')
const cluster = { apiVersion: 'v1', kind: 'Cluster', metadata: { name: 'paris', creationTimestamp: '2026-01-01T00:00:00Z' } }

describe('what an error makes of a condition', () => {
  test('a fault is told at once', () => {
    expect(failedCondition('Ready', cluster, new TerminalError('no such thing'), CREATED)).toMatchObject({
      type: 'Ready',
      status: 'False',
      message: 'no such thing',
    })
  })

  test('what is waited for is unknown, and told when it takes long', () => {
    const error = new WaitingError('waits for its namespace')
    expect(failedCondition('Ready', cluster, error, CREATED + 9_000)).toBeUndefined()
    expect(failedCondition('Ready', cluster, error, CREATED + 10_000)).toMatchObject({
      status: 'Unknown',
      message: 'waits for its namespace',
    })
  })

  test('that somebody else changed the object meanwhile is no news', () => {
    const error = new ApiError({ status: 409, reason: 'Conflict', message: 'the object has been modified' })
    expect(failedCondition('Ready', cluster, error, CREATED + 60_000)).toBeUndefined()
  })
})
