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

  test('is settled by whatever the server shows, and waits for a server that is away', () => {
    expect(step({ at: NOW, commit: 'new' }, NOW)).toEqual({ kind: 'settled' })
    expect(step({ at: NOW, commit: 'another' }, NOW + 60_000)).toEqual({ kind: 'settled' })
    expect(step({ at: NOW, error: new GitError('unreachable', 'away') }, NOW + 60_000)).toEqual({ kind: 'settled' })
  })
})

describe('the status', () => {
  const attempt = { commit: 'c2', generation: 1, forceSync: 0, secrets: '', remoteId: '' }

  test('names as pushed what was read, once the push is settled', () => {
    const status = { commit: 'c1', webhookCommit: 'pushed' }
    expect(nextStatus({ status }, { attempt, settledHint: 'pushed' }, NOW)).toMatchObject({ commit: 'c2', webhookCommit: 'c2' })
    expect(nextStatus({ status }, { attempt }, NOW)).toMatchObject({ commit: 'c2', webhookCommit: 'pushed' })
  })

  test('keeps a push that came meanwhile', () => {
    const status = { commit: 'c1', webhookCommit: 'newer' }
    expect(nextStatus({ status }, { attempt, settledHint: 'pushed' }, NOW)).toMatchObject({ webhookCommit: 'newer' })
  })
})
