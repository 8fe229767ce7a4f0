import { describe, expect, test } from 'vitest'
import type { HelmOpStatus } from '../api/helm-op.ts'
import { TerminalError } from '../lib/controller/errors.ts'
import { hasChanged, nextStatus, type StatusFacts } from './helm-op-status.ts'

const NOW = Date.UTC(2026, 0, 1)
const next = (facts: StatusFacts, status: HelmOpStatus = {}) => nextStatus({ status }, facts, NOW)
const told = ({ conditions = [] }: HelmOpStatus) =>
  Object.fromEntries(conditions.map(({ type, status, message }) => [type, message ? `${status}: ${message}` : status]))
const poll = (error?: Error) => ({ at: NOW - 5_000, error })

describe('the status of a HelmOp', () => {
  test('that is not polled says nothing of polling', () => {
    const status = next({ version: '1.0.0' })
    expect(status).toMatchObject({ version: '1.0.0' })
    expect(status.lastPollingTriggered).toBeUndefined()
    expect(told(status)).toEqual({ Accepted: 'True', Reconciling: 'False', Stalled: 'False' })
    expect(hasChanged(status, next({ version: '1.0.0' }, status))).toBe(false)
  })

  test('that is polled tells when it was', () => {
    const status = next({ version: '1.0.0', isPolling: true, poll: poll() })
    expect(told(status)).toMatchObject({ Polled: 'True', Stalled: 'False' })
    expect(status.lastPollingTriggered).toBe('2025-12-31T23:59:55Z')
    const later = { isPolling: true, poll: { at: NOW, error: undefined }, version: '1.0.0' }
    expect(hasChanged(status, next(later, status))).toBe(false)
    expect(next({ ...later, isRecordDue: true }, status).lastPollingTriggered).toBe('2026-01-01T00:00:00Z')
    expect(told(next({ version: '1.0.0' }, status))).not.toHaveProperty('Polled')
  })

  test('tells of a repository that does not answer, and keeps the version', () => {
    const before = next({ version: '1.0.0', isPolling: true, poll: poll() })
    const status = next({ version: '1.0.0', isPolling: true, poll: poll(new Error('503')) }, before)
    expect(told(status)).toEqual({ Accepted: 'True', Polled: 'False: 503', Reconciling: 'False', Stalled: 'True: 503' })
    expect(status.conditions).toContainEqual(expect.objectContaining({ type: 'Stalled', reason: 'Stalled' }))
    expect(status.version).toBe('1.0.0')
    expect(hasChanged(status, next({ version: '1.0.0', isPolling: true }, status))).toBe(false) // a new process knows no answer yet
  })

  test('tells of what has no effect, until it is gone', () => {
    const remark = 'spec.helm.valuesFiles names a.yaml, which have no effect'
    const status = next({ version: '1.0.0', remark })
    expect(told(status)).toMatchObject({ Accepted: `True: ${remark}`, Stalled: 'False' })
    expect(told(next({ version: '1.0.0', isPolling: true, remark }))).toMatchObject({ Accepted: `True: ${remark}` })
    expect(told(next({ version: '1.0.0', remark, refusal: new Error('no') }))).toMatchObject({ Accepted: 'False: no' })
    expect(told(next({ version: '1.0.0' }, status))).toMatchObject({ Accepted: 'True' })
  })

  test('tells why it is refused', () => {
    const before = next({ version: '1.0.0', isPolling: true, poll: poll() })
    const status = next({ refusal: new TerminalError('no') }, before)
    expect(told(status)).toEqual({ Accepted: 'False: no', Polled: 'True', Reconciling: 'False', Stalled: 'True: no' })
    expect(status.version).toBe('1.0.0')
    expect(told(next({ version: '1.0.0', isPolling: true, poll: poll() }, status))).toMatchObject({ Accepted: 'True', Stalled: 'False' })
  })

  test('tells what it waits for', () => {
    expect(told(next({ waitingFor: 'x', isPolling: true }))).toEqual({ Reconciling: 'True: x', Stalled: 'False' })
  })

  test('of an archive has no version', () => {
    expect(next({ version: '' }, { version: '1.0.0' }).version).toBeUndefined()
  })
})
