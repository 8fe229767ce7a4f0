import { expect, test } from 'vitest'
import {
  type Condition,
  errorCondition,
  formatTime,
  getCondition,
  isConditionTrue,
  removeCondition,
  setCondition,
  trueCondition,
} from './conditions.ts'
import { TerminalError, WaitingError } from './errors.ts'

const t0 = Date.UTC(2026, 0, 1, 12, 0, 0, 987)
const t1 = t0 + 60_000
const ready: Condition = { type: 'Ready', status: 'True', lastUpdateTime: '2026-01-01T12:00:00Z' }

test('a new condition goes to the end', () => {
  expect(setCondition(undefined, trueCondition('Ready'), t0)).toEqual([ready])
  const both = setCondition([ready], { type: 'Stalled', status: 'False', reason: 'Ok', message: 'fine' }, t1)
  expect(both).toEqual([ready, { type: 'Stalled', status: 'False', lastUpdateTime: '2026-01-01T12:01:00Z', reason: 'Ok', message: 'fine' }])
})

test('nothing changed: the same array, the same time', () => {
  const list = [ready]
  expect(setCondition(list, trueCondition('Ready'), t1)).toBe(list)
  expect(setCondition(list, { type: 'Ready', status: 'True', reason: '', message: '' }, t1)).toBe(list)
})

test('the time is touched by status and message, not by the reason', () => {
  expect(setCondition([ready], { type: 'Ready', status: 'True', reason: 'Because' }, t1)).toEqual([{ ...ready, reason: 'Because' }])
  const failed = setCondition([ready], { type: 'Ready', status: 'False', message: 'no' }, t1)
  expect(failed).toEqual([{ type: 'Ready', status: 'False', message: 'no', lastUpdateTime: formatTime(t1) }])
  expect(ready.status).toBe('True')
})

test('fields of others stay', () => {
  const old = { ...ready, lastTransitionTime: '2020-01-01T00:00:00Z' }
  expect(setCondition([old], { type: 'Ready', status: 'False' }, t1)[0]).toMatchObject({ lastTransitionTime: '2020-01-01T00:00:00Z' })
})

test('messages are bounded', () => {
  const [condition] = setCondition([], { type: 'Ready', status: 'False', message: 'x'.repeat(100_000) }, t0)
  expect(condition?.message).toHaveLength(8_192)
})

test('errors become conditions', () => {
  expect(errorCondition('Ready', undefined)).toEqual({ type: 'Ready', status: 'True' })
  expect(errorCondition('Ready', new Error('no'))).toEqual({ type: 'Ready', status: 'False', reason: 'Error', message: 'no' })
  expect(errorCondition('Ready', new TerminalError('no', { reason: 'BadName' }))).toMatchObject({ reason: 'BadName' })
  expect(errorCondition('Ready', new WaitingError('wait'))).toMatchObject({ reason: 'Waiting' })
})

test('find and remove', () => {
  const list = [ready]
  expect(getCondition(list, 'Ready')).toBe(ready)
  expect(getCondition(null, 'Ready')).toBeUndefined()
  expect(isConditionTrue(list, 'Ready')).toBe(true)
  expect(isConditionTrue(list, 'Other')).toBe(false)
  expect(removeCondition(list, 'Other')).toBe(list)
  expect(removeCondition(list, 'Ready')).toEqual([])
})
