import { describe, expect, test } from 'vitest'
import type { GitRepoStatus } from '../api/git-repo.ts'
import { formatTime } from '../lib/controller/conditions.ts'
import { GitError } from '../lib/git/errors.ts'
import { nextStatus } from './git-repo-status.ts'
import { hintOf, hintStep, type PushHint } from './push-hint.ts'

const NOW = Date.UTC(2026, 0, 1, 12)
const hint: PushHint = { commit: 'new', since: NOW, askedAt: NOW }
const step = (poll: Parameters<typeof hintStep>[1], now: number, from: PushHint = hint) =>
  hintStep(from, poll, { status: { commit: 'old' } }, now)

describe('a push', () => {
  test('is news unless it tells of what has been read', () => {
    const of = (status: GitRepoStatus, isFirstSight = false, known?: PushHint) => hintOf({ status }, known, NOW, isFirstSight)
    expect(of({ commit: 'old' })).toBeUndefined()
    expect(of({ commit: 'old', webhookCommit: 'old' })).toBeUndefined()
    expect(of({ commit: 'old', webhookCommit: 'new' })).toEqual(hint)
    expect(of({ webhookCommit: 'new' })).toEqual(hint)
    const earlier = { ...hint, since: 1 }
    expect(of({ commit: 'old', webhookCommit: 'new' }, false, earlier)).toBe(earlier)
    expect(of({ commit: 'old', webhookCommit: 'newer' }, false, earlier)).toEqual({ ...hint, commit: 'newer' })
  })

  test('that was there before the process is as old as the status says', () => {
    const status = { commit: 'old', webhookCommit: 'new', lastWebhookTime: formatTime(NOW - 60_000) }
    expect(hintOf({ status }, undefined, NOW, true)).toEqual({ ...hint, since: NOW - 60_000 })
    expect(hintOf({ status: { ...status, lastWebhookTime: formatTime(NOW + 60_000) } }, undefined, NOW, true)?.since).toBe(NOW)
    expect(hintOf({ status: { ...status, lastWebhookTime: 'x' } }, undefined, NOW, true)?.since).toBe(NOW)
  })

  test('makes us ask, and wait for a commit that is not visible yet, but not for ever', () => {
    expect(step(undefined, NOW)).toEqual({ kind: 'ask', hint })
    expect(step({ at: NOW - 1, commit: 'new' }, NOW)).toEqual({ kind: 'ask', hint })
    expect(step({ at: NOW, commit: 'old' }, NOW + 500)).toEqual({ kind: 'wait', ms: 1_500 })
    expect(step({ at: NOW, commit: 'old' }, NOW + 2_000)).toEqual({ kind: 'ask', hint: { ...hint, askedAt: NOW + 2_000 } })
    expect(step({ at: NOW + 29_500, commit: 'old' }, NOW + 30_000)).toEqual({ kind: 'give up' })
  })

  test('is settled by whatever the server shows', () => {
    expect(step({ at: NOW, commit: 'new' }, NOW)).toEqual({ kind: 'settled' })
    expect(step({ at: NOW, commit: 'another' }, NOW + 60_000)).toEqual({ kind: 'settled' })
  })

  test('asks a server that is away again and again, less and less often, whatever the interval', () => {
    const error = new GitError('unreachable', 'away')
    const askedAgain = (now: number) => ({ kind: 'ask', hint: { ...hint, askedAt: now } })
    expect(step({ at: NOW, error }, NOW + 1_000)).toEqual({ kind: 'wait', ms: 4_000 })
    expect(step({ at: NOW, error }, NOW + 5_000)).toEqual(askedAgain(NOW + 5_000))
    expect(step({ at: NOW + 60_000, error }, NOW + 61_000)).toEqual({ kind: 'wait', ms: 59_000 })
    expect(step({ at: NOW + 60_000, error }, NOW + 120_000)).toEqual(askedAgain(NOW + 120_000))
    expect(step({ at: NOW + 9_000_000, error }, NOW + 9_000_000)).toEqual({ kind: 'wait', ms: 600_000 })
    const asksForPeace = new GitError('unreachable', 'away', { retryAfterMs: 90_000 })
    expect(step({ at: NOW, error: asksForPeace }, NOW + 60_000)).toEqual({ kind: 'wait', ms: 30_000 })
  })
})

describe('the status', () => {
  const attempt = { commit: 'c2', generation: 1, forceSync: 0, secrets: '', remoteId: '' }

  test('names as pushed what was read, once the push is settled', () => {
    const status = { commit: 'c1', webhookCommit: 'pushed' }
    expect(nextStatus({ status }, { attempt, settledHint: 'pushed' }, NOW)).toMatchObject({ commit: 'c2', webhookCommit: 'c2' })
    expect(nextStatus({ status }, { attempt }, NOW)).toMatchObject({ commit: 'c2', webhookCommit: 'pushed' })
  })

  test('follows what is read when it names what was read: a commit that polling finds is no lost push', () => {
    const status = nextStatus({ status: { commit: 'c1', webhookCommit: 'c1' } }, { attempt }, NOW)
    expect(status).toMatchObject({ commit: 'c2', webhookCommit: 'c2' })
    expect(hintOf({ status }, undefined, NOW, false)).toBeUndefined()
    const failure = { kind: 'failed', message: 'broken', reason: 'Error', count: 1 } as const
    expect(nextStatus({ status: { commit: 'c1', webhookCommit: 'c1' } }, { attempt: { ...attempt, failure } }, NOW).webhookCommit).toBe(
      'c1',
    )
    expect(nextStatus({ status: {} }, { attempt }, NOW).webhookCommit).toBeUndefined()
  })

  test('keeps a push that came meanwhile', () => {
    const status = { commit: 'c1', webhookCommit: 'newer' }
    expect(nextStatus({ status }, { attempt, settledHint: 'pushed' }, NOW)).toMatchObject({ webhookCommit: 'newer' })
  })
})
