import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { GitRepoStatus } from '../api/git-repo.ts'
import type { Condition } from '../api/status.ts'
import { TerminalError } from '../lib/controller/errors.ts'
import { GitError } from '../lib/git/errors.ts'
import type { Attempt } from './decide.ts'
import { hasChanged, nextStatus, type StatusFacts } from './git-repo-status.ts'

const NOW = Date.UTC(2026, 0, 1, 12)
const inputs: Attempt = { commit: 'c2', generation: 4, forceSync: 0, secrets: '', remoteId: '' }
const failed = (kind: 'failed' | 'waiting', message: string): Attempt => ({
  ...inputs,
  failure: { kind, message, reason: 'Error', count: 1 },
})
const poll = { at: NOW - 1_000, commit: 'c2' }
const pollError = { at: NOW - 1_000, error: new GitError('unreachable', 'cannot be reached') }
const of = (status: GitRepoStatus | undefined, facts: StatusFacts, now = NOW): GitRepoStatus =>
  nextStatus(status ? { status } : {}, facts, now)
const told = ({ conditions = [] }: GitRepoStatus): Record<string, string> =>
  Object.fromEntries(conditions.map(({ type, status, message }) => [type, message ? `${status}: ${message}` : status]))

describe('the status of a GitRepo', () => {
  test('after a reading', () => {
    const status = of(undefined, { poll, attempt: inputs })
    expect(status).toMatchObject({
      commit: 'c2',
      pollingCommit: 'c2',
      gitJobStatus: 'Current',
      observedGeneration: 4,
      lastPollingTriggered: '2026-01-01T11:59:59Z',
    })
    expect(told(status)).toEqual({ Accepted: 'True', GitPolling: 'True', Reconciling: 'False', Stalled: 'False' })
  })

  test('while a commit is read', () => {
    const status = of({ commit: 'c1', gitJobStatus: 'Current', observedGeneration: 3 }, { poll, reading: 'c2' })
    expect(status).toMatchObject({ commit: 'c1', pollingCommit: 'c2', gitJobStatus: 'InProgress', observedGeneration: 3 })
    expect(told(status)).toMatchObject({ Reconciling: 'True: reading commit c2', Stalled: 'False' })
  })

  test('after a reading that failed keeps the good commit', () => {
    const status = of({ commit: 'c1' }, { poll, attempt: failed('failed', 'broken fleet.yaml') })
    expect(status).toMatchObject({ commit: 'c1', pollingCommit: 'c2', gitJobStatus: 'Failed', observedGeneration: 4 })
    expect(told(status)).toEqual({ Accepted: 'True', GitPolling: 'True', Reconciling: 'False', Stalled: 'True: broken fleet.yaml' })
  })

  test('that is stalled says so as the reason, whatever the error', () => {
    const reason = (facts: StatusFacts) => of(undefined, facts).conditions?.find(({ type }) => type === 'Stalled')?.reason
    expect(reason({ poll, attempt: failed('failed', 'broken fleet.yaml') })).toBe('Stalled')
    expect(reason({ poll: pollError })).toBe('Stalled')
    expect(reason({ poll, attempt: inputs })).toBeUndefined()
  })

  test('while something is waited for', () => {
    const status = of(undefined, { poll, attempt: failed('waiting', 'secret x') })
    expect(status.gitJobStatus).toBe('InProgress')
    expect(told(status)).toMatchObject({ Reconciling: 'True: secret x', Stalled: 'False' })
  })

  test('while the server does not answer keeps everything and says so', () => {
    const before = of(undefined, { poll, attempt: inputs })
    const status = of(before, { poll: pollError, attempt: inputs })
    expect(status).toMatchObject({ commit: 'c2', pollingCommit: 'c2', gitJobStatus: 'Current' })
    expect(told(status)).toMatchObject({ GitPolling: 'False: cannot be reached', Stalled: 'True: cannot be reached' })
    expect(told(of(status, { poll }))).toMatchObject({ GitPolling: 'True', Stalled: 'False' })
  })

  test('says of a reading that failed more than of a poll that failed', () => {
    const status = of(undefined, { poll: pollError, attempt: failed('failed', 'broken') })
    expect(told(status)).toMatchObject({ GitPolling: 'False: cannot be reached', Stalled: 'True: broken' })
  })

  test('forgets no failure of the process before until the commit was read again', () => {
    const before = of({ commit: 'c1' }, { poll, attempt: failed('failed', 'broken') })
    expect(of(before, {})).toEqual(before)
    expect(hasChanged(before, of(before, { poll: { ...poll, at: NOW } }))).toBe(false)
  })

  test('that is refused says only that, and what the poll said', () => {
    const status = of(undefined, { refusal: new TerminalError('Secret "x" not found'), poll })
    expect(told(status)).toEqual({ Accepted: 'False: Secret "x" not found', GitPolling: 'True' })
  })

  test('is not written before there is news', () => {
    expect(hasChanged({}, of(undefined, {}))).toBe(false)
    const refused = of(undefined, { refusal: new TerminalError('no') })
    expect(told(of(refused, {}))).toEqual({ Accepted: 'True' })
  })

  test('that is being deleted says what is waited for', () => {
    expect(told(of({ commit: 'c1' }, { remainingBundles: 2 }))).toEqual({
      Reconciling: 'True: being deleted: waiting for its bundles to go, 2 left',
    })
  })

  test('does not change with time or repeated polls, but for the sign of life', () => {
    const status = of(undefined, { poll, attempt: inputs })
    const later = { ...poll, at: NOW + 60_000 }
    expect(of(status, { poll: later }, NOW + 60_000)).toEqual(status)
    const recorded = of(status, { poll: later, isRecordDue: true }, NOW + 60_000)
    expect(recorded).toEqual({ ...status, lastPollingTriggered: '2026-01-01T12:01:00Z' })
    expect(hasChanged(status, recorded)).toBe(true)
  })

  test('keeps what others wrote', () => {
    const ready: Condition = { type: 'Ready', status: 'False', message: 'theirs' }
    const status = of({ conditions: [ready], display: { state: 'x' }, webhookCommit: 'w' }, { poll, attempt: inputs })
    expect(status).toMatchObject({ display: { state: 'x' }, webhookCommit: 'w' })
    expect(status.conditions?.[0]).toBe(ready)
  })

  test('is stable: the same facts again change nothing', () => {
    const message = fc.string({ maxLength: 20 })
    const facts = fc.record({
      refusal: fc.option(
        message.map((text) => new TerminalError(text)),
        { nil: undefined },
      ),
      poll: fc.constantFrom(undefined, poll, pollError),
      attempt: fc.option(
        fc.oneof(
          fc.constant(inputs),
          message.map((text) => failed('failed', text)),
          message.map((text) => failed('waiting', text)),
        ),
        { nil: undefined },
      ),
      reading: fc.constantFrom(undefined, 'c2'),
      remainingBundles: fc.constantFrom(undefined, 0, 3),
    })
    fc.assert(
      fc.property(fc.array(facts, { maxLength: 3 }), facts, (earlier, last) => {
        const before = [...earlier, last].reduce<GitRepoStatus>((status, one) => of(status, one), {})
        expect(hasChanged(before, of(before, last, NOW + 5_000))).toBe(false)
      }),
    )
  })
})
